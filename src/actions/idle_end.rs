//! Ends keys that were not used for as long as the policy of their company allows.

use std::time::Duration;

use super::authority::Permission;
use super::change::{Change, is_change_paused};
use super::service::Actions;
use crate::domain::client::Client;
use crate::domain::ids::{CompanyId, KeyId};
use crate::domain::key::lifecycle::KeyState;
use crate::domain::policy::key_policy::Days;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::{ExpiredKey, KeyStatus};
use crate::store::StoreError;

/// Each server writes the usage that it counted every few seconds. A day covers a server that could not write for a while.
const UNWRITTEN_USAGE: Duration = Duration::from_hours(24);
/// The rest follows with the next run.
const MAX_ENDS_PER_RUN: i64 = 10_000;

/// A key that was not used since this time is idle.
fn idle_since(now: Timestamp, idle_end: Days) -> Timestamp {
    now - (idle_end.duration() + UNWRITTEN_USAGE)
}

impl Actions {
    /// Ends the idle keys of all companies whose policy says so. A key that was never used counts from its creation, and
    /// one that is being replaced ends with its overlap.
    pub fn end_idle_keys(&self) -> Result<(), StoreError> {
        for (company_id, idle_end) in self.store.query(|db| db.companies().with_idle_end())? {
            let now = self.clock.now();
            let since = idle_since(now, idle_end);
            let idle = self.store.query(|db| db.keys().idle(company_id, None, since, now, MAX_ENDS_PER_RUN))?;
            for id in idle {
                let ended = self.change_with(Permission::system(), company_id.into(), &Client::none(), |change| {
                    change.end_idle(company_id, id)
                });
                if is_change_paused(ended)? {
                    break;
                }
            }
        }
        Ok(())
    }
}

impl Change<'_, '_> {
    /// Ends a key if it is still idle under the current policy.
    fn end_idle(&mut self, company_id: CompanyId, id: KeyId) -> Result<(), StoreError> {
        let Some(idle_end) = self.tx.companies().settings(company_id)?.key_policy.idle_end else { return Ok(()) };
        let since = idle_since(self.now, idle_end);
        if self.tx.keys().idle(company_id, Some(id), since, self.now, 1)?.is_empty() {
            return Ok(());
        }
        let Some(key) = self.tx.keys().by_id(company_id, id)? else { return Ok(()) };
        self.tx.keys().expire(company_id, id, self.now)?;
        let detail = EventDetail::ApiKeyExpired {
            before: KeyStatus { name: key.name.clone(), state: KeyState::Active },
            after: ExpiredKey {
                ended_at: self.now,
                idle_days: Some(idle_end.count()),
                name: key.name,
                state: KeyState::Expired,
            },
        };
        self.append_event(EventDraft::new(EventTarget::ApiKey(id), detail))?;
        Ok(())
    }
}
