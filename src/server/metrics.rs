//! Metrics of the server itself, which are read when they are asked for.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::checkpoint_memory::CheckpointMemory;
use crate::clock::Clock;
use crate::store;

/// The wal-index, the clock and the remembered trails.
#[derive(Debug)]
pub(super) struct ServerMetrics {
    pub(super) clock: Clock,
    pub(super) memory: CheckpointMemory,
}

impl Collector for ServerMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let contradictions = ConstCounter::new(store::wal_index_contradictions());
        let help = "Times that SQLite's wal-index did not follow the database";
        let name = "keydesk_wal_index_contradictions";
        contradictions.encode(encoder.encode_descriptor(name, help, None, contradictions.metric_type())?)?;
        let shortened = ConstGauge::new(i64::try_from(self.memory.shortfalls().len()).unwrap_or(i64::MAX));
        let help = "Audit trails that lack events which the server remembers";
        let kind = shortened.metric_type();
        shortened.encode(encoder.encode_descriptor("keydesk_shortened_trails", help, None, kind)?)?;
        let offset = ConstGauge::new(self.clock.offset_seconds().unwrap_or_default());
        let help = "The system's clock minus the database's";
        let kind = offset.metric_type();
        offset.encode(encoder.encode_descriptor("keydesk_clock_offset", help, Some(&Unit::Seconds), kind)?)
    }
}
