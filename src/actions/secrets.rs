//! Rotates and retires the sets of secrets, and says what hangs on each.

use std::sync::Arc;

use super::authority::Permission;
use super::change::Change;
use super::installation::add_pending;
use super::key_change::{KeyChangeError, record_key_change};
use super::service::Actions;
use crate::domain::client::Client;
use crate::domain::key::lifecycle::{KeyState, RevocationReason};
use crate::domain::secret_set::{SecretSetRecord, SecretSetRecords, SecretSetState};
use crate::domain::text::escape::Quoted;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::ChangedSecrets;
use crate::secrets::{self, MAX_LIVE_SETS, SecretsError};
use crate::store::{Db, KeysOfSet, SecondFactorsOfSet, StoreError, WriteDb};

/// The keys or users of one transaction while a set is retired.
const RETIREMENT_BATCH: i64 = 50;

/// Why the secrets were not rotated or retired.
#[derive(Debug, thiserror::Error)]
pub enum ChangeSecretsError {
    #[error("There is no set {} that is in use. List the sets with: keydesk secrets status", Quoted(.0))]
    UnknownSet(String),
    #[error("The set {0} is active: it is used for all that is new. Add another one first: keydesk secrets rotate")]
    Active(String),
    #[error(
        "The database knows {MAX_LIVE_SETS} sets of secrets that are in use, and look-ups take longer with each. Retire one first: keydesk secrets status lists them."
    )]
    TooMany,
    #[error(transparent)]
    InUse(#[from] SetInUse),
    #[error(transparent)]
    File(#[from] SecretsError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What still hangs on a set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "The set {id} is still needed by {keys} active keys and {second_factors} second factors. Each moves to the active set when it is used. To end those that are left, add --revoke-rest."
)]
pub struct SetInUse {
    pub id: String,
    pub keys: i64,
    pub second_factors: i64,
}

/// What was ended with a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retirement {
    pub revoked_keys: u64,
    pub removed_second_factors: u64,
    /// Users who lost the recovery codes that they had left.
    pub without_recovery_codes: i64,
}

/// A set of secrets, and what hangs on it.
#[derive(Clone, Debug)]
pub struct SecretSetStatus {
    pub record: SecretSetRecord,
    pub state: SecretSetState,
    pub keys: KeysOfSet,
    pub second_factors: SecondFactorsOfSet,
}

impl Actions {
    /// Adds a set of secrets to the file and the database. It becomes active once every server has it. Returns its id.
    /// Another rotation of the same file must not run meanwhile.
    pub fn rotate_secrets(&self) -> Result<String, ChangeSecretsError> {
        let (path, now) = (self.secrets.path(), self.clock.now());
        let records = self.store.query(|db| db.secret_sets().records())?;
        ensure_place(&records)?;
        let is_live = |id: &str| records.get(id).is_none_or(|record| record.retired_at.is_none());
        let (prepared, set) = secrets::prepare_rotation(path, now, is_live)?;
        self.change_secrets(Permission::command_line(), |change| {
            let records = change.tx.secret_sets().records()?;
            ensure_place(&records)?;
            if let Some(first) = records.iter().next() {
                change.tx.secret_sets().name_first(&first.id)?;
            }
            add_pending(change.tx, self.installation, &set, change.now)?;
            Ok::<_, ChangeSecretsError>(Some((set.id().to_owned(), SecretSetState::Pending)))
        })?;
        // The database comes first: a server refuses a set that it does not know.
        prepared.put_in_place(path)?;
        Ok(set.id().to_owned())
    }

    /// Returns the sets that are accepted, the oldest first.
    pub fn secrets_status(&self) -> Result<Vec<SecretSetStatus>, StoreError> {
        let now = self.clock.now();
        self.store.read(|db| secrets_status(db, now))
    }

    /// Ends the use of a set, which must not be active, in the database and in the file. Keys and second factors that hang
    /// on it prevent that, unless they are to be ended as well.
    pub fn retire_secrets(&self, id: &str, ends_rest: bool) -> Result<Retirement, ChangeSecretsError> {
        self.ensure_retirable(&self.store.query(|db| db.secret_sets().records())?, id)?;
        let prepared = secrets::prepare_retirement(self.secrets.path(), id)?;
        let mut retirement = Retirement::default();
        if ends_rest {
            retirement.revoked_keys = self.revoke_keys_of_set(id)?;
            retirement.removed_second_factors = self.remove_second_factors_of_set(id)?;
        }
        self.change_secrets(Permission::command_line(), |change| {
            self.ensure_retirable(&change.tx.secret_sets().records()?, id)?;
            let hanging = hanging_on(change.tx, id, change.now)?;
            if hanging.keys > 0 || hanging.second_factors > 0 {
                return Err(ChangeSecretsError::InUse(hanging));
            }
            retirement.without_recovery_codes = change.tx.secret_sets().second_factors(id)?.with_recovery_codes;
            change.tx.secret_sets().retire(id, change.now)?;
            Ok(Some((id.to_owned(), SecretSetState::Retired)))
        })?;
        if let Some(prepared) = prepared {
            prepared.put_in_place(self.secrets.path())?;
        }
        Ok(retirement)
    }

