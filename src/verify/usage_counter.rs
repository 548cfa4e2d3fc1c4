//! Counts the use of keys in memory, in one shard per worker thread, until the server writes the counts to the
//! database.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::ids::KeyId;
use crate::domain::key::usage::UsageDelta;
use crate::store::KeyForVerification;

/// Usage not yet written, by key.
pub type UsageDeltas = HashMap<KeyId, UsageDelta>;

/// The shards of all worker threads.
#[derive(Clone, Debug, Default)]
pub struct UsageCounter(Arc<Mutex<Vec<UsageShard>>>);

/// The counts of one worker thread.
#[derive(Clone, Debug, Default)]
pub(super) struct UsageShard(Arc<Mutex<UsageDeltas>>);

impl UsageCounter {
    /// Adds a shard for one more thread.
    pub(super) fn add_shard(&self) -> UsageShard {
        let shard = UsageShard::default();
        lock(&self.0).push(shard.clone());
        shard
    }

    /// Removes and returns all counts.
    #[must_use]
    pub fn take(&self) -> UsageDeltas {
        let mut all = UsageDeltas::new();
        for shard in &*lock(&self.0) {
            let mut shard = lock(&shard.0);
            // About as many keys will be in use until the next call.
            let next = UsageDeltas::with_capacity(shard.len());
            let taken = std::mem::replace(&mut *shard, next);
            drop(shard);
            merge(&mut all, taken);
        }
        all
    }

    /// Adds counts that could not be written, for the next [`take`](Self::take).
    pub fn merge_back(&self, deltas: UsageDeltas) {
        if let Some(shard) = lock(&self.0).first() {
            merge(&mut lock(&shard.0), deltas);
        }
    }
}

impl UsageShard {
    pub(super) fn update(&self, key: &KeyForVerification, update: impl FnOnce(&mut UsageDelta)) {
        update(lock(&self.0).entry(key.id).or_insert_with(|| UsageDelta::new(key.company.id)));
    }
}

fn merge(into: &mut UsageDeltas, deltas: UsageDeltas) {
    if into.is_empty() {
        *into = deltas;
        return;
    }
    for (id, delta) in deltas {
        match into.entry(id) {
            Entry::Occupied(mut known) => known.get_mut().merge(delta),
            Entry::Vacant(new) => {
                new.insert(delta);
            }
        }
    }
}

/// Ignores poisoning: each change behind these locks is complete before it can panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;
    use crate::domain::ids::{CompanyId, ServiceAccountId};
    use crate::domain::key::digest::KeyDigest;
    use crate::domain::key::lifecycle::KeyEnds;
    use crate::domain::key::usage::RequestSource;
    use crate::domain::timestamp::Timestamp;
    use crate::store::{Company, RenewalMark};

    fn key(n: u8) -> KeyForVerification {
        let now = Timestamp::from_micros(0);
        KeyForVerification {
            id: KeyId::new(now, &[n; 10]),
            service_account_id: ServiceAccountId::new(now, &[n; 10]),
            service_account: String::new(),
            company: Company { id: CompanyId::new(now, &[0; 10]), name: String::new() },
            created_at: now,
            ends: KeyEnds::default(),
            digest: KeyDigest::from_stored(&[n; 32]).unwrap(),
            renewal: RenewalMark::default(),
            answer: OnceLock::new(),
        }
    }

    #[test]
    fn counts_of_all_threads_are_added_up_and_taken_once() {
        let counter = UsageCounter::default();
        let accept = |shard: &UsageShard, n| {
            shard.update(&key(n), |delta| delta.count_accepted(Timestamp::from_micros(1), RequestSource::default()));
        };
        let (one, other) = (counter.add_shard(), counter.add_shard());
        accept(&one, 1);
        accept(&other, 1);
        accept(&other, 2);
        let taken = counter.take();
        assert_eq!((taken[&key(1).id].accepted_count(), taken[&key(2).id].accepted_count()), (2, 1));
        assert!(counter.take().is_empty());
        accept(&other, 1);
        counter.merge_back(taken);
        assert_eq!(counter.take()[&key(1).id].accepted_count(), 3);
    }
}
