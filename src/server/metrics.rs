//! Metrics of the server itself. A scrape reads counters and numbers in memory, and waits for no database.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

#[cfg(target_os = "linux")]
use super::process_metrics;
use super::sampler::Sampler;
use super::wal_watch::WalWatch;
use crate::build_info;
use crate::checkpoint_memory::CheckpointMemory;
use crate::clock::Clock;
use crate::domain::timestamp::Timestamp;
use crate::http::request_counts::RequestCounts;
use crate::http::unlisted_proxy::UnlistedProxy;
use crate::store::{self, LeaseState, PrimaryWatch, Store};

/// What the metrics are read from.
#[derive(Debug)]
pub(super) struct ServerMetrics {
    pub(super) clock: Clock,
    pub(super) started: Timestamp,
    pub(super) store: Store,
    pub(super) memory: CheckpointMemory,
    pub(super) sampler: Sampler,
    pub(super) wal_watch: WalWatch,
    pub(super) request_counts: Arc<RequestCounts>,
    pub(super) unlisted_proxy: Arc<UnlistedProxy>,
}

impl ServerMetrics {
    /// Registers the metrics.
    pub(super) fn register(self, dropped_log_lines: Counter, registry: &mut Registry) {
        let build = Info::new([("version", build_info::VERSION), ("commit", build_info::COMMIT)]);
        registry.register("keydesk_build", "The version of Keydesk, and the commit that it was built from", build);
        registry.register(
            "keydesk_log_lines_dropped",
            "Lines of the log that were dropped, because its reader was too slow or absent",
            dropped_log_lines,
        );
        self.store.register(registry);
        registry.register_collector(Box::new(self));
    }

