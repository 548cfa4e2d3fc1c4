//! Restores a backup into a new installation. The database gets its name only after all checks.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::check::{CheckPriority, check, ensure_no_findings, trail_name};
use super::copy::{extract, seal};
use super::error::BackupError;
use super::kept_checkpoints::KeptCheckpoints;
use super::manifest_end::OpenBackup;
use super::partial_file::PartialFile;
use super::progress::Progress;
use super::recognize::recognize;
use crate::actions::{adopt_newer_sets, check_secrets};
use crate::checkpoint_memory::CheckpointMemory;
use crate::clock::Clock;
use crate::config::{Config, Database, sqlite_companions};
use crate::domain::backup_manifest::BackupManifest;
use crate::domain::ids::TrailId;
use crate::domain::trail::checkpoint::CheckpointKey;
use crate::domain::trail::remembered::RememberedTrail;
use crate::domain::trail::shortfall::Shortfall;
use crate::evidence::ContinuityCheck;
use crate::last_backup;
use crate::secrets::Secrets;
use crate::server;
use crate::store::{Schema, Store};

/// What to restore.
#[derive(Clone, Debug)]
pub struct RestoreRequest {
    pub backup: PathBuf,
    pub kept: KeptCheckpoints,
    pub accepts_differences: bool,
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    pub manifest: BackupManifest,
    /// The database.
    pub path: PathBuf,
    /// What the trails lack of remembered and kept checkpoints, each with the name of what it is about.
    pub shortfalls: Vec<(String, Shortfall)>,
    /// What is wrong, as sentences.
    pub findings: Vec<String>,
}

/// Restores a backup into the configured installation, which must have secrets and no database.
///
/// # Errors
/// [`BackupError`]: why nothing was restored.
pub fn restore(
    config: &Config,
    request: &RestoreRequest,
    progress: &mut dyn FnMut(Progress),
) -> Result<Restored, BackupError> {
    let Database::Sqlite(path) = &config.database else {
        return Err(BackupError::new(
            "keydesk restore restores a backup by keydesk backup into SQLite. To restore PostgreSQL, use pg_restore: docs/operating.md has the commands.",
        ));
    };
    let mut backup = OpenBackup::open(&request.backup)?;
    refuse_existing(path)?;
    let secrets = Secrets::open(&config.secrets_file, true).map_err(BackupError::because)?;
    recognize(&backup, &request.backup, &secrets, &config.secrets_file)?;
    let installation = backup.manifest.installation;
    let mut folder = NewFolder::lock(&config.data_dir)?;
    server::check_file_permissions(config).map_err(BackupError::because)?;
    refuse_existing(path)?;
    CheckpointMemory::check_owner(&config.data_dir, &secrets.keyring().public_keys(), Some(installation), false)
        .map_err(BackupError::because)?;
    let partial = PartialFile::create(path)?;
    let sha256 = extract(&mut backup.file, backup.manifest.database.bytes, &partial, progress)?;
    if sha256 != backup.manifest.database.sha256 {
        return Err(BackupError(format!(
            "The backup {} is damaged: its database is not the one that its manifest describes. Restore another one.",
            request.backup.display()
        )));
    }
    let extracted =
        ExtractedDatabase { config, secrets: Arc::new(secrets), manifest: &backup.manifest, partial: &partial };
    let (shortfalls, findings) = extracted.check(&request.kept, request.accepts_differences, progress)?;
    partial.finish()?;
    folder.is_new = false;
    if let Err(error) = last_backup::write(&config.data_dir, installation, &backup.manifest.began_at) {
        tracing::warn!(%error, "backup not remembered");
    }
    Ok(Restored { manifest: backup.manifest, path: path.clone(), shortfalls, findings })
}

/// The locked data folder. Dropping it removes a folder that was created for nothing.
struct NewFolder<'a> {
    path: &'a Path,
    is_new: bool,
    _lock: File,
}

impl<'a> NewFolder<'a> {
    fn lock(path: &'a Path) -> Result<Self, BackupError> {
        let is_new = !path.exists();
        let lock = server::lock_data_folder(path).map_err(BackupError::because)?;
        Ok(Self { path, is_new, _lock: lock })
    }
}

