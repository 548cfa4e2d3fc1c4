//! Opens the installation: the first start creates its id and trail, later starts check each secret against it.

use std::path::{Path, PathBuf};

use super::trail_head::signed_head;
use crate::domain::ids::InstallationId;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::merkle::Frontier;
use crate::random;
use crate::secrets::{SecretCheck, SecretName, Secrets};
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
    let mut stored = store.query(|db| db.installation().secret_checks())?;
    let checks = secrets.checks(installation.id);
    if stored.is_empty() {
        stored = adopt(store, secrets, &installation, &checks, path)?;
    }
    compare(&checks, &stored, path)?;
    Ok(installation.id)
}

/// Checks that the secrets belong to the installation, without a change.
///
/// # Errors
/// [`OpenError`]: a secret does not belong to the installation.
pub fn check_secrets(
    store: &Store,
    installation: &Installation,
    secrets: &Secrets,
    path: &Path,
) -> Result<(), OpenError> {
    let stored = store.query(|db| db.installation().secret_checks())?;
    if stored.is_empty() {
        return compare_names(installation, secrets, path);
    }
    compare(&secrets.checks(installation.id), &stored, path)
}

fn compare(checks: &[SecretCheck], stored: &[StoredSecretCheck], path: &Path) -> Result<(), OpenError> {
    let is_stored = |check: &SecretCheck| {
        stored
            .iter()
            .any(|(name, id, value)| (name.as_str(), id, &value[..]) == (check.name.as_str(), &check.id, &check.value))
    };
    let foreign: Vec<SecretName> = checks.iter().filter(|check| !is_stored(check)).map(|check| check.name).collect();
    match foreign.first() {
        None => Ok(()),
        Some(_) if foreign.len() == checks.len() => Err(OpenError::OtherSecrets(path.to_owned())),
        Some(name) => Err(OpenError::ForeignSecret { name: *name, path: path.to_owned() }),
    }
}

/// A database of a version without checks names its pepper and its public key.
fn compare_names(installation: &Installation, secrets: &Secrets, path: &Path) -> Result<(), OpenError> {
    let matches = installation.checkpoint_key == secrets.signers.active.public_key().to_bytes()
        && installation.pepper_id == secrets.pepper.id();
    if matches { Ok(()) } else { Err(OpenError::OtherSecrets(path.to_owned())) }
}

fn create(store: &Store, secrets: &Secrets, now: Timestamp) -> Result<Installation, StoreError> {
    store.write(|tx| {
        let id = InstallationId::new(now, &random::bytes());
        let installation = Installation {
            id,
            checkpoint_key: secrets.signers.active.public_key().to_bytes().to_vec(),
            pepper_id: secrets.pepper.id().to_owned(),
        };
        tx.trails().insert(id.into(), &signed_head(secrets, id, id.into(), &Frontier::default()))?;
        tx.installation().insert(&installation, now)?;
        insert(tx, &secrets.checks(id))?;
        Ok(installation)
    })
}

/// Stores the checks for a database of a version that had none.
fn adopt(
    store: &Store,
    secrets: &Secrets,
    installation: &Installation,
    checks: &[SecretCheck],
    path: &Path,
) -> Result<Vec<StoredSecretCheck>, OpenError> {
    compare_names(installation, secrets, path)?;
    Ok(store.write(|tx| {
        // Of servers that start together, the first one decides.
        tx.trails().lock(installation.id.into())?;
        if tx.installation().secret_checks()?.is_empty() {
            insert(tx, checks)?;
        }
        tx.installation().secret_checks()
    })?)
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
        SecretName::SecondFactor => "key of second factors (throttle_key)",
    }
}
