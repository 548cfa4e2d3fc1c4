//! Imports the keys of another system: all of them or none.

use std::collections::{HashMap, HashSet};

use super::authority::{Denied, RequestContext};
use super::change::Change;
use super::keys::event_value;
use super::service::Actions;
use crate::domain::ids::{CompanyId, KeyId, ServiceAccountId, UserId};
use crate::domain::key::api_key::Preview;
use crate::domain::key::digest::{DigestKind, KeyDigest, PresentedDigests};
use crate::domain::policy::key_policy::{ExpiryError, RequestedExpiry};
use crate::domain::text::escape::Quoted;
use crate::domain::text::name::ServiceAccountName;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values;
use crate::random;
use crate::store::{Db, NewKeyRecord, StoreError};

/// The most keys of one import. It holds the company's trail, on SQLite the write lock, until all are stored.
pub const MAX_IMPORTED_KEYS: usize = 100_000;
/// The keys that one statement reads or inserts. PostgreSQL takes 65,535 values, and an event has 18.
const BATCH_SIZE: usize = 1_000;

/// A key of another system, to be imported.
#[derive(Clone, Debug)]
pub struct ImportedKey {
    /// The name of the service account.
    pub name: ServiceAccountName,
    /// The digests under which the key may be stored. It is stored under the one of its kind.
    pub digests: PresentedDigests,
    pub digest_kind: DigestKind,
    /// The pepper of the digest to store.
    pub pepper_id: String,
    pub preview: Preview,
    pub expiry: RequestedExpiry,
    pub owner: UserId,
}

impl ImportedKey {
    /// The digest to store.
    const fn digest(&self) -> KeyDigest {
        match self.digest_kind {
            DigestKind::Key => self.digests.current.of_key,
            DigestKind::Sha256 => self.digests.current.of_sha256,
        }
    }

    fn all_digests(&self) -> impl Iterator<Item = KeyDigest> {
        self.digests.pairs().flat_map(|pair| [pair.of_key, pair.of_sha256])
    }
}

/// Why a key cannot be imported. Names it by its index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFault {
    pub index: usize,
    pub kind: RowFaultKind,
}

/// What is wrong with a key to import.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowFaultKind {
    /// The service account with this name has an active key.
    #[error("An active key named {} already exists. Choose another name.", Quoted(.0))]
    NameTaken(String),
    /// A key before this one has the same name.
    #[error("The name is the same as in an earlier row. Choose another name.")]
    NameRepeated,
    #[error("This key is already stored.")]
    Stored,
    #[error("This key is the same as in an earlier row.")]
    Repeated,
    #[error("{0}")]
    Expiry(ExpiryError),
    #[error("The owner is no longer a user of the company.")]
    UnknownOwner,
}

/// Why no key was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportKeysError {
    #[error("Some keys cannot be imported.")]
    Faults(Vec<RowFault>),
    #[error("More than {MAX_IMPORTED_KEYS} keys cannot be imported at once. Split them.")]
    TooMany,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Keys without a fault, with what the database says about them.
struct CheckedKeys {
    /// When each key expires.
    expiries: Vec<Option<Timestamp>>,
    /// The service accounts that exist already, with their spelling, by case-folded name.
    accounts: HashMap<String, (ServiceAccountId, String)>,
}

impl Actions {
    /// Imports keys, all of them or none, for service accounts that it creates if needed. Returns their ids.
    pub fn import_keys(&self, context: &RequestContext, keys: &[ImportedKey]) -> Result<Vec<KeyId>, ImportKeysError> {
        let company_id = context.company_id;
        self.change(context, |change| {
            let checked = check(change.tx, company_id, keys, change.now)?;
            let mut ids = Vec::with_capacity(keys.len());
            for (keys, expiries) in keys.chunks(BATCH_SIZE).zip(checked.expiries.chunks(BATCH_SIZE)) {
                let accounts = change.add_accounts(company_id, keys, &checked.accounts)?;
                ids.extend(change.add_imported(company_id, keys, &accounts, expiries)?);
            }
            Ok(ids)
        })
    }

    /// Checks whether keys can be imported now.
    pub fn check_import(&self, company_id: CompanyId, keys: &[ImportedKey]) -> Result<(), ImportKeysError> {
        self.store.read(|db| check(db, company_id, keys, self.clock.now()).map(drop))
    }
}