impl Drop for NewFolder<'_> {
    fn drop(&mut self) {
        if self.is_new {
            let _ = fs::remove_file(self.path.join("lock"));
            // Fails if it holds something.
            let _ = fs::remove_dir(self.path);
        }
    }
}

/// Fails if the database or one of its files exists: a restore never replaces an installation.
fn refuse_existing(path: &Path) -> Result<(), BackupError> {
    let files = [path.to_owned()].into_iter().chain(sqlite_companions(path));
    match files.into_iter().find(|file| fs::symlink_metadata(file).is_ok()) {
        Some(file) => Err(BackupError(format!(
            "There is an installation already: {} exists. Restore into a new folder with --data-dir.",
            file.display()
        ))),
        None => Ok(()),
    }
}

/// A database that was extracted from a backup, and is not in place yet.
struct ExtractedDatabase<'a> {
    config: &'a Config,
    secrets: Arc<Secrets>,
    manifest: &'a BackupManifest,
    partial: &'a PartialFile,
}

type Found = (Vec<(String, Shortfall)>, Vec<String>);

impl ExtractedDatabase<'_> {
    /// Brings the schema up to date, checks everything, and remembers the checkpoints. The file alone is the database
    /// afterwards.
    fn check(
        &self,
        kept: &KeptCheckpoints,
        accepts_differences: bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Found, BackupError> {
        let database = Database::Sqlite(self.partial.path().to_owned());
        self.migrate(&database)?;
        let store = Store::connect(&database)?;
        let installation = store.query(|db| db.installation().get())?;
        let installation = installation.ok_or_else(|| BackupError::new("The backup holds no installation."))?;
        let now = Clock::system().now();
        // The secrets may have been rotated since the backup was made.
        adopt_newer_sets(&store, installation.id, &self.secrets, now)?;
        let file = &self.config.secrets_file;
        check_secrets(&store, &installation, &self.secrets, file, now).map_err(BackupError::because)?;
        let key = self.secrets.keyring().key_of_database(&installation.checkpoint_key);
        let kept = kept.read(&store, installation.id, key)?;
        let report = check(&store, installation.id, key, CheckPriority::Normal, progress)?;
        ensure_no_findings(&report.findings, accepts_differences)?;
        let shortfalls = self.remember(&store, key, kept)?;
        drop(store);
        seal(&database)?;
        Ok((shortfalls, report.findings))
    }

    fn migrate(&self, database: &Database) -> Result<(), BackupError> {
        match Store::inspect(database).map_err(BackupError::because)?.schema {
            Schema::Current => Ok(()),
            Schema::Outdated => Store::migrate(database).map_err(BackupError::because),
            Schema::Missing => Err(BackupError::new("The backup holds no installation.")),
            Schema::Newer(_) => Err(BackupError(format!(
                "The backup was made by Keydesk {}, which is newer than this program. Restore it with that version.",
                self.manifest.keydesk
            ))),
        }
    }

    /// Remembers the kept checkpoints for the server, and compares the trails with them.
    fn remember(
        &self,
        store: &Store,
        key: CheckpointKey,
        kept: Vec<(TrailId, RememberedTrail)>,
    ) -> Result<Vec<(String, Shortfall)>, BackupError> {
        let (installation, secrets) = (self.manifest.installation, Arc::clone(&self.secrets));
        let keys = server::memory_keys(store, Some(installation), &secrets)?;
        let memory = CheckpointMemory::open(&self.config.data_dir, installation, secrets, &keys);
        let memory = memory.map_err(BackupError::because)?;
        for (trail, checkpoint) in kept {
            memory.remember_kept(trail, checkpoint);
        }
        ContinuityCheck::new(store.clone(), memory.clone(), installation, Arc::new(move || key)).run_on_remembered()?;
        memory.save().map_err(|error| BackupError::unwritable(&self.config.data_dir, &error))?;
        let companies = store.query(|db| db.stored_rows().trails())?;
        let company = |trail| companies.iter().find(|(id, _)| *id == trail).and_then(|(_, name)| name.as_deref());
        let named = |(trail, shortfall)| (trail_name(trail, company(trail), installation), shortfall);
        Ok(memory.shortfalls().into_iter().map(named).collect())
    }
}
