//! Opens the installation: the first start creates its id and trail, later starts check each secret against it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::trail_head::signed_head;
use crate::domain::ids::InstallationId;
use crate::domain::secret_set::{SecretSetRecord, SecretSetRecords};
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::merkle::Frontier;
use crate::random;
use crate::secrets::{SecretCheck, SecretName, SecretSet, Secrets};
use crate::store::{Installation, Store, StoreError, StoredSecretCheck, WriteDb};

/// Why the installation was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "The secrets file {0} belongs to another database. Use --secrets-file to name the file created with this database."
    )]
    OtherSecrets(PathBuf),
    /// One secret of the file was changed, or comes from another file.
    #[error(
        "The {} in {path} does not belong to this database. Restore the secrets file from your backup.",
        described(*.name)
    )]
    ForeignSecret { name: SecretName, path: PathBuf },
    /// A set of the file is none of the database.
    #[error(
        "The set {id} in the secrets file {path} does not belong to this database. Restore the secrets file from your backup. If the database was put back to a state before the set was added, remove the set from the file."
    )]
    ForeignSet { id: String, path: PathBuf },
    /// The active set of the database is not in the file.
    #[error(
        "The secrets file {path} lacks the set {id}, which is active: keys that were created with it cannot be verified. Replace the file by that of the server where keydesk secrets rotate ran."
    )]
    MissingSet { id: String, path: PathBuf },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens the installation, creating it on the first start. `path` is where the secrets come from.
pub fn open_installation(
    store: &Store,
    secrets: &Secrets,
    path: &Path,
    now: Timestamp,
) -> Result<InstallationId, OpenError> {
    let find = || store.query(|db| db.installation().get());
    let installation = match find()? {
        Some(installation) => installation,
        None => match create(store, secrets, now) {
            // Another server created it at the same moment. The table has at most one row.
            Err(StoreError::Exists) => find()?.ok_or(StoreError::Exists)?,
            created => created?,
        },
    };
    if store.query(|db| db.installation().secret_checks())?.is_empty() {
        compare_names(&installation, secrets, path)?;
        adopt(store, secrets, &installation)?;
    }
    check_secrets(store, &installation, secrets, path, now)?;
    Ok(installation.id)
}

/// Checks that the secrets belong to the installation, and tells them which set is active. Changes nothing in the database.
///
/// # Errors
/// [`OpenError`]: a secret does not belong to the installation, or the active set is missing.
pub fn check_secrets(
    store: &Store,
    installation: &Installation,
    secrets: &Secrets,
    path: &Path,
    now: Timestamp,
) -> Result<(), OpenError> {
    let (stored, records) =
        store.read(|db| Ok::<_, StoreError>((db.installation().secret_checks()?, db.secret_sets().records()?)))?;
    if stored.is_empty() {
        compare_names(installation, secrets, path)?;
    } else {
        compare(installation.id, &secrets.file_sets(), &stored, &records, path)?;
    }
    secrets.apply(records, now);
    let missing = |id| OpenError::MissingSet { id, path: path.to_owned() };
    secrets.lacking().map_or(Ok(()), |id| Err(missing(id)))
}

/// Compares sets of a file with what the database recognizes. Retired sets, which are not used, may be in the file.
pub(super) fn compare(
    installation: InstallationId,
    sets: &[Arc<SecretSet>],
    stored: &[StoredSecretCheck],
    records: &SecretSetRecords,
    path: &Path,
) -> Result<(), OpenError> {
    let is_stored = |check: &SecretCheck| {
        stored
            .iter()
            .any(|(name, id, value)| (name.as_str(), id, &value[..]) == (check.name.as_str(), &check.id, &check.value))
    };
    let used = |set: &&Arc<SecretSet>| records.get(set.id()).is_none_or(|record| record.retired_at.is_none());
    let checks: Vec<SecretCheck> = sets.iter().filter(used).flat_map(|set| set.checks(installation)).collect();
    let foreign: Vec<&SecretCheck> = checks.iter().filter(|check| !is_stored(check)).collect();
    let path = path.to_owned();
    match foreign.first() {
        None if !checks.is_empty() => Ok(()),
        None => Err(OpenError::OtherSecrets(path)),
        Some(_) if foreign.len() == checks.len() => Err(OpenError::OtherSecrets(path)),
        Some(check) if stored.iter().all(|(_, id, _)| *id != check.id) => {
            Err(OpenError::ForeignSet { id: check.id.clone(), path })
        }
        Some(check) => Err(OpenError::ForeignSecret { name: check.name, path }),
    }
}

