//! Writes the usage of keys to the database, and reports revoked keys that are still presented.

use std::collections::HashMap;
use std::time::Duration;

use super::authority::Permission;
use super::change::{Change, is_change_paused};
use super::service::Actions;
use crate::domain::client::Client;
use crate::domain::ids::KeyId;
use crate::domain::key::lifecycle::KeyState;
use crate::domain::key::usage::{UsageDelta, hour_of};
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::RefusedKey;
use crate::store::{EndedKey, StoreError, UnreportedRefusals, WriteDb};

/// Keys per transaction: small enough that a revocation does not wait long for the writer.
const KEY_BATCH_SIZE: usize = 200;
const REPORT_BATCH_SIZE: i64 = 200;
const HOURLY_USAGE_RETENTION_HOURS: i64 = 90 * 24;
const DELETE_BATCH_SIZE: i64 = 500;
/// A process records within this time that a revocation was acknowledged, or it has crashed before doing so.
const ACKNOWLEDGEMENT_GRACE: Duration = Duration::from_mins(1);
const MICROS_PER_DAY: i64 = 24 * 3_600_000_000;

impl Actions {
    /// Writes usage counted until `until`, in batches. Returns the usage to write next time, and the error if a batch
    /// failed.
    pub fn record_usage(
        &self,
        used: HashMap<KeyId, UsageDelta>,
        until: Timestamp,
    ) -> (HashMap<KeyId, UsageDelta>, Result<(), StoreError>) {
        let mut result = self.record_acknowledgements();
        let mut left = HashMap::new();
        let mut used: Vec<_> = used.into_iter().collect();
        for (_, used) in &mut used {
            // A client may send a key as its user agent.
            used.clear_clients(|client| self.key_format.is_contained_in(client));
        }
        // Servers that write the same keys lock them in the same order.
        used.sort_unstable_by_key(|(id, _)| *id);
        let mut used = used.into_iter();
        while result.is_ok() {
            let batch: Vec<_> = used.by_ref().take(KEY_BATCH_SIZE).collect();
            if batch.is_empty() {
                break;
            }
            result = match self.write_usage(&batch) {
                // Another server inserted the same hour of a key at the same moment. The row exists now.
                Err(StoreError::Exists) => self.write_usage(&batch),
                other => other,
            }
            .map(|postponed| left.extend(postponed.into_iter().map(|index| batch[index].clone())))
            .inspect_err(|_| left.extend(batch));
        }
        left.extend(used);
        if result.is_ok() && left.is_empty() {
            self.usage.set_recorded_until(until);
        }
        (left, result)
    }

    /// Writes when the revocations made by this process were acknowledged. On an error the next call tries again.
    pub fn record_acknowledgements(&self) -> Result<(), StoreError> {
        let acknowledged = self.usage.take_acknowledgements();
        if acknowledged.is_empty() {
            return Ok(());
        }
        // The latest time at which the database's clock may have been: no other server was late before it.
        let uncertainty = self.clock.uncertainty();
        let written = self.store.write(|tx| {
            acknowledged.iter().try_for_each(|(id, at)| tx.usage().set_revocation_acknowledged(*id, *at + uncertainty))
        });
        if written.is_err() {
            self.usage.restore_acknowledgements(acknowledged);
        }
        written
    }

    /// Writes a batch. Returns the indexes of the keys that were skipped because their end is not known yet.
    fn write_usage(&self, used: &[(KeyId, UsageDelta)]) -> Result<Vec<usize>, StoreError> {
        let ids: Vec<KeyId> = used.iter().map(|(id, _)| *id).collect();
        let uncertainty = self.clock.uncertainty();
        let mut late = 0;
        let postponed = self.store.write(|tx| {
            let now = self.clock.now();
            let ended = tx.usage().ended_keys(&ids, now)?;
            let ended: HashMap<KeyId, EndedKey> = ended.into_iter().map(|key| (key.id, key)).collect();
            let mut postponed = Vec::new();
            for (index, (id, used)) in used.iter().enumerate() {
                match ended.get(id).map(|key| (key, enforced_at(key, now))) {
                    None => tx.usage().add(*id, used)?,
                    Some((_, None)) => postponed.push(index),
                    // A request counts as late only if it was, whatever the clocks of the servers are wrong by.
                    Some((key, Some(end))) => late += add_usage_of_ended_key(tx, key, end + uncertainty, used, now)?,
                }
            }
            Ok::<_, StoreError>(postponed)
        })?;
        self.usage.count_accepted_after_end(u64::try_from(late).unwrap_or(0));
        Ok(postponed)
    }

