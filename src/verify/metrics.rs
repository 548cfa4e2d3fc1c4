//! What is counted of verifications for whoever watches the server.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::Refused;

/// How verifications ended, and how long they took.
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

/// From 50 µs, which a look-up in memory takes, to the two seconds after which nobody waits any longer.
const BUCKETS: [f64; 14] = [5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.5, 1.0, 2.0];

impl Metrics {
    /// Metrics that a registry shows.
    #[must_use]
    pub fn registered(registry: &mut Registry) -> Self {
        let outcomes = Family::<Outcome, Counter>::default();
        let seconds = Histogram::new(BUCKETS);
        registry.register(
            "keydesk_verifications",
            "Questions whether a key is good, by their answer",
            outcomes.clone(),
        );
        registry.register_with_unit(
            "keydesk_verification",
            "Time from a question to its answer",
            Unit::Seconds,
            seconds.clone(),
        );
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

    pub(super) fn count<T>(&self, answer: &Result<T, Refused>, seconds: f64) {
        match answer {
            Ok(_) => &self.accepted,
            Err(Refused::Revoked(_)) => &self.revoked,
            Err(Refused::Expired(_)) => &self.expired,
            Err(Refused::Unknown) => &self.unknown,
            Err(Refused::Malformed) => &self.malformed,
            Err(Refused::Unavailable(_)) => &self.unavailable,
        }
        .inc();
        self.seconds.observe(seconds);
    }
}
