//! The secrets file: a list of sets, the newest first. It is readable by its owner only.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::{Deserialize, Serialize};

use super::error::SecretsError;
use super::set::SecretSet;
use crate::domain::key::digest::Pepper;
use crate::domain::key::submission::SubmissionKey;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::checkpoint::CheckpointSigner;
use crate::domain::user::second_factor::SecondFactorKey;
use crate::durable_file;
use crate::random;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretsFile {
    sets: Vec<StoredSet>,
}

/// A set as the file holds it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredSet {
    /// Files of older versions hold one set, whose id has this name.
    #[serde(alias = "pepper_id")]
    id: String,
    /// For those who read the file; the database has its own time. The first set has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    pepper: SecretText,
    checkpoint_seed: SecretText,
    submission_key: SecretText,
    cookie_key: SecretText,
    throttle_key: SecretText,
    /// `None` if it is derived from the throttle key, as in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    second_factor: Option<SecretText>,
}

/// Base64 that is wiped from memory.
#[derive(Clone)]
struct SecretText(SecretString);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(SecretString::from(String::deserialize(deserializer)?)))
    }
}

impl Serialize for SecretText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl SecretText {
    fn random<const N: usize>() -> Self {
        Self(SecretString::from(BASE64_STANDARD.encode(*Zeroizing::new(random::bytes::<N>()))))
    }

    fn decode<const N: usize>(&self, name: &str) -> Result<Zeroizing<[u8; N]>, String> {
        let bytes = BASE64_STANDARD.decode(self.0.expose_secret()).ok().map(Zeroizing::new);
        let bytes = bytes.and_then(|bytes| <[u8; N]>::try_from(&bytes[..]).ok());
        bytes.map(Zeroizing::new).ok_or_else(|| format!("{name} is not {N} bytes long"))
    }
}

