//! The secrets file: created at the first start, readable by its owner only, never created for an existing database. It
//! holds several sets of secrets while they are rotated.

mod error;
mod file;
mod keyring;
mod set;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

pub use self::error::SecretsError;
pub use self::keyring::Keyring;
pub use self::set::{SecretCheck, SecretName, SecretSet};
use crate::domain::ids::InstallationId;
use crate::domain::secret_set::SecretSetRecords;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::checkpoint::CheckpointSigner;

/// The most sets that are accepted at once: each costs every look-up of a key some time.
pub const MAX_LIVE_SETS: usize = 4;

/// The secrets of an installation. They follow the file and the database while the program runs.
#[derive(Debug)]
pub struct Secrets {
    path: PathBuf,
    keyring: RwLock<Arc<Keyring>>,
    generation: AtomicU64,
    sources: Mutex<Sources>,
}

/// What the keyring is made of.
#[derive(Debug)]
struct Sources {
    /// The newest first.
    file: Vec<Arc<SecretSet>>,
    /// `None` if the file was not examined successfully.
    version: Option<file::FileVersion>,
    records: SecretSetRecords,
}

impl Secrets {
    /// Reads the file, or creates it if neither it nor the database exists.
    ///
    /// # Errors
    /// [`SecretsError`]: the file is missing although the database exists, is readable by others, or is damaged.
    pub fn open(path: &Path, database_exists: bool) -> Result<Self, SecretsError> {
        if !path.try_exists().unwrap_or(true) {
            create(path, database_exists)?;
        }
        let version = file::version(path);
        let file = read(path)?;
        let records = SecretSetRecords::default();
        let keyring = Keyring::new(&file, &records, Timestamp::from_micros(0), 1);
        Ok(Self {
            path: path.to_owned(),
            keyring: RwLock::new(Arc::new(keyring.ok_or_else(|| file::damaged(path, "it holds no secrets"))?)),
            generation: AtomicU64::new(1),
            sources: Mutex::new(Sources { file, version, records }),
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the accepted sets.
    #[must_use]
    pub fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(&self.keyring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns a number that changes with the keyring, without a lock.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Returns the set for what is new.
    #[must_use]
    pub fn active(&self) -> Arc<SecretSet> {
        Arc::clone(self.keyring().active())
    }

    /// Returns the key that signs checkpoints.
    #[must_use]
    pub fn signer(&self) -> Arc<CheckpointSigner> {
        Arc::clone(&self.keyring().active().signer)
    }

    /// Returns the id of the set that is active in the database and missing in the file, see [`Keyring::lacking`].
    #[must_use]
    pub fn lacking(&self) -> Option<String> {
        self.keyring().lacking().map(str::to_owned)
    }

    /// Returns the sets of the file, the newest first, those that are not accepted included.
    #[must_use]
    pub fn file_sets(&self) -> Vec<Arc<SecretSet>> {
        self.sources().file.clone()
    }

    /// Returns the checks of all secrets in the file.
    #[must_use]
    pub fn checks(&self, installation: InstallationId) -> Vec<SecretCheck> {
        self.sources().file.iter().flat_map(|set| set.checks(installation)).collect()
    }

    /// Applies what the database knows of the sets.
    pub fn apply(&self, records: SecretSetRecords, now: Timestamp) {
        let mut sources = self.sources();
        sources.records = records;
        self.rebuild(&sources, now);
    }

    /// Whether the file is another one than the one that was read.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        let version = file::version(&self.path);
        version.is_some() && version != self.sources().version
    }

    /// Reads the file again if it has changed. `accepts` decides about its new content; what it refuses is not used, and
    /// the sets that were read before stay. Returns whether there were other sets.
    ///
    /// # Errors
    /// The error of `accepts`, or [`SecretsError`]. The file is then read again when it changes again.
    pub fn reload<E: From<SecretsError>>(
        &self,
        now: Timestamp,
        accepts: impl FnOnce(&[Arc<SecretSet>]) -> Result<(), E>,
    ) -> Result<bool, E> {
        if !self.has_changed() {
            return Ok(false);
        }
        let version = file::version(&self.path);
        let read = read(&self.path).map_err(E::from).and_then(|sets| accepts(&sets).map(|()| sets));
        let mut sources = self.sources();
        // A file that cannot be used is named once.
        sources.version = version;
        sources.file = keep_known(&sources.file, read?);
        Ok(self.rebuild(&sources, now))
    }

    fn rebuild(&self, sources: &Sources, now: Timestamp) -> bool {
        let mut keyring = self.keyring.write().unwrap_or_else(PoisonError::into_inner);
        let next = Keyring::new(&sources.file, &sources.records, now, keyring.generation() + 1);
        // Without any accepted set, the former ones stay: a server that refuses all is of no use.
        let Some(next) = next.filter(|next| !next.is_same(&keyring)) else { return false };
        self.generation.store(next.generation(), Ordering::Release);
        *keyring = Arc::new(next);
        true
    }

    fn sources(&self) -> MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change of the file that was prepared and is not in place yet.
pub struct PreparedChange(file::PreparedFile);

impl PreparedChange {
    /// Puts the changed file in place.
    ///
    /// # Errors
    /// [`SecretsError`]: the file system refuses it.
    pub fn put_in_place(self, path: &Path) -> Result<(), SecretsError> {
        self.0.put_in_place().map_err(|error| unwritable(path, &error))
    }
}

/// Prepares a file with a new set. Returns it with the set.
///
/// # Errors
/// [`SecretsError`]: the file cannot be read or replaced, or holds too many sets. `is_live` tells which of them count.
pub fn prepare_rotation(
    path: &Path,
    now: Timestamp,
    is_live: impl Fn(&str) -> bool,
) -> Result<(PreparedChange, SecretSet), SecretsError> {
    refuse_provided(path)?;
    let mut sets = file::read(path)?;
    sets.retain(|set| is_live(set.id()));
    if sets.len() >= MAX_LIVE_SETS {
        return Err(SecretsError(format!(
            "The secrets file {} holds {} sets of secrets, and look-ups take longer with each. Retire one first: keydesk secrets status lists them.",
            path.display(),
            sets.len()
        )));
    }
    if sets.is_empty() {
        return Err(file::damaged(path, "it holds no secrets of this database"));
    }
    let added = file::StoredSet::generate(Some(now));
    let set = added.parse().map_err(|what| file::damaged(path, &what))?;
    sets.insert(0, added);
    let prepared = file::PreparedFile::write(path, sets).map_err(|error| unwritable(path, &error))?;
    Ok((PreparedChange(prepared), set))
}

/// Prepares a file without a set; `None` if it does not hold the set.
///
/// # Errors
/// [`SecretsError`]: the file cannot be read or replaced.
pub fn prepare_retirement(path: &Path, id: &str) -> Result<Option<PreparedChange>, SecretsError> {
    let mut sets = file::read(path)?;
    let all = sets.len();
    sets.retain(|set| set.id() != id);
    if sets.len() == all {
        return Ok(None);
    }
    refuse_provided(path)?;
    let prepared = file::PreparedFile::write(path, sets).map_err(|error| unwritable(path, &error))?;
    Ok(Some(PreparedChange(prepared)))
}

/// A file that root provides, such as a Secret of Kubernetes, is replaced where it comes from.
fn refuse_provided(path: &Path) -> Result<(), SecretsError> {
    let is_provided = std::fs::metadata(path).is_ok_and(|metadata| file::is_provided_to_group(&metadata));
    if is_provided {
        return Err(SecretsError(format!(
            "The secrets file {} is provided read-only. Run this command with a private copy of it (--secrets-file), and replace the Secret that provides it by the changed copy.",
            path.display()
        )));
    }
    Ok(())
}

fn unwritable(path: &Path, error: &io::Error) -> SecretsError {
    SecretsError(format!("The secrets file {} cannot be written: {error}. Make its folder writable.", path.display()))
}

fn create(path: &Path, database_exists: bool) -> Result<(), SecretsError> {
    if database_exists {
        return Err(SecretsError(format!(
            "The secrets file {} is missing, and without it no key in the existing database can be verified. Restore it from your backup, or name it with --secrets-file.",
            path.display()
        )));
    }
    match file::create(path) {
        // Another server created it at the same moment. Its file is read.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created.map_err(|error| unwritable(path, &error)),
    }
}

fn read(path: &Path) -> Result<Vec<Arc<SecretSet>>, SecretsError> {
    let stored = file::read(path)?;
    stored.iter().map(|set| set.parse().map(Arc::new).map_err(|what| file::damaged(path, &what))).collect()
}

/// Keeps the sets that were read before, so that the keyring shows whether it has changed. `accepts` has compared their
/// secrets.
fn keep_known(known: &[Arc<SecretSet>], read: Vec<Arc<SecretSet>>) -> Vec<Arc<SecretSet>> {
    let same = |set: &Arc<SecretSet>| known.iter().find(|known| known.id() == set.id()).cloned();
    read.into_iter().map(|set| same(&set).unwrap_or(set)).collect()
}
