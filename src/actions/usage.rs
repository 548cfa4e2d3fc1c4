//! The use of keys, written down every few seconds; and what the trail says of keys that are presented after their end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::{Actions, Change};
use crate::domain::action::Action;
use crate::domain::api_key::KeyState;
use crate::domain::event::{Happening, Origin, Target};
use crate::domain::ids::KeyId;
use crate::domain::instant::Instant;
use crate::domain::usage::{KeyUse, hour_of};
use crate::store::{EndedKey, StoreError, Transaction, UnreportedRefusals};

/// So many keys are written down in one transaction, so that nobody who revokes one has to wait.
const KEYS_AT_A_TIME: usize = 200;
const REPORTS_AT_A_TIME: i64 = 200;
const HOURS_KEPT: i64 = 90 * 24;
const HOURS_FORGOTTEN_AT_A_TIME: i64 = 500;
/// Whoever revoked a key notes this soon that it was acknowledged; whoever did not, has ended without doing so.
const LATEST_NOTE: Duration = Duration::from_mins(1);
const A_DAY: i64 = 24 * 3_600_000_000;

/// What this process knows of the use of keys beside what it has written down.
#[derive(Clone, Debug, Default)]
pub struct UsageNotes(Arc<Notes>);

#[derive(Debug, Default)]
struct Notes {
    acknowledged: Mutex<Vec<(KeyId, Instant)>>,
    recorded_until: AtomicI64,
}

impl UsageNotes {
    /// Everything that was counted here until then is written down; `None` before the first time.
    #[must_use]
    pub fn recorded_until(&self) -> Option<Instant> {
        Some(self.0.recorded_until.load(Ordering::Relaxed)).filter(|at| *at != 0).map(Instant::from_micros)
    }

