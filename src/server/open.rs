//! Opens an installation: its data folder, secrets and database.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use super::error::StartError;
use super::file_access::{self, Purpose};
use super::file_permissions;
use crate::actions::{Actions, PasswordHasher, PendingUsage, align_clock, check_secrets, open_installation};
use crate::build_info;
use crate::checkpoint_memory::CheckpointMemory;
use crate::clock::Clock;
use crate::config::{Config, Database, MigrateMode, MigrationBackup};
use crate::domain::ids::{InstallationId, TrailId};
use crate::domain::trail::checkpoint::{self, CheckpointKey};
use crate::domain::trail::shortfall::Shortfall;
use crate::evidence::{self, ContinuityCheck, SigningKey};
use crate::secrets::Secrets;
use crate::store::{Attempt, InspectError, Inspection, Schema, Store, StoreError, wait_for};

/// Opens the configured installation, and creates what is missing.
///
/// # Errors
/// [`StartError`]: why the installation cannot be used.
pub fn open(config: &Config, clock: &Clock) -> Result<Actions, StartError> {
    file_access::check(config, Purpose::Change)?;
    let _lock = lock_data_folder(&config.data_dir)?;
    file_permissions::check(config)?;
    let (Inspection { schema, has_installation, is_being_copied }, first_start) = Store::begin_start(&config.database)?;
    if is_being_copied {
        return Err(StartError::System(
            "The database is being copied with keydesk database copy. Wait until that is done, and start with the URL of the copy."
                .to_owned(),
        ));
    }
    if !has_installation && !config.new_database && config.secrets_file.exists() {
        return Err(missing_database(config));
    }
    let has_old_data = has_installation && schema == Schema::Outdated;
    let must_migrate = match config.migrate {
        MigrateMode::Auto => schema != Schema::Current,
        MigrateMode::Never => schema.require_current().map(|()| false)?,
    };
    let open_secrets = || Secrets::open(&config.secrets_file, has_installation).map(Arc::new);
    // New secrets are not created for a database that then cannot be used.
    let secrets = has_installation.then(open_secrets).transpose()?;
    if must_migrate {
        bring_up_to_date(config, has_old_data)?;
    }
    let secrets = secrets.map_or_else(open_secrets, Ok)?;
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

/// Waits for at most a minute until the database can be reached.
///
/// # Errors
/// [`StartError`]: the database cannot be reached in time, or would refuse a later attempt, too.
pub fn wait_for_database(config: &Config) -> Result<(), StartError> {
    // First, as the database would name no file and no owner.
    file_access::check(config, Purpose::Change)?;
    wait_for("the database", || match Store::inspect(&config.database) {
        Err(InspectError::Store(error)) if error.may_pass() => Attempt::NotYet(error),
        result => Attempt::Done(result),
    })??;
    Ok(())
}

/// Brings the schema of the configured database up to date. Needs no secrets.
///
/// # Errors
/// [`StartError`]: the database cannot be reached, or its role may not change tables.
pub fn migrate(config: &Config) -> Result<(), StartError> {
    file_access::check(config, Purpose::Change)?;
    let _lock = lock_data_folder(&config.data_dir)?;
    file_permissions::check(config)?;
    let Inspection { schema, has_installation, .. } = Store::inspect(&config.database)?;
    if schema != Schema::Current {
        bring_up_to_date(config, has_installation && schema == Schema::Outdated)?;
    }
    Ok(())
}

/// Migrates the database. Data on SQLite is copied before.
fn bring_up_to_date(config: &Config, has_old_data: bool) -> Result<(), StartError> {
    if has_old_data
        && config.migration_backup == MigrationBackup::Auto
        && let Some(copy) = Store::copy_before_migration(&config.database, build_info::VERSION)?
    {
        tracing::info!(file = %copy.display(), "database copied before its migration");
    }
    Ok(Store::migrate(&config.database)?)
}

/// Opens the installation in the database if the secrets and the remembered checkpoints belong to it, and compares its
/// trails with what is remembered of them.
fn recognize(
    config: &Config,
    store: &Store,
    secrets: &Arc<Secrets>,
    clock: &Clock,
) -> Result<(InstallationId, CheckpointMemory), StartError> {
    let check_owner = |owner| {
        let keys = memory_keys(store, owner, secrets)?;
        CheckpointMemory::check_owner(&config.data_dir, &keys, owner, config.new_database).map_err(StartError::from)
    };
    if store.query(|db| db.installation().get())?.is_none() {
        check_owner(None)?;
    }
    let installation = open_installation(store, secrets, &config.secrets_file, clock.now())?;
    check_owner(Some(installation))?;
    Ok((installation, compare_trails(config, store, installation, secrets)?))
}

/// Returns the key that signs new checkpoints, which follows rotations of the secrets.
#[must_use]
pub fn signing_key(secrets: &Arc<Secrets>) -> SigningKey {
    let secrets = Arc::clone(secrets);
    Arc::new(move || secrets.signer().public_key())
}

/// Compares the trails with the checkpoints that are remembered of them.
fn compare_trails(
    config: &Config,
    store: &Store,
    installation: InstallationId,
    secrets: &Arc<Secrets>,
) -> Result<CheckpointMemory, StartError> {
    let keys = memory_keys(store, Some(installation), secrets)?;
    let memory = CheckpointMemory::open(&config.data_dir, installation, Arc::clone(secrets), &keys)?;
    ContinuityCheck::new(store.clone(), memory.clone(), installation, signing_key(secrets)).run_on_remembered()?;
    Ok(memory)
}

/// Returns the keys that may have signed what this server remembers: those of its secrets, and, if there is an installation,
/// those that its own trail was signed with.
///
/// # Errors
/// [`StoreError`]: the database could not be read.
pub fn memory_keys(
    store: &Store,
    installation: Option<InstallationId>,
    secrets: &Secrets,
) -> Result<Vec<CheckpointKey>, StoreError> {
    let mut keys = secrets.keyring().public_keys();
    if let Some(installation) = installation {
        let (trail, key) = (TrailId::from(installation), secrets.signer().public_key());
        let origin = checkpoint::origin(installation, trail);
        let chain = store.query(|db| evidence::key_chain(db, trail, &origin, key))?;
        keys.extend(chain.iter().flat_map(|chain| chain.changes()).map(|change| change.former));
    }
    Ok(keys)
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

/// An installation that is only read, by a command that lists or checks something.
pub struct ReadOnlyInstallation {
    /// The database.
    pub store: Store,
    /// The clock, aligned to that of the database.
    pub clock: Clock,
    /// The id of the installation.
    pub id: InstallationId,
    /// The public key of its checkpoints.
    pub key: CheckpointKey,
    /// The trails that lack events which the server of this data folder remembers.
    pub shortfalls: Vec<(TrailId, Shortfall)>,
    /// The secrets; without them, the public key comes from the database itself.
    pub secrets: Option<Arc<Secrets>>,
}

/// Opens an existing installation to read it. Creates and migrates nothing. The secrets may be missing, as with the copy
/// of a database for an auditor.
///
/// # Errors
/// [`StartError`]: why the installation cannot be used.
pub fn open_read_only(config: &Config, clock: &Clock) -> Result<ReadOnlyInstallation, StartError> {
    file_access::check(config, Purpose::Read)?;
    file_permissions::check(config)?;
    let Inspection { schema, has_installation, .. } = Store::inspect(&config.database)?;
    if !has_installation {
        return Err(no_installation(config));
    }
    schema.require_current()?;
    let store = Store::connect(&config.database)?;
    let installation = store.query(|db| db.installation().get())?.ok_or_else(|| no_installation(config))?;
    let secrets = config.secrets_file.exists().then(|| Secrets::open(&config.secrets_file, true)).transpose()?;
    let secrets = secrets.map(Arc::new);
    let mut shortfalls = Vec::new();
    if let Some(secrets) = &secrets {
        check_secrets(&store, &installation, secrets, &config.secrets_file, clock.now())?;
        shortfalls = compare_trails(config, &store, installation.id, secrets)?.shortfalls();
    }
    let key = secrets.as_ref().map(|secrets| secrets.signer().public_key());
    let key = key.or_else(|| CheckpointKey::from_bytes(&installation.checkpoint_key));
    align_clock(clock, &store)?;
    Ok(ReadOnlyInstallation {
        store,
        clock: clock.clone(),
        id: installation.id,
        key: key.ok_or_else(|| no_installation(config))?,
        shortfalls,
        secrets,
    })
}

pub(super) fn no_installation(config: &Config) -> StartError {
    StartError::System(match &config.database {
        Database::Sqlite(path) => format!(
            "There is no installation: the database {} is missing or empty. Name another one with --data-dir or --database-url, or start keydesk to create it.",
            path.display()
        ),
        Database::Postgres(_) => "There is no installation: the database is empty. Name another one with --database-url, or start keydesk to create it.".to_owned(),
    })
}

/// Locks the data folder during start-up, and creates it if it is missing: two programs that start together must not create
/// two sets of secrets. Waits up to a minute for another program.
///
/// # Errors
/// [`StartError`]: the folder cannot be used, or the other program does not end.
pub fn lock_data_folder(folder: &Path) -> Result<File, StartError> {
    let unusable = |error: io::Error| {
        StartError::System(format!(
            "The data folder {} cannot be used: {error}. Make it writable or name another with --data-dir.",
            folder.display()
        ))
    };
    if !folder.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unusable)?;
    }
    let path = folder.join(file_access::LOCK);
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).map_err(unusable)?;
    wait_for("another program that starts with this data folder", || match file.try_lock() {
        Ok(()) => Attempt::Done(Ok(())),
        Err(TryLockError::WouldBlock) => Attempt::NotYet("it holds the lock"),
        Err(TryLockError::Error(error)) => Attempt::Done(Err(unusable(error))),
    })
    .map_err(|_| {
        StartError::System(format!(
            "Another program has been starting with the data folder {} for a minute. Wait until it is done, or end it.",
            folder.display()
        ))
    })??;
    Ok(file)
}
