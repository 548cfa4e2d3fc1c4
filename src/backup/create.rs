//! Makes a backup: copies the database, checks the copy, and adds the manifest.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::check::{CheckPriority, CheckReport, check, ensure_no_findings};
use super::copy::{copy_database, digest, seal};
use super::error::BackupError;
use super::low_priority;
use super::partial_file::PartialFile;
use super::progress::Progress;
use super::recognize;
use crate::config::Database;
use crate::domain::backup_manifest::{BackupDatabase, BackupManifest, BackupSecret};
use crate::domain::text::escape::Quoted;
use crate::last_backup;
use crate::secrets::Secrets;
use crate::server::ReadOnlyInstallation;
use crate::store::Store;

const LOCK_NAME: &str = "backup-lock";

/// A backup that completed.
#[derive(Debug)]
pub struct Backup {
    pub bytes: u64,
    pub manifest: BackupManifest,
    /// What is wrong, as sentences.
    pub findings: Vec<String>,
}

/// Backs up the database of an installation into a new file, also while it is served. A finding is an error,
/// unless `accepts_differences`.
///
/// # Errors
/// [`BackupError`]: why there is no backup. No file is left.
pub fn create(
    source: &ReadOnlyInstallation,
    data_dir: &Path,
    target: &Path,
    accepts_differences: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Backup, BackupError> {
    let secrets = source.secrets.as_deref().ok_or_else(|| {
        BackupError::new(
            "The secrets file is missing, and a backup names the secrets that it belongs to. Name the file with --secrets-file.",
        )
    })?;
    if target.symlink_metadata().is_ok() {
        return Err(BackupError(format!("{} exists. Name a new file, or remove it.", target.display())));
    }
    let mut findings = lost_events(source);
    ensure_no_findings(&findings, accepts_differences)?;
    let _lock = lock_backups(data_dir)?;
    let partial = PartialFile::create(target)?;
    let began_at = source.clock.now().to_rfc_3339_with_micros().unwrap_or_default();
    copy_database(&source.store, &partial, progress)?;
    // The copy keeps the write-ahead log from being emptied, so that it must not take long. The rest may.
    low_priority::lower();
    let (schema, stored_secrets, report) = check_copy(source, &partial, progress)?;
    findings.extend(report.findings);
    ensure_no_findings(&findings, accepts_differences)?;
    let (bytes, sha256) = digest(&partial)?;
    let manifest = BackupManifest {
        keydesk: env!("CARGO_PKG_VERSION").to_owned(),
        schema,
        began_at,
        installation: source.id,
        database: BackupDatabase { bytes, sha256 },
        trails: report.trails,
        secrets: stored_secrets,
        differences: report.differences,
    };
    let bytes = append_manifest(&manifest, secrets, &partial)?;
    partial.finish()?;
    if let Err(error) = last_backup::write(data_dir, source.id, &manifest.began_at) {
        tracing::warn!(%error, "backup not remembered");
    }
    Ok(Backup { bytes, manifest, findings })
}

type StoredParts = (String, Vec<BackupSecret>, CheckReport);

/// Opens the copy as a database, checks it, and closes it.
fn check_copy(
    source: &ReadOnlyInstallation,
    partial: &PartialFile,
    progress: &mut dyn FnMut(Progress),
) -> Result<StoredParts, BackupError> {
    let database = Database::Sqlite(partial.path().to_owned());
    let copy = Store::connect(&database)?;
    let report = check(&copy, source.id, source.key, CheckPriority::Low, progress)?;
    let (schema, stored) =
        copy.read(|db| Ok::<_, BackupError>((db.schema_version()?, db.installation().secret_checks()?)))?;
    drop(copy);
    seal(&database)?;
    Ok((schema, recognize::to_manifest(stored), report))
}

/// Appends the manifest to the database. Returns the size of the backup.
fn append_manifest(manifest: &BackupManifest, secrets: &Secrets, partial: &PartialFile) -> Result<u64, BackupError> {
    let text = manifest.sign(&secrets.signer()).map_err(BackupError::because)?;
    let end = format!("\n{text}");
    partial.file().write_all(end.as_bytes()).map_err(|error| BackupError::unwritable(partial.path(), &error))?;
    Ok(manifest.database.bytes + end.len() as u64)
}

/// Takes the lock that allows one backup of an installation at a time.
fn lock_backups(data_dir: &Path) -> Result<File, BackupError> {
    let path = data_dir.join(LOCK_NAME);
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.map_err(|error| BackupError::unwritable(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(BackupError::new("Another backup of this installation is being made. Wait until it is done."))
        }
        Err(TryLockError::Error(error)) => Err(BackupError::unwritable(&path, &error)),
    }
}

/// Returns what the trails lack of the events that the server remembers.
fn lost_events(source: &ReadOnlyInstallation) -> Vec<String> {
    let sentence = |trail, shortfall| format!("The audit trail {} went back: {shortfall}.", Quoted(trail));
    source.shortfalls.iter().map(|(trail, shortfall)| sentence(trail, shortfall)).collect()
}
