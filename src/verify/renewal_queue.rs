//! Accepted keys whose digest is to be computed under the active pepper, until the server writes the new digests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::ids::KeyId;
use crate::domain::key::digest::DigestRenewal;

/// A key that finds no place requests its renewal with its next use.
const MAX_PENDING: usize = 10_000;

/// The pending renewals of all worker threads, by key. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct RenewalQueue(Arc<Mutex<HashMap<KeyId, DigestRenewal>>>);

impl RenewalQueue {
    /// Adds a renewal. Returns whether there is a place for it.
    pub(super) fn push(&self, renewal: DigestRenewal) -> bool {
        let mut pending = self.lock();
        let has_place = pending.len() < MAX_PENDING || pending.contains_key(&renewal.key_id);
        if has_place {
            pending.insert(renewal.key_id, renewal);
        }
        has_place
    }

    /// Removes and returns all renewals.
    #[must_use]
    pub fn take(&self) -> Vec<DigestRenewal> {
        std::mem::take(&mut *self.lock()).into_values().collect()
    }

    /// Adds renewals that could not be written, for the next [`take`](Self::take).
    pub fn put_back(&self, renewals: impl IntoIterator<Item = DigestRenewal>) {
        let mut pending = self.lock();
        for renewal in renewals {
            pending.entry(renewal.key_id).or_insert(renewal);
        }
    }

    /// Ignores poisoning: each change behind the lock is complete before it can panic.
    fn lock(&self) -> MutexGuard<'_, HashMap<KeyId, DigestRenewal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::CompanyId;
    use crate::domain::key::digest::KeyDigest;
    use crate::domain::timestamp::Timestamp;

    fn renewal(n: usize) -> DigestRenewal {
        let mut seed = [0; 10];
        seed[..8].copy_from_slice(&n.to_be_bytes());
        let digest = KeyDigest::from_stored(&[7; 32]).unwrap();
        DigestRenewal {
            company_id: CompanyId::new(Timestamp::from_micros(0), &[0; 10]),
            key_id: KeyId::new(Timestamp::from_micros(0), &seed),
            old: digest,
            new: digest,
            pepper_id: "p".to_owned(),
        }
    }

    #[test]
    fn the_queue_is_bounded_and_holds_each_key_once() {
        let queue = RenewalQueue::default();
        assert!((0..MAX_PENDING).all(|n| queue.push(renewal(n))));
        assert!(queue.push(renewal(0)) && !queue.push(renewal(MAX_PENDING)));
        let taken = queue.take();
        assert_eq!((taken.len(), queue.take().len()), (MAX_PENDING, 0));
        queue.put_back(taken.into_iter().take(3));
        assert_eq!(queue.take().len(), 3);
    }
}