impl Change<'_, '_> {
    /// Returns the service account of each key with its spelling, after adding those that do not exist.
    fn add_accounts(
        &mut self,
        company_id: CompanyId,
        keys: &[ImportedKey],
        known: &HashMap<String, (ServiceAccountId, String)>,
    ) -> Result<Vec<(ServiceAccountId, String)>, StoreError> {
        let now = self.now;
        let mut new = Vec::new();
        let mut account = |key: &'_ ImportedKey| {
            known.get(&key.name.case_folded()).cloned().unwrap_or_else(|| {
                let id = ServiceAccountId::new(now, &random::bytes());
                new.push(id);
                (id, key.name.as_str().to_owned())
            })
        };
        let accounts: Vec<_> = keys.iter().map(&mut account).collect();
        let is_new: HashSet<ServiceAccountId> = new.into_iter().collect();
        let new: Vec<_> = keys
            .iter()
            .zip(&accounts)
            .filter(|(_, (id, _))| is_new.contains(id))
            .map(|(key, (id, _))| (*id, &key.name))
            .collect();
        self.tx.service_accounts().insert_all(company_id, &new, now)?;
        Ok(accounts)
    }

    fn add_imported(
        &mut self,
        company_id: CompanyId,
        keys: &[ImportedKey],
        accounts: &[(ServiceAccountId, String)],
        expiries: &[Option<Timestamp>],
    ) -> Result<Vec<KeyId>, StoreError> {
        let now = self.now;
        let mut records = Vec::with_capacity(keys.len());
        for ((key, (account, _)), expires_at) in keys.iter().zip(accounts).zip(expiries) {
            records.push(NewKeyRecord {
                id: KeyId::new(now, &random::bytes()),
                company_id,
                service_account_id: *account,
                digest: key.digest(),
                digest_kind: key.digest_kind,
                pepper_id: &key.pepper_id,
                preview: &key.preview,
                created_at: now,
                created_by: self.actor,
                owner: key.owner,
                expires_at: *expires_at,
            });
        }
        self.tx.keys().insert_all(&records)?;
        let first_pepper = self.first_pepper.clone();
        let event = |(record, (_, name)): (&NewKeyRecord<'_>, &(ServiceAccountId, String))| {
            let after = event_values::NewKey { imported: true, ..event_value(record, name, first_pepper.as_deref()) };
            EventDraft::new(EventTarget::ApiKey(record.id), EventDetail::ApiKeyCreated { after })
        };
        self.append_events(records.iter().zip(accounts).map(event))?;
        Ok(records.iter().map(|record| record.id).collect())
    }
}

/// Finds everything that is wrong with the keys.
fn check<A>(
    db: &mut Db<'_, A>,
    company_id: CompanyId,
    keys: &[ImportedKey],
    now: Timestamp,
) -> Result<CheckedKeys, ImportKeysError> {
    if keys.len() > MAX_IMPORTED_KEYS {
        return Err(ImportKeysError::TooMany);
    }
    let mut faults = Vec::new();
    let mut report = |index, kind| faults.push(RowFault { index, kind });
    let policy = db.companies().settings(company_id)?.key_policy;
    let mut expiries = Vec::with_capacity(keys.len());
    for (index, key) in keys.iter().enumerate() {
        let expiry = policy.resolve_expiry(key.expiry, now);
        expiries.push(expiry.unwrap_or_else(|error| {
            report(index, RowFaultKind::Expiry(error));
            None
        }));
    }
    let owners: HashSet<UserId> = keys.iter().map(|key| key.owner).collect();
    let mut unknown_owners = HashSet::new();
    for owner in owners {
        if db.users().by_id(company_id, owner)?.is_none() {
            unknown_owners.insert(owner);
        }
    }
    let (mut names, mut digests) = (HashSet::new(), HashSet::new());
    for (index, key) in keys.iter().enumerate() {
        if unknown_owners.contains(&key.owner) {
            report(index, RowFaultKind::UnknownOwner);
        }
        if !names.insert(key.name.case_folded()) {
            report(index, RowFaultKind::NameRepeated);
        }
        if !digests.insert(key.digests.current.of_sha256) {
            report(index, RowFaultKind::Repeated);
        }
    }
    let mut accounts = HashMap::new();
    for (batch, first) in keys.chunks(BATCH_SIZE).zip((0..).step_by(BATCH_SIZE)) {
        let folded: Vec<String> = batch.iter().map(|key| key.name.case_folded()).collect();
        let known = db.service_accounts().by_names(company_id, &folded)?;
        let taken = db.keys().active_accounts(company_id, known.values().map(|(id, _)| *id), now)?;
        let stored = db.keys().stored_digests(batch.iter().flat_map(ImportedKey::all_digests))?;
        for (index, (key, folded)) in (first..).zip(batch.iter().zip(&folded)) {
            if let Some((_, spelling)) = known.get(folded).filter(|(id, _)| taken.contains(id)) {
                report(index, RowFaultKind::NameTaken(spelling.clone()));
            }
            if key.all_digests().any(|digest| stored.contains(&digest)) {
                report(index, RowFaultKind::Stored);
            }
        }
        accounts.extend(known);
    }
    if faults.is_empty() {
        return Ok(CheckedKeys { expiries, accounts });
    }
    faults.sort_by_key(|fault| fault.index);
    Err(ImportKeysError::Faults(faults))
}
