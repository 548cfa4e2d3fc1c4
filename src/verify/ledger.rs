//! The use of keys as it is counted while requests are answered: in memory, one page for each thread that serves, until
//! somebody takes it to write it down.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::ids::KeyId;
use crate::domain::usage::KeyUse;
use crate::store::VerifiableKey;

/// Keys and how they were used.
pub type UsedKeys = HashMap<KeyId, KeyUse>;

/// All pages.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Vec<Page>>>);

/// Where one thread counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Page(Arc<Mutex<UsedKeys>>);

impl Ledger {
    /// A page for one more thread.
    pub(super) fn page(&self) -> Page {
        let page = Page::default();
        lock(&self.0).push(page.clone());
        page
    }

    /// Takes what has been counted; counting begins anew.
    #[must_use]
    pub fn take(&self) -> UsedKeys {
        let mut all = UsedKeys::new();
        for page in &*lock(&self.0) {
            let mut page = lock(&page.0);
            // About as many keys will be in use until the next time.
            let next = UsedKeys::with_capacity(page.len());
            let taken = std::mem::replace(&mut *page, next);
            drop(page);
            add(&mut all, taken);
        }
        all
    }

    /// Puts back what could not be written down.
    pub fn put_back(&self, used: UsedKeys) {
        if let Some(page) = lock(&self.0).first() {
            add(&mut lock(&page.0), used);
        }
    }
}

impl Page {
    pub(super) fn count(&self, key: &VerifiableKey, counted: impl FnOnce(&mut KeyUse)) {
        counted(lock(&self.0).entry(key.id).or_insert_with(|| KeyUse::none(key.company.id)));
    }
}

fn add(to: &mut UsedKeys, used: UsedKeys) {
    if to.is_empty() {
        *to = used;
        return;
    }
    for (id, used) in used {
        match to.entry(id) {
            Entry::Occupied(mut known) => known.get_mut().add(used),
            Entry::Vacant(new) => {
                new.insert(used);
            }
        }
    }
}

/// Each change behind these locks is whole before it can panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;
    use crate::domain::api_key::KeyEnds;
    use crate::domain::ids::{CompanyId, ServiceAccountId};
    use crate::domain::instant::Instant;
    use crate::domain::usage::Presenter;
    use crate::store::Company;

    fn key(n: u8) -> VerifiableKey {
        let now = Instant::from_micros(0);
        VerifiableKey {
            id: KeyId::new(now, &[n; 10]),
            service_account_id: ServiceAccountId::new(now, &[n; 10]),
            service_account: String::new(),
            company: Company { id: CompanyId::new(now, &[0; 10]), name: String::new() },
            created_at: now,
            ends: KeyEnds::default(),
            answer: OnceLock::new(),
        }
    }

    #[test]
    fn what_threads_counted_is_taken_once_and_added_up() {
        let ledger = Ledger::default();
        let accept =
            |page: &Page, n| page.count(&key(n), |used| used.accept(Instant::from_micros(1), Presenter::default()));
        let (one, other) = (ledger.page(), ledger.page());
        accept(&one, 1);
        accept(&other, 1);
        accept(&other, 2);
        let taken = ledger.take();
        assert_eq!((taken[&key(1).id].accepted_count(), taken[&key(2).id].accepted_count()), (2, 1));
        assert!(ledger.take().is_empty());
        accept(&other, 1);
        ledger.put_back(taken);
        assert_eq!(ledger.take()[&key(1).id].accepted_count(), 3);
    }
}
