//! Stores keys that were used under the active pepper, so that former ones can be retired.

use std::time::Duration;

use super::authority::Permission;
use super::change::{Change, is_change_paused};
use super::service::Actions;
use crate::domain::client::Client;
use crate::domain::key::digest::{DigestFingerprint, DigestRenewal};
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::RenewedDigest;
use crate::store::StoreError;

/// The keys of one transaction, which holds the lock of the company's trail.
const RENEWAL_BATCH: usize = 50;
/// The pause after a transaction, in which others take the lock.
const PAUSE: Duration = Duration::from_millis(20);

impl Actions {
    /// Replaces the digests of keys in short transactions, each with its event. Returns the renewals that could not be
    /// written.
    pub fn renew_digests(&self, mut renewals: Vec<DigestRenewal>) -> (Vec<DigestRenewal>, Result<(), StoreError>) {
        let active = self.secrets.active();
        // After another rotation, the next use of a key requests its renewal again.
        renewals.retain(|renewal| renewal.pepper_id == active.id());
        renewals.sort_by_key(|renewal| (renewal.company_id, renewal.key_id));
        let mut written = 0;
        let mut paused = Vec::new();
        for of_company in renewals.chunk_by(|one, other| one.company_id == other.company_id) {
            for batch in of_company.chunks(RENEWAL_BATCH) {
                if written > 0 {
                    std::thread::sleep(PAUSE);
                }
                match is_change_paused(self.renew_batch(batch)) {
                    Ok(false) => {}
                    Ok(true) => paused.extend_from_slice(batch),
                    Err(error) => {
                        paused.extend_from_slice(&renewals[written..]);
                        return (paused, Err(error));
                    }
                }
                written += batch.len();
            }
        }
        (paused, Ok(()))
    }

    /// Renews keys of one company.
    fn renew_batch(&self, batch: &[DigestRenewal]) -> Result<(), StoreError> {
        let Some(first) = batch.first() else { return Ok(()) };
        self.change_with(Permission::system(), first.company_id.into(), &Client::none(), |change| {
            let taken = change.tx.keys().stored_digests(batch.iter().map(|renewal| renewal.new))?;
            // A key that was imported again has a second row, which is the one that counts from now on.
            batch.iter().filter(|renewal| !taken.contains(&renewal.new)).try_for_each(|renewal| change.renew(renewal))
        })
    }
}

impl Change<'_, '_> {
    fn renew(&mut self, renewal: &DigestRenewal) -> Result<(), StoreError> {
        // Another server may have renewed it, and a revoked key is not used any more.
        if !self.tx.keys().renew_digest(renewal)? {
            return Ok(());
        }
        let Some(key) = self.tx.keys().by_id(renewal.company_id, renewal.key_id)? else { return Ok(()) };
        let after = RenewedDigest {
            digest_fingerprint: DigestFingerprint::of(renewal.new.as_bytes()),
            name: key.name,
            pepper_id: renewal.pepper_id.clone(),
        };
        let detail = EventDetail::ApiKeyDigestRenewed { after };
        self.append_event(EventDraft::new(EventTarget::ApiKey(renewal.key_id), detail)).map(drop)
    }
}