    fn encode_requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "HTTP responses, by class of route and status";
        let kind = ConstCounter::new(0_u64).metric_type();
        let mut family = encoder.encode_descriptor("keydesk_http_requests", help, None, kind)?;
        for (class, status, count) in self.request_counts.counted() {
            let labels = [("class", class.as_str().to_owned()), ("status", status.to_string())];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// Only if there is one, as its address is a label.
    fn encode_unlisted_proxy(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Some((peer, age)) = self.unlisted_proxy.last() else { return Ok(()) };
        let seen_at = ConstGauge::new((self.clock.now() - age).as_seconds());
        let help = "When a peer that is not a trusted proxy last sent X-Forwarded-For, in seconds since 1970";
        let name = "keydesk_unlisted_proxy_timestamp";
        let mut family = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), seen_at.metric_type())?;
        seen_at.encode(family.encode_family(&[("address", peer.to_string())])?)
    }

    fn encode_store(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        counter(
            encoder,
            "keydesk_store_errors",
            "Failures of the database: it could not be reached or gave an unexpected answer",
            store::store_errors(),
        )?;
        counter(
            encoder,
            "keydesk_wal_index_contradictions",
            "Times that SQLite's wal-index did not follow the database",
            store::wal_index_contradictions(),
        )?;
        let open = self.store.connections();
        let states = [("idle", open.idle), ("in_use", open.in_use), ("unopened", open.unopened)];
        let states = states.map(|(state, count)| (state, i64::from(count)));
        gauges(encoder, "keydesk_store_connections", "Connections to the database, by state", "state", &states)?;
        if let Some(bytes) = self.wal_watch.bytes() {
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            gauge(encoder, "keydesk_wal", "The size of SQLite's write-ahead log", Some(&Unit::Bytes), bytes)?;
        }
        Ok(())
    }

    fn encode_writes(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let health = self.store.write_health();
        let help = "Whether changes can be saved: 1 if the last attempt succeeded in time";
        gauge(encoder, "keydesk_writable", help, None, i64::from(health.trouble().is_none()))?;
        let age = health.since_success().map_or(f64::INFINITY, |age| age.as_secs_f64());
        gauge(encoder, "keydesk_write_age", "Time since changes could last be saved", Some(&Unit::Seconds), age)?;
        let Some(lease) = self.store.primary_watch().and_then(PrimaryWatch::lease_state) else { return Ok(()) };
        let help =
            "1 while the server holds a lease on the primary, 0 if it lost it or there is no synchronous standby";
        gauge(encoder, "keydesk_primary_lease", help, None, i64::from(lease == LeaseState::Held))
    }

    fn encode_memory(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let shortened = i64::try_from(self.memory.shortfalls().len()).unwrap_or(i64::MAX);
        let help = "Audit trails that lack events which the server remembers";
        gauge(encoder, "keydesk_shortened_trails", help, None, shortened)
    }

    fn encode_sample(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Some(sample) = self.sampler.last() else { return Ok(()) };
        gauge(encoder, "keydesk_trail_events", "Events in all audit trails", None, sample.trail_events)?;
        gauge(encoder, "keydesk_sessions", "Sessions of users that have not expired", None, sample.sessions)?;
        let keys = sample.keys;
        let states = [("active", keys.active), ("revoked", keys.revoked), ("expired", keys.expired)];
        gauges(encoder, "keydesk_keys", "API keys, by state", "state", &states)?;
        let help = "Active API keys that expire within seven days";
        gauge(encoder, "keydesk_keys_expiring_7d", help, None, sample.keys_expiring)?;
        if !self.store.is_remote() {
            let age = |began| self.clock.now().since(began).as_secs_f64();
            let age = sample.last_backup.map_or(f64::INFINITY, age);
            let help =
                "Time since the last keydesk backup of the database began that completed; infinite if there was none";
            gauge(encoder, "keydesk_backup_age", help, Some(&Unit::Seconds), age)?;
        }
        if self.sampler.witnesses.iter().next().is_some() {
            let age = sample.unwitnessed_since.map_or(0.0, |since| self.clock.now().since(since).as_secs_f64());
            let help = "The age of the oldest event that a witness has no checkpoint of";
            gauge(encoder, "keydesk_checkpoint_unwitnessed", help, Some(&Unit::Seconds), age)?;
        }
        Ok(())
    }

    #[cfg(target_os = "linux")]
    fn encode_process(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        for metric in process_metrics::measure() {
            gauge(encoder, metric.name, metric.help, None, metric.value)?;
        }
        if let Some(seconds) = process_metrics::cpu_seconds() {
            let counter = ConstCounter::new(seconds);
            let help = "Time that the process has used processors";
            let kind = counter.metric_type();
            counter.encode(encoder.encode_descriptor("process_cpu", help, Some(&Unit::Seconds), kind)?)?;
        }
        let help = "When the process started, in seconds since 1970";
        gauge(encoder, "process_start_time", help, Some(&Unit::Seconds), self.started.as_seconds())
    }

    #[cfg(not(target_os = "linux"))]
    fn encode_process(&self, _: &mut DescriptorEncoder<'_>) -> fmt::Result {
        Ok(())
    }
}

impl Collector for ServerMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_requests(&mut encoder)?;
        self.encode_unlisted_proxy(&mut encoder)?;
        self.encode_store(&mut encoder)?;
        self.encode_writes(&mut encoder)?;
        self.encode_memory(&mut encoder)?;
        self.encode_sample(&mut encoder)?;
        let offset = self.clock.offset_seconds().unwrap_or_default();
        let help = "The system's clock minus the database's";
        gauge(&mut encoder, "keydesk_clock_offset", help, Some(&Unit::Seconds), offset)?;
        self.encode_process(&mut encoder)
    }
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let counter = ConstCounter::new(value);
    counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
}

fn gauge<N>(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, unit: Option<&Unit>, value: N) -> fmt::Result
where
    ConstGauge<N>: EncodeMetric,
{
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, unit, gauge.metric_type())?)
}

/// Encodes a gauge for each value of a label.
fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    values: &[(&str, i64)],
) -> fmt::Result {
    let kind = ConstGauge::new(0_i64).metric_type();
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    for (word, value) in values {
        ConstGauge::new(*value).encode(family.encode_family(&[(label, *word)])?)?;
    }
    Ok(())
}
