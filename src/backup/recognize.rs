//! Recognizes whether a secrets file and a backup belong together.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::error::BackupError;
use super::manifest_end::OpenBackup;
use crate::domain::backup_manifest::BackupSecret;
use crate::secrets::{SecretCheck, Secrets};
use crate::store::StoredSecretCheck;

/// Returns the checks of a database's secrets as a manifest holds them.
pub(super) fn to_manifest(stored: Vec<StoredSecretCheck>) -> Vec<BackupSecret> {
    let secret = |(name, id, value)| BackupSecret { name, id, value: BASE64_STANDARD.encode::<Vec<u8>>(value) };
    stored.into_iter().map(secret).collect()
}

/// Fails unless the file holds every secret of the backup, and one of its keys signed the manifest.
pub(super) fn recognize(
    backup: &OpenBackup,
    path: &Path,
    secrets: &Secrets,
    secrets_file: &Path,
) -> Result<(), BackupError> {
    let (manifest, shown) = (&backup.manifest, secrets_file.display());
    let checks = secrets.checks(manifest.installation);
    let is_known = |secret: &&BackupSecret| checks.iter().any(|check| is_same(check, secret));
    let missing: Vec<_> = manifest.secrets.iter().filter(|secret| !is_known(secret)).collect();
    if let Some(secret) = missing.first() {
        return Err(BackupError(if missing.len() == manifest.secrets.len() {
            format!(
                "The secrets file {shown} belongs to another installation than the backup {}. Name the file that was kept with it by --secrets-file.",
                path.display()
            )
        } else {
            format!(
                "The secrets file {shown} lacks a secret of the backup {}: {} with the id {}. Name the file that was kept with it by --secrets-file.",
                path.display(),
                secret.name,
                secret.id
            )
        }));
    }
    let keyring = secrets.keyring();
    if keyring.sets().any(|set| manifest.is_signed(&backup.text, set.signer.public_key())) {
        return Ok(());
    }
    Err(BackupError(format!(
        "The backup {} was changed: the signature of its manifest is not valid. Restore another one.",
        path.display()
    )))
}

fn is_same(check: &SecretCheck, secret: &BackupSecret) -> bool {
    // Backups of older versions name no set.
    check.name.as_str() == secret.name && BASE64_STANDARD.encode(check.value) == secret.value
}
