//! Decides when the background reader yields its processor before a read.

use std::thread;
use std::time::{Duration, Instant};

/// Yields before a read starts, within a time budget. If all processors are busy, the worker thread runs meanwhile and
/// adds its requests to the batch; each would otherwise need a read of its own, the most expensive part of an answer.
/// On an idle machine a yield returns at once.
#[derive(Default)]
pub(super) struct YieldPolicy {
    not_before: Option<Instant>,
}

impl YieldPolicy {
    /// A yield that took longer gave the processor to a thread that adds hardly any requests.
    const LONG_YIELD: Duration = Duration::from_millis(1);
    /// Long yields take at most this fraction of the time.
    const BUDGET: u32 = 20;

    pub(super) fn yield_to_peers(&mut self) {
        let now = Instant::now();
        if self.is_due(now) {
            thread::yield_now();
            self.record(now, now.elapsed());
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        self.not_before.is_none_or(|not_before| now >= not_before)
    }

    fn record(&mut self, started: Instant, taken: Duration) {
        self.not_before = (taken > Self::LONG_YIELD).then(|| started + Self::BUDGET * taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_yield_is_followed_by_reads_without_a_yield() {
        let (mut policy, started) = (YieldPolicy::default(), Instant::now());
        assert!(policy.is_due(started));
        policy.record(started, Duration::from_micros(300));
        assert!(policy.is_due(started));
        policy.record(started, Duration::from_millis(3));
        assert!(!policy.is_due(started + Duration::from_millis(59)));
        assert!(policy.is_due(started + Duration::from_millis(60)));
    }
}