    /// Activates a pending set, if every running server has it. The caller's server is one of them.
    pub(super) fn activate_secrets(
        &self,
        every_server_has: impl Fn(&mut WriteDb<'_>, &str) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        self.change_secrets(Permission::system(), |change| {
            let records = change.tx.secret_sets().records()?;
            for set in records.pending() {
                if every_server_has(change.tx, &set.id)? {
                    // Never before the last one, whatever the clock says.
                    let last = records.activated_last().and_then(|last| last.activated_at);
                    self.replace_signer(change, &set.id)?;
                    change.tx.secret_sets().activate(&set.id, last.map_or(change.now, |last| last.max(change.now)))?;
                    return Ok(Some((set.id.clone(), SecretSetState::Active)));
                }
            }
            Ok::<_, StoreError>(None)
        })
    }

    /// Changes the sets in a transaction that holds the lock of the installation's trail, and records the set that it
    /// returns with its new state.
    fn change_secrets<E: From<StoreError>>(
        &self,
        permission: Permission,
        work: impl FnOnce(&mut Change<'_, '_>) -> Result<Option<(String, SecretSetState)>, E>,
    ) -> Result<(), E> {
        self.change_with(permission, self.installation.into(), &Client::none(), |change| {
            if let Some((set, state)) = work(change)? {
                let after = ChangedSecrets { set, state: state.as_str().to_owned() };
                let target = EventTarget::Installation(self.installation);
                change.append_event(EventDraft::new(target, EventDetail::SecretsRotated { after }))?;
            }
            Ok(())
        })
    }

    /// Lets the signer of a set sign from now on, in the transaction that activates the set.
    fn replace_signer(&self, change: &mut Change<'_, '_>, set_id: &str) -> Result<(), StoreError> {
        let keyring = self.secrets.keyring();
        let Some(set) = keyring.set(set_id) else { return Ok(()) };
        let (former, next) = (Arc::clone(&change.signer), Arc::clone(&set.signer));
        if former.public_key() == next.public_key() {
            return Ok(());
        }
        record_key_change(change.tx, self.installation, &former, &next).map_err(|error| match error {
            KeyChangeError::Store(error) => error,
            other => StoreError::unexpected(format!("the set of secrets {set_id} cannot sign: {other}")),
        })?;
        change.signer = next;
        Ok(())
    }

    fn ensure_retirable(&self, records: &SecretSetRecords, id: &str) -> Result<(), ChangeSecretsError> {
        let record = records.get(id).filter(|record| record.retired_at.is_none());
        let record = record.ok_or_else(|| ChangeSecretsError::UnknownSet(id.to_owned()))?;
        let active = [records.active(self.clock.now()), records.activated_last()];
        if active.into_iter().flatten().any(|active| active.id == record.id) {
            return Err(ChangeSecretsError::Active(id.to_owned()));
        }
        Ok(())
    }

    /// Revokes the active keys of a set as compromised. Returns how many.
    fn revoke_keys_of_set(&self, set_id: &str) -> Result<u64, StoreError> {
        let mut revoked = 0;
        loop {
            let now = self.clock.now();
            let keys = self.store.query(|db| db.secret_sets().active_keys(set_id, now, RETIREMENT_BATCH))?;
            if keys.is_empty() {
                return Ok(revoked);
            }
            for of_company in keys.chunk_by(|one, other| one.0 == other.0) {
                let company = of_company[0].0;
                let permission = Permission::command_line();
                self.change_with(permission, company.into(), &Client::none(), |change| {
                    for (_, id) in of_company {
                        let key = change.tx.keys().by_id(company, *id)?;
                        if let Some(key) = key.filter(|key| key.state(change.now) == KeyState::Active) {
                            let together = u64::try_from(of_company.len()).unwrap_or(u64::MAX);
                            change.revoke_together(&key, RevocationReason::Compromised, None, together)?;
                            revoked += 1;
                        }
                    }
                    Ok::<_, StoreError>(())
                })?;
            }
        }
    }

    /// Removes the second factors of a set. Returns how many.
    fn remove_second_factors_of_set(&self, set_id: &str) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let users = self.store.query(|db| db.secret_sets().users(set_id, RETIREMENT_BATCH))?;
            if users.is_empty() {
                return Ok(removed);
            }
            for of_company in users.chunk_by(|one, other| one.0 == other.0) {
                let company = of_company[0].0;
                let permission = Permission::command_line();
                self.change_with(permission, company.into(), &Client::none(), |change| {
                    for (_, id) in of_company {
                        // It may have moved to another set meanwhile.
                        let second_factor = change.tx.second_factors().of_user(*id)?;
                        if second_factor.is_some_and(|second_factor| second_factor.set_id == set_id) {
                            change.remove_second_factor(*id)?;
                            removed += 1;
                        }
                    }
                    Ok::<_, StoreError>(())
                })?;
            }
        }
    }
}

fn ensure_place(records: &SecretSetRecords) -> Result<(), ChangeSecretsError> {
    if records.live().count() >= MAX_LIVE_SETS { Err(ChangeSecretsError::TooMany) } else { Ok(()) }
}

fn hanging_on(tx: &mut WriteDb<'_>, id: &str, now: Timestamp) -> Result<SetInUse, StoreError> {
    let keys = tx.secret_sets().keys(now)?.into_iter().find(|keys| keys.set_id == id).map_or(0, |keys| keys.active);
    let second_factors = tx.secret_sets().second_factors(id)?.authenticators;
    Ok(SetInUse { id: id.to_owned(), keys, second_factors })
}

/// Returns the sets that are accepted, the oldest first.
pub fn secrets_status(db: &mut Db<'_>, now: Timestamp) -> Result<Vec<SecretSetStatus>, StoreError> {
    let (records, keys) = (db.secret_sets().records()?, db.secret_sets().keys(now)?);
    let mut sets = Vec::new();
    for record in records.live() {
        let none = || KeysOfSet { set_id: record.id.clone(), active: 0, last_used_at: None };
        sets.push(SecretSetStatus {
            state: records.state(record, now),
            keys: keys.iter().find(|keys| keys.set_id == record.id).cloned().unwrap_or_else(none),
            second_factors: db.secret_sets().second_factors(&record.id)?,
            record: record.clone(),
        });
    }
    Ok(sets)
}
