//! Metrics of the server itself, which are read when they are asked for.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::actions::Actions;
use crate::clock::Clock;
use crate::store::{LeaseState, PrimaryWatch, Store, wal_index_contradictions};

/// The wal-index, the clock, writes and the lease.
#[derive(Debug)]
pub(super) struct ServerMetrics {
    clock: Clock,
    store: Store,
}

impl ServerMetrics {
    pub(super) fn new(actions: &Actions) -> Self {
        Self { clock: actions.clock.clone(), store: actions.store.clone() }
    }
}

impl Collector for ServerMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let contradictions = ConstCounter::new(wal_index_contradictions());
        let help = "Times that SQLite's wal-index did not follow the database";
        let name = "keydesk_wal_index_contradictions";
        contradictions.encode(encoder.encode_descriptor(name, help, None, contradictions.metric_type())?)?;
        let offset = ConstGauge::new(self.clock.offset_seconds().unwrap_or_default());
        let help = "The system's clock minus the database's";
        let kind = offset.metric_type();
        offset.encode(encoder.encode_descriptor("keydesk_clock_offset", help, Some(&Unit::Seconds), kind)?)?;
        let write_health = self.store.write_health();
        let is_writable = ConstGauge::new(i64::from(write_health.trouble().is_none()));
        let help = "Whether changes can be saved: 1 if the last attempt succeeded in time";
        let kind = is_writable.metric_type();
        is_writable.encode(encoder.encode_descriptor("keydesk_writable", help, None, kind)?)?;
        let age = write_health.since_success().map_or(f64::INFINITY, |age| age.as_secs_f64());
        let help = "Time since changes could last be saved";
        let age = ConstGauge::new(age);
        let kind = age.metric_type();
        age.encode(encoder.encode_descriptor("keydesk_write_age", help, Some(&Unit::Seconds), kind)?)?;
        let Some(lease) = self.store.primary_watch().and_then(PrimaryWatch::lease_state) else { return Ok(()) };
        let lease = ConstGauge::new(i64::from(lease == LeaseState::Held));
        let help =
            "1 while the server holds a lease on the primary, 0 if it lost it or there is no synchronous standby";
        lease.encode(encoder.encode_descriptor("keydesk_primary_lease", help, None, lease.metric_type())?)
    }
}
