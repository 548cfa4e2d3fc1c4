//! Prometheus metrics of verification.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::error::VerifyError;

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

impl Metrics {
    /// Registers the metrics.
    #[must_use]
    pub fn registered(registry: &mut Registry) -> Self {
        let outcomes = Family::<Outcome, Counter>::default();
        let seconds = Histogram::new(BUCKETS);
        registry.register("keydesk_verifications", "Verifications of API keys, by outcome", outcomes.clone());
        registry.register_with_unit(
            "keydesk_verification",
            "Time to verify an API key",
            Unit::Seconds,
            seconds.clone(),
        );
        let counter = |outcome| outcomes.get_or_create(&Outcome { outcome }).clone();
        let revoked = counter("revoked");
        registry.register(
            "keydesk_refused_after_revocation",
            "Requests refused because the API key is revoked",
            revoked.clone(),
        );
        Self {
            accepted: counter("accepted"),
            revoked,
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
