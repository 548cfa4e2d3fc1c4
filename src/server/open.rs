//! Opens an installation: its data folder, secrets and database.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use super::error::StartError;
use super::file_permissions;
use crate::actions::{Actions, PasswordHasher, PendingUsage, open_installation};
use crate::checkpoint_memory::CheckpointMemory;
use crate::clock::Clock;
use crate::config::{Config, Database};
use crate::domain::ids::{InstallationId, TrailId};
use crate::domain::trail::checkpoint::CheckpointKey;
use crate::domain::trail::shortfall::Shortfall;
use crate::evidence::ContinuityCheck;
use crate::secrets::Secrets;
use crate::store::Store;

/// Opens the configured installation, and creates what is missing.
///
/// # Errors
/// [`StartError`]: why the installation cannot be used.
pub fn open(config: &Config, clock: &Clock) -> Result<Actions, StartError> {
    let _lock = lock(&config.data_dir)?;
    file_permissions::check(config)?;
    let first_start = Store::begin_first_start(&config.database)?;
    if first_start.is_some() && !config.new_database && config.secrets_file.exists() {
        return Err(missing_database(config));
    }
    let secrets = Arc::new(Secrets::open(&config.secrets_file, first_start.is_none())?);
    Store::migrate(&config.database)?;
    let store = Store::connect(&config.database)?;
    store.watch_file(&config.secrets_file);
    let (installation, memory) = recognize(config, &store, &secrets, clock)?;
    drop(first_start);
    let passwords = PasswordHasher::new().map_err(|error| StartError::System(error.to_string()))?;
    let actions = Actions {
        store,
        clock: clock.clone(),
        secrets,
        installation,
        key_format: config.key_format.clone(),
        platform_name: config.platform_name.clone(),
        passwords: Arc::new(passwords),
        usage: PendingUsage::default(),
        memory,
    };
    actions.align_clock()?;
    Ok(actions)
}

/// Opens the installation in the database if the secrets and the remembered checkpoints belong to it, and compares its
/// trails with what is remembered of them.
fn recognize(
    config: &Config,
    store: &Store,
    secrets: &Arc<Secrets>,
    clock: &Clock,
) -> Result<(InstallationId, CheckpointMemory), StartError> {
    let check_owner = |owner| CheckpointMemory::check_owner(&config.data_dir, secrets, owner, config.new_database);
    if store.query(|db| db.installation().get())?.is_none() {
        check_owner(None)?;
    }
    let installation = open_installation(store, secrets, &config.secrets_file, clock.now())?;
    check_owner(Some(installation))?;
    let memory = CheckpointMemory::open(&config.data_dir, installation, Arc::clone(secrets))?;
    let key = secrets.signer.public_key();
    ContinuityCheck::new(store.clone(), memory.clone(), installation, key).run_on_remembered()?;
    Ok((installation, memory))
}

/// The secrets are there and the database is not, as when a volume is not mounted. A new database would look like an
/// installation that lost everything.
fn missing_database(config: &Config) -> StartError {
    let database = match &config.database {
        Database::Sqlite(path) => format!("the database {} is missing", path.display()),
        Database::Postgres(_) => "the database of --database-url is empty".to_owned(),
    };
    StartError::System(format!(
        "The secrets file {} belongs to an installation, but {database}. Mount or restore it. To begin anew with these secrets, add --new-database.",
        config.secrets_file.display()
    ))
}

/// An installation that is only read, to check its audit trails.
pub struct ReadOnlyInstallation {
    /// The database.
    pub store: Store,
    /// The id of the installation.
    pub id: InstallationId,
    /// The public key of its checkpoints.
    pub key: CheckpointKey,
    /// The trails that lack events which the server of this data folder remembers.
    pub shortfalls: Vec<(TrailId, Shortfall)>,
    /// Whether the public key comes from the secrets file. Otherwise it comes from the database itself.
    pub has_secrets: bool,
}

/// Opens an installation to check its audit trails: as [`open`] does, or without secrets and migration if only the
/// database is there, such as a copy for an auditor.
///
/// # Errors
/// [`StartError`]: why the installation cannot be used.
pub fn open_read_only(config: &Config, clock: &Clock) -> Result<ReadOnlyInstallation, StartError> {
    if config.secrets_file.exists() || !Store::is_initialized(&config.database)? {
        let Actions { store, installation, secrets, memory, .. } = open(config, clock)?;
        return Ok(ReadOnlyInstallation {
            store,
            id: installation,
            key: secrets.signer.public_key(),
            shortfalls: memory.shortfalls(),
            has_secrets: true,
        });
    }
    let store = Store::connect(&config.database)?;
    let damaged =
        || StartError::System("The database holds no installation. Name another one with --database-url.".to_owned());
    let installation = store.query(|db| db.installation().get())?.ok_or_else(damaged)?;
    let key = CheckpointKey::from_bytes(&installation.checkpoint_key).ok_or_else(damaged)?;
    Ok(ReadOnlyInstallation { store, id: installation.id, key, shortfalls: Vec::new(), has_secrets: false })
}

/// Locks the data folder during start-up: two programs that start together must not create two sets of secrets.
fn lock(folder: &Path) -> Result<File, StartError> {
    let unusable = |error: io::Error| {
        StartError::System(format!(
            "The data folder {} cannot be used: {error}. Make it writable or name another with --data-dir.",
            folder.display()
        ))
    };
    if !folder.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unusable)?;
    }
    let path = folder.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).map_err(unusable)?;
    file.lock().map_err(unusable)?;
    Ok(file)
}