    /// Records revoked keys that were presented again: at once the first time, then once a day.
    pub fn report_refusals(&self) -> Result<(), StoreError> {
        loop {
            let now = self.clock.now();
            let due = self.store.query(|db| db.usage().unreported_refusals(now, REPORT_BATCH_SIZE))?;
            let mut is_paused = false;
            for refusals in &due {
                let client = Client {
                    address: refusals.last_address.as_deref().and_then(|address| address.parse().ok()),
                    user_agent: refusals.last_client.clone(),
                    request_id: refusals.last_request.clone(),
                };
                let trail = refusals.company_id.into();
                let reported = self.change_with(Permission::system(), trail, &client, |change| {
                    change.report_refusals(refusals.key_id)
                });
                is_paused |= is_change_paused(reported)?;
            }
            if is_paused || i64::try_from(due.len()).unwrap_or(i64::MAX) < REPORT_BATCH_SIZE {
                return Ok(());
            }
        }
    }

    /// Deletes hourly usage older than 90 days.
    pub fn delete_old_usage(&self) -> Result<(), StoreError> {
        let oldest = hour_of(self.clock.now()) - HOURLY_USAGE_RETENTION_HOURS;
        loop {
            let old = self.store.query(|db| db.usage().hours_before(oldest, DELETE_BATCH_SIZE))?;
            if old.is_empty() {
                return Ok(());
            }
            self.store.write(|tx| old.iter().try_for_each(|(key, hour)| tx.usage().delete_hour(*key, *hour)))?;
        }
    }
}

/// Returns the time from which every request with the key must be refused; `None` if it is not known yet. For a
/// revocation this is its acknowledgement: requests that arrive while it is being written are rightly accepted.
fn enforced_at(key: &EndedKey, now: Timestamp) -> Option<Timestamp> {
    let acknowledged = match (key.ends.revoked_at, key.refused_since) {
        (None, _) => None,
        (Some(_), Some(at)) => Some(at),
        (Some(revoked_at), None) if now.since(revoked_at) > ACKNOWLEDGEMENT_GRACE => {
            Some(revoked_at + ACKNOWLEDGEMENT_GRACE)
        }
        (Some(_), None) => return None,
    };
    [key.ends.expires_at, key.ends.overlap_ends_at, acknowledged].into_iter().flatten().min()
}

/// Returns the number of requests that were accepted after the end.
fn add_usage_of_ended_key(
    tx: &mut WriteDb<'_>,
    key: &EndedKey,
    end: Timestamp,
    used: &UsageDelta,
    now: Timestamp,
) -> Result<i64, StoreError> {
    tx.usage().add(key.id, used)?;
    // Only the first and the last request have a time. If only the last is after the end, only that one is certain.
    let accepted_after_end = match used.accepted {
        Some((first, _)) if first >= end => used.accepted_count(),
        Some((_, last)) if last >= end => 1,
        _ => 0,
    };
    if accepted_after_end > 0 {
        tracing::error!(key = %key.id, accepted_after_end, "requests accepted after the key had ended");
        tx.usage().add_accepted_after_end(key.id, accepted_after_end)?;
    }
    if let Some(refusals) = &used.refusals {
        tx.usage().add_refusals(key.id, refusals, key.ends.state(now) == KeyState::Revoked)?;
    }
    Ok(accepted_after_end)
}

impl Change<'_, '_> {
    fn report_refusals(&mut self, id: KeyId) -> Result<(), StoreError> {
        // Another server may have reported them in the meantime.
        let now = self.now;
        let due = self.tx.usage().unreported_refusals_of(id, now)?;
        let Some(UnreportedRefusals { company_id, count, last_at, .. }) = due else { return Ok(()) };
        let Some(key) = self.tx.keys().by_id(company_id, id)? else { return Ok(()) };
        let tomorrow = (now.as_micros().div_euclid(MICROS_PER_DAY) + 1) * MICROS_PER_DAY;
        self.tx.usage().mark_refusals_reported(id, count, Timestamp::from_micros(tomorrow))?;
        let refused = RefusedKey { last_refused_at: last_at, name: key.name, refused: count };
        let detail = EventDetail::ApiKeyRefusedAfterRevocation { after: refused };
        self.append_event(EventDraft::new(EventTarget::ApiKey(id), detail))?;
        Ok(())
    }
}