/// A database of a version without checks names its pepper and its public key.
fn compare_names(installation: &Installation, secrets: &Secrets, path: &Path) -> Result<(), OpenError> {
    let matches = installation.checkpoint_key == secrets.signer().public_key().to_bytes()
        && installation.pepper_id == secrets.active().id();
    if matches { Ok(()) } else { Err(OpenError::OtherSecrets(path.to_owned())) }
}

fn create(store: &Store, secrets: &Secrets, now: Timestamp) -> Result<Installation, StoreError> {
    store.write(|tx| {
        let id = InstallationId::new(now, &random::bytes());
        let installation = Installation {
            id,
            checkpoint_key: secrets.signer().public_key().to_bytes().to_vec(),
            pepper_id: secrets.active().id().to_owned(),
        };
        tx.trails().insert(id.into(), &signed_head(&secrets.signer(), id, id.into(), &Frontier::default()))?;
        tx.installation().insert(&installation, now)?;
        for set in secrets.file_sets() {
            insert(tx, &set.checks(id))?;
            let is_active = set.id() == installation.pepper_id;
            tx.secret_sets().insert(&SecretSetRecord {
                id: set.id().to_owned(),
                created_at: now,
                activated_at: is_active.then_some(now),
                retired_at: None,
            })?;
        }
        Ok(installation)
    })
}

/// Stores the checks for a database of a version that had none.
fn adopt(store: &Store, secrets: &Secrets, installation: &Installation) -> Result<(), StoreError> {
    store.write(|tx| {
        // Of servers that start together, the first one decides.
        tx.trails().lock(installation.id.into())?;
        if tx.installation().secret_checks()?.is_empty() {
            insert(tx, &secrets.active().checks(installation.id))?;
        }
        Ok(())
    })
}

/// Adds the sets of a file that the database of a backup does not know yet. They are pending.
pub fn adopt_newer_sets(
    store: &Store,
    installation: InstallationId,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<(), StoreError> {
    store.write(|tx| {
        let known = tx.secret_sets().records()?;
        for set in secrets.file_sets().iter().filter(|set| known.get(set.id()).is_none()) {
            add_pending(tx, installation, set, now)?;
        }
        Ok(())
    })
}

/// Adds a set that no server uses yet.
pub(super) fn add_pending(
    tx: &mut WriteDb<'_>,
    installation: InstallationId,
    set: &SecretSet,
    now: Timestamp,
) -> Result<(), StoreError> {
    insert(tx, &set.checks(installation))?;
    // Later than every other set, whatever the clock says: the order decides which one may become active.
    let newest = tx.secret_sets().records()?.iter().next_back().map(|record| record.created_at);
    let created_at = newest.map_or(now, |newest| now.max(newest + Duration::from_micros(1)));
    let id = set.id().to_owned();
    tx.secret_sets().insert(&SecretSetRecord { id, created_at, activated_at: None, retired_at: None })
}

fn insert(tx: &mut WriteDb<'_>, checks: &[SecretCheck]) -> Result<(), StoreError> {
    checks
        .iter()
        .try_for_each(|check| tx.installation().insert_secret_check(check.name.as_str(), &check.id, &check.value))
}

const fn described(name: SecretName) -> &'static str {
    match name {
        SecretName::Pepper => "pepper",
        SecretName::CheckpointSeed => "key that signs checkpoints (checkpoint_seed)",
        SecretName::SubmissionKey => "key of form submissions (submission_key)",
        SecretName::CookieKey => "cookie key (cookie_key)",
        SecretName::ThrottleKey => "throttle key (throttle_key)",
        SecretName::SecondFactor => {
            "key of second factors (second_factor, or throttle_key in a file of an older version)"
        }
    }
}
