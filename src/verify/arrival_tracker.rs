//! Tells whether look-ups arrive one at a time or together.

use std::cell::Cell;

/// Counts the look-ups of keys between two batches.
#[derive(Debug)]
pub(super) struct ArrivalTracker {
    since_last_batch: Cell<usize>,
    last_batch_was_single: Cell<bool>,
}

impl Default for ArrivalTracker {
    fn default() -> Self {
        Self { since_last_batch: Cell::new(0), last_batch_was_single: Cell::new(true) }
    }
}

impl ArrivalTracker {
    /// Counts a look-up. Returns whether it is the first since the last batch, and the last batch held one look-up
    /// only: it then reads at once, because a read takes no longer than waiting for a batch. Look-ups that arrive right
    /// after it share the next batch.
    pub(super) fn is_uncontended(&self) -> bool {
        let earlier = self.since_last_batch.replace(self.since_last_batch.get() + 1);
        earlier == 0 && self.last_batch_was_single.get()
    }

    /// Starts a new count, before a batch runs.
    pub(super) fn on_batch(&self) {
        let arrived = self.since_last_batch.replace(0);
        // A batch without key look-ups holds gateway look-ups only.
        if arrived > 0 {
            self.last_batch_was_single.set(arrived == 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_look_ups_that_arrive_alone_are_uncontended() {
        let arrivals = ArrivalTracker::default();
        let arrive = |count: usize| {
            let uncontended: Vec<_> = (0..count).map(|_| arrivals.is_uncontended()).collect();
            arrivals.on_batch();
            uncontended
        };
        assert_eq!([arrive(1), arrive(1)], [[true], [true]]);
        assert_eq!(arrive(3), [true, false, false]);
        assert!(arrive(0).is_empty(), "a batch of gateways");
        assert_eq!(arrive(1), [false], "the last batch was shared");
        assert_eq!(arrive(1), [true]);
    }
}
