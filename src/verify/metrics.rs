//! Prometheus metrics of verification.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::error::VerifyError;
use crate::clock::Clock;
use crate::store;

/// The number of verifications by outcome, and their duration.
#[derive(Clone, Debug)]
pub struct Metrics {
    accepted: Counter,
    revoked: Counter,
    expired: Counter,
    unknown: Counter,
    malformed: Counter,
    unavailable: Counter,
    seconds: Histogram,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// From 50 µs, the time of a look-up in memory, to the look-up timeout of 2 s.
const BUCKETS: [f64; 14] = [5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.5, 1.0, 2.0];

/// Metrics that are read from the store when they are asked for.
#[derive(Debug)]
struct StoreMetrics(Clock);

impl Collector for StoreMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let contradictions = ConstCounter::new(store::wal_index_contradictions());
        let help = "Times that SQLite's wal-index did not follow the database";
        let name = "keydesk_wal_index_contradictions";
        contradictions.encode(encoder.encode_descriptor(name, help, None, contradictions.metric_type())?)?;
        let offset = ConstGauge::new(self.0.offset_seconds().unwrap_or_default());
        let help = "The system's clock minus the database's";
        let kind = offset.metric_type();
        offset.encode(encoder.encode_descriptor("keydesk_clock_offset", help, Some(&Unit::Seconds), kind)?)
    }
}

impl Metrics {
    /// Registers the metrics.
    #[must_use]
    pub fn registered(registry: &mut Registry, clock: &Clock) -> Self {
        let outcomes = Family::<Outcome, Counter>::default();
        let seconds = Histogram::new(BUCKETS);
        registry.register("keydesk_verifications", "Verifications of API keys, by outcome", outcomes.clone());
        registry.register_with_unit(
            "keydesk_verification",
            "Time to verify an API key",
            Unit::Seconds,
            seconds.clone(),
        );
        registry.register_collector(Box::new(StoreMetrics(clock.clone())));
        let counter = |outcome| outcomes.get_or_create(&Outcome { outcome }).clone();
        Self {
            accepted: counter("accepted"),
            revoked: counter("revoked"),
            expired: counter("expired"),
            unknown: counter("unknown"),
            malformed: counter("malformed"),
            unavailable: counter("unavailable"),
            seconds,
        }
    }

    pub(super) fn count<T>(&self, outcome: &Result<T, VerifyError>, seconds: f64) {
        match outcome {
            Ok(_) => &self.accepted,
            Err(VerifyError::Revoked(_)) => &self.revoked,
            Err(VerifyError::Expired(_)) => &self.expired,
            Err(VerifyError::Unknown) => &self.unknown,
            Err(VerifyError::Malformed) => &self.malformed,
            Err(VerifyError::Unavailable(_)) => &self.unavailable,
        }
        .inc();
        self.seconds.observe(seconds);
    }
}