impl StoredSet {
    /// Returns new secrets.
    pub(super) fn generate(created_at: Option<Timestamp>) -> Self {
        Self {
            id: random::hex::<4>(),
            created_at: created_at.and_then(Timestamp::to_rfc_3339_with_micros),
            pepper: SecretText::random::<32>(),
            checkpoint_seed: SecretText::random::<32>(),
            submission_key: SecretText::random::<32>(),
            cookie_key: SecretText::random::<64>(),
            throttle_key: SecretText::random::<32>(),
            second_factor: Some(SecretText::random::<32>()),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn parse(&self) -> Result<SecretSet, String> {
        let throttle_key = self.throttle_key.decode::<32>("throttle_key")?;
        let second_factor = match &self.second_factor {
            Some(key) => SecondFactorKey::new(*key.decode("second_factor")?),
            None => SecondFactorKey::derived_from(&throttle_key),
        };
        Ok(SecretSet {
            pepper: Pepper::new(self.id.clone(), *self.pepper.decode("pepper")?),
            signer: Arc::new(CheckpointSigner::from_seed(&*self.checkpoint_seed.decode("checkpoint_seed")?)),
            submissions: SubmissionKey::new(*self.submission_key.decode("submission_key")?),
            cookie_key: SecretBox::new(Box::new(*self.cookie_key.decode("cookie_key")?)),
            throttle_key: SecretBox::new(Box::new(*throttle_key)),
            second_factor,
        })
    }
}

/// What identifies the content of a file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileVersion {
    inode: (u64, u64),
    modified: (i64, i64),
    size: u64,
}

/// Returns the version of the file, if it can be examined.
pub(super) fn version(path: &Path) -> Option<FileVersion> {
    let metadata = fs::metadata(path).ok()?;
    let modified = (metadata.mtime(), metadata.mtime_nsec());
    Some(FileVersion { inode: (metadata.dev(), metadata.ino()), modified, size: metadata.size() })
}

/// Whether root provides the file, read-only, to the group of this process: a Secret of Kubernetes has such a mode.
pub(super) fn is_provided_to_group(metadata: &fs::Metadata) -> bool {
    metadata.uid() == 0 && metadata.permissions().mode() & 0o777 == 0o440
}

/// Reads the sets of a file, the newest first.
pub(super) fn read(path: &Path) -> Result<Vec<StoredSet>, SecretsError> {
    let shown = path.display();
    let unreadable = |error: io::Error| SecretsError(format!("The secrets file {shown} cannot be read: {error}."));
    let metadata = fs::metadata(path).map_err(unreadable)?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 && !is_provided_to_group(&metadata) {
        return Err(SecretsError(format!(
            "The secrets file {shown} can be read by others (mode {mode:04o}). Run: chmod 600 {shown}"
        )));
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(unreadable)?);
    let sets = parse_text(&text).ok_or_else(|| damaged(path, "its content is not valid"))?;
    if sets.is_empty() {
        return Err(damaged(path, "it holds no secrets"));
    }
    if let Some(twice) = (1..sets.len()).find(|index| sets[..*index].iter().any(|set| set.id == sets[*index].id)) {
        return Err(damaged(path, &format!("it holds the set {} twice", sets[twice].id)));
    }
    Ok(sets)
}

pub(super) fn damaged(path: &Path, what: &str) -> SecretsError {
    SecretsError(format!("The secrets file {} is damaged: {what}. Restore it from your backup.", path.display()))
}

fn parse_text(text: &str) -> Option<Vec<StoredSet>> {
    if let Ok(file) = serde_json::from_str::<SecretsFile>(text) {
        return Some(file.sets);
    }
    serde_json::from_str::<StoredSet>(text).ok().map(|only| vec![only])
}

fn to_text(sets: Vec<StoredSet>) -> io::Result<Zeroizing<String>> {
    Ok(Zeroizing::new(serde_json::to_string_pretty(&SecretsFile { sets })? + "\n"))
}

/// Writes new secrets atomically, through a temporary file. Of several servers that do so at once, one succeeds: the file
/// is linked to its name, which fails if there is one already, and never replaced.
pub(super) fn create(path: &Path) -> io::Result<()> {
    let text = to_text(vec![StoredSet::generate(None)])?;
    let temporary = path.with_file_name(format!(".secrets-{}", random::hex::<8>()));
    let mut file = durable_file::create_private(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    linked?;
    durable_file::sync_folder_of(path)
}

/// A new version of the file, durable under a temporary name. It is removed if it is not put in place.
pub(super) struct PreparedFile {
    temporary: PathBuf,
    path: PathBuf,
}

impl PreparedFile {
    /// Writes the sets for the owner of the present file, who alone may read them.
    pub(super) fn write(path: &Path, sets: Vec<StoredSet>) -> io::Result<Self> {
        let text = to_text(sets)?;
        // A link stays, and leads to the new version.
        let path = fs::canonicalize(path)?;
        let owner = fs::metadata(&path)?;
        let temporary = path.with_file_name(format!(".secrets-{}", random::hex::<8>()));
        let prepared = Self { temporary, path };
        let mut file = durable_file::create_private(&prepared.temporary)?;
        file.write_all(text.as_bytes())?;
        let created = file.metadata()?;
        if (created.uid(), created.gid()) != (owner.uid(), owner.gid()) {
            chown(&prepared.temporary, Some(owner.uid()), Some(owner.gid()))?;
        }
        file.set_permissions(fs::Permissions::from_mode(owner.permissions().mode() & 0o600))?;
        file.sync_all()?;
        Ok(prepared)
    }

    /// Puts the new version in the place of the present one.
    pub(super) fn put_in_place(self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.path)?;
        durable_file::sync_folder_of(&self.path)
    }
}

impl Drop for PreparedFile {
    fn drop(&mut self) {
        // After the file was put in place, the name is gone.
        let _ = fs::remove_file(&self.temporary);
    }
}