    /// Revocations that were acknowledged here, to be noted beside the keys' use: a request that arrived later and was
    /// accepted all the same would be found by it.
    pub(super) fn acknowledged(&self, keys: impl IntoIterator<Item = KeyId>, at: Instant) {
        self.lock().extend(keys.into_iter().map(|key| (key, at)));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(KeyId, Instant)>> {
        self.0.acknowledged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Actions {
    /// Writes down how keys were used until then, a few at a time; answers what has to wait for the next time, and why,
    /// where something failed.
    pub fn record_usage(
        &self,
        used: HashMap<KeyId, KeyUse>,
        until: Instant,
    ) -> (HashMap<KeyId, KeyUse>, Result<(), StoreError>) {
        let noted = self.note_acknowledged();
        let mut left = HashMap::new();
        let mut used: Vec<_> = used.into_iter().collect();
        for (_, used) in &mut used {
            // A program may have put a key where its name belongs.
            used.leave_out_clients(|client| self.key_format.occurs_in(client));
        }
        // Several servers that write the same keys must take them in the same order.
        used.sort_unstable_by_key(|(id, _)| *id);
        let mut used = used.into_iter();
        let mut done = noted;
        while done.is_ok() {
            let chunk: Vec<_> = used.by_ref().take(KEYS_AT_A_TIME).collect();
            if chunk.is_empty() {
                break;
            }
            done = match self.write_usage(&chunk) {
                // Another server began the same hour of a key at the same moment: it is there now.
                Err(StoreError::Exists) => self.write_usage(&chunk),
                other => other,
            }
            .map(|waiting| left.extend(waiting.into_iter().map(|place| chunk[place].clone())))
            .inspect_err(|_| left.extend(chunk));
        }
        left.extend(used);
        if done.is_ok() && left.is_empty() {
            self.usage.0.recorded_until.store(until.as_micros(), Ordering::Relaxed);
        }
        (left, done)
    }

    /// Notes when revocations were acknowledged that this process made.
    ///
    /// # Errors
    /// [`StoreError`]; then they are noted the next time.
    pub fn note_acknowledged(&self) -> Result<(), StoreError> {
        let acknowledged = std::mem::take(&mut *self.usage.lock());
        if acknowledged.is_empty() {
            return Ok(());
        }
        let noted = self
            .store
            .write(|transaction| acknowledged.iter().try_for_each(|(id, at)| transaction.set_refused_since(*id, *at)));
        if noted.is_err() {
            self.usage.lock().extend(acknowledged);
        }
        noted
    }

    /// Answers the places of those that cannot be judged yet, and so were not written.
    fn write_usage(&self, used: &[(KeyId, KeyUse)]) -> Result<Vec<usize>, StoreError> {
        let ids: Vec<KeyId> = used.iter().map(|(id, _)| *id).collect();
        self.store.write(|transaction| {
            let now = self.clock.now();
            let ended = transaction.ended_keys(&ids, now)?;
            let ended: HashMap<KeyId, EndedKey> = ended.into_iter().map(|key| (key.id, key)).collect();
            let mut waiting = Vec::new();
            for (place, (id, used)) in used.iter().enumerate() {
                match ended.get(id).map(|key| (key, refused_from(key, now))) {
                    None => transaction.add_key_use(*id, used)?,
                    Some((_, None)) => waiting.push(place),
                    Some((key, Some(end))) => add_use_of_ended_key(transaction, key, end, used, now)?,
                }
            }
            Ok(waiting)
        })
    }

    /// Tells the trail of revoked keys that were presented again: at once the first time, then once for each day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn report_refusals(&self) -> Result<(), StoreError> {
        loop {
            let now = self.clock.now();
            let due = self.store.ask(|questions| questions.refusals_to_report(now, REPORTS_AT_A_TIME))?;
            for refusals in &due {
                let origin = Origin {
                    client_address: refusals.last_address.clone(),
                    user_agent: refusals.last_client.clone(),
                    request_id: refusals.last_request.clone(),
                    ..Origin::system()
                };
                self.change(refusals.company_id.into(), &origin, |change| change.report(refusals.key_id))?;
            }
            if i64::try_from(due.len()).unwrap_or(i64::MAX) < REPORTS_AT_A_TIME {
                return Ok(());
            }
        }
    }

    /// Forgets hours of use that are older than 90 days.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget_old_usage(&self) -> Result<(), StoreError> {
        let oldest = hour_of(self.clock.now()) - HOURS_KEPT;
        loop {
            let old = self.store.ask(|questions| questions.hours_of_use_before(oldest, HOURS_FORGOTTEN_AT_A_TIME))?;
            if old.is_empty() {
                return Ok(());
            }
            self.store.write(|transaction| {
                old.iter().try_for_each(|(key, hour)| transaction.forget_hour_of_use(key, *hour))
            })?;
        }
    }
}

/// From when on every request with a key must have been refused. A revocation's own instant is too early for that:
/// requests that came while it was being written were rightly accepted. `None` where whoever revoked it has not said yet.
fn refused_from(key: &EndedKey, now: Instant) -> Option<Instant> {
    let acknowledged = match (key.ends.revoked_at, key.refused_since) {
        (None, _) => None,
        (Some(_), Some(at)) => Some(at),
        (Some(revoked_at), None) if now.since(revoked_at) > LATEST_NOTE => Some(revoked_at + LATEST_NOTE),
        (Some(_), None) => return None,
    };
    [key.ends.expires_at, key.ends.overlap_ends_at, acknowledged].into_iter().flatten().min()
}

fn add_use_of_ended_key(
    transaction: &mut Transaction<'_>,
    key: &EndedKey,
    end: Instant,
    used: &KeyUse,
    now: Instant,
) -> Result<(), StoreError> {
    transaction.add_key_use(key.id, used)?;
    // What lies between the first and the last is not known one by one: the last alone is certain then.
    let accepted_after_end = match used.accepted {
        Some((first, _)) if first >= end => used.accepted_count(),
        Some((_, last)) if last >= end => 1,
        _ => 0,
    };
    if accepted_after_end > 0 {
        tracing::error!(key = %key.id, accepted_after_end, "requests were accepted after their key had ended");
        transaction.add_accepted_after_end(key.id, accepted_after_end)?;
    }
    match &used.refusals {
        None => Ok(()),
        Some(refusals) => transaction.add_refusals(key.id, refusals, key.ends.state(now) == KeyState::Revoked),
    }
}

impl Change<'_, '_> {
    fn report(&mut self, id: KeyId) -> Result<(), StoreError> {
        // Another server may have been faster.
        let now = self.now;
        let due = self.refusals_to_report_of(id, now)?;
        let Some(UnreportedRefusals { company_id, count, last_at, .. }) = due else { return Ok(()) };
        let Some(key) = self.key_of(company_id, id)? else { return Ok(()) };
        let tomorrow = (now.as_micros().div_euclid(A_DAY) + 1) * A_DAY;
        self.set_refusals_reported(id, count, Instant::from_micros(tomorrow))?;
        self.record(Happening {
            after: Some(json!({
                "name": key.name,
                "refused": count,
                "last_refused_at": last_at.map(Instant::as_micros),
            })),
            ..Happening::new(Action::ApiKeyRefusedAfterRevocation, Target::ApiKey(id))
        })?;
        Ok(())
    }
}
