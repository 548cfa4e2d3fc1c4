//! The secrets file: created at the first start, readable by its owner only, never created for an existing database.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Serialize};

use crate::domain::ids::InstallationId;
use crate::domain::key::digest::Pepper;
use crate::domain::key::submission::SubmissionKey;
use crate::domain::mac;
use crate::domain::trail::checkpoint::CheckpointSigner;
use crate::domain::trail::signers::CheckpointSigners;
use crate::domain::user::second_factor::SecondFactorKey;
use crate::random;

/// The secrets of an installation.
#[derive(Debug)]
pub struct Secrets {
    /// Digests keys.
    pub pepper: Pepper,
    /// Sign checkpoints.
    pub signers: CheckpointSigners,
    /// Authenticates the one-time tokens of forms.
    pub submissions: SubmissionKey,
    /// Signs session cookies.
    pub cookie_key: SecretBox<[u8; 64]>,
    /// Digests the email addresses of failed sign-ins.
    pub throttle_key: SecretBox<[u8; 32]>,
    /// Derives authenticator secrets, and digests recovery codes.
    pub second_factor: SecondFactorKey,
}

/// The id of the secrets that a file has one of.
const FIRST_ID: &str = "1";

/// A secret of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretName {
    Pepper,
    CheckpointSeed,
    SubmissionKey,
    CookieKey,
    ThrottleKey,
    SecondFactor,
}

impl SecretName {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pepper => "pepper",
            Self::CheckpointSeed => "checkpoint_seed",
            Self::SubmissionKey => "submission_key",
            Self::CookieKey => "cookie_key",
            Self::ThrottleKey => "throttle_key",
            Self::SecondFactor => "second_factor",
        }
    }
}

/// What a database stores to recognize a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretCheck {
    pub name: SecretName,
    /// Distinguishes secrets of the same name.
    pub id: String,
    pub value: [u8; 32],
}

/// The secrets cannot be used. Displays as a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SecretsError(String);

#[derive(Serialize, Deserialize)]
struct SecretsFile {
    pepper_id: String,
    pepper: String,
    checkpoint_seed: String,
    submission_key: String,
    cookie_key: String,
    throttle_key: String,
}

/// Whether root provides the file, read-only, to the group of this process: a Secret of Kubernetes has such a mode.
fn is_provided_to_group(metadata: &fs::Metadata) -> bool {
    metadata.uid() == 0 && metadata.permissions().mode() & 0o777 == 0o440
}

impl Secrets {
    /// Reads the file, or creates it if neither it nor the database exists.
    ///
    /// # Errors
    /// [`SecretsError`]: the file is missing although the database exists, is readable by others, or is damaged.
    pub fn open(path: &Path, database_exists: bool) -> Result<Self, SecretsError> {
        let shown = path.display();
        match fs::metadata(path) {
            Ok(metadata) => {
                let mode = metadata.permissions().mode() & 0o777;
                if mode & 0o077 != 0 && !is_provided_to_group(&metadata) {
                    return Err(SecretsError(format!(
                        "The secrets file {shown} can be read by others (mode {mode:04o}). Run: chmod 600 {shown}"
                    )));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && database_exists => {
                return Err(SecretsError(format!(
                    "The secrets file {shown} is missing, and without it no key in the existing database can be verified. Restore it from your backup, or name it with --secrets-file."
                )));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match create(path) {
                    // Another server created it at the same moment. Its file is read below.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    created => created.map_err(|error| {
                        SecretsError(format!(
                            "The secrets file {shown} cannot be written: {error}. Make its folder writable."
                        ))
                    })?,
                }
            }
            Err(error) => {
                return Err(SecretsError(format!("The secrets file {shown} cannot be read: {error}.")));
            }
        }
        let text = fs::read_to_string(path)
            .map_err(|error| SecretsError(format!("The secrets file {shown} cannot be read: {error}.")))?;
        let damaged = |what: &str| {
            SecretsError(format!("The secrets file {shown} is damaged: {what}. Restore it from your backup."))
        };
        let stored: SecretsFile = serde_json::from_str(&text).map_err(|_| damaged("its content is not valid"))?;
        let secret = |name: &str, value: &str| {
            BASE64_STANDARD
                .decode(value)
                .ok()
                .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
                .ok_or_else(|| damaged(&format!("{name} is not 32 bytes long")))
        };
        let throttle_key = secret("throttle_key", &stored.throttle_key)?;
        let cookie_key = BASE64_STANDARD.decode(&stored.cookie_key).ok().and_then(|bytes| bytes.try_into().ok());
        Ok(Self {
            pepper: Pepper::new(stored.pepper_id, secret("pepper", &stored.pepper)?),
            signers: CheckpointSigners::new(CheckpointSigner::from_seed(&secret(
                "checkpoint_seed",
                &stored.checkpoint_seed,
            )?)),
            submissions: SubmissionKey::new(secret("submission_key", &stored.submission_key)?),
            cookie_key: SecretBox::new(Box::new(cookie_key.ok_or_else(|| damaged("cookie_key is not 64 bytes long"))?)),
            // Derived: older files hold no key for second factors.
            second_factor: SecondFactorKey::derived_from(&throttle_key),
            throttle_key: SecretBox::new(Box::new(throttle_key)),
        })
    }

    /// Returns the check of each secret: what a database stores to recognize it. It reveals nothing of the secret, and the
    /// checks of one secret in two installations have nothing in common.
    #[must_use]
    pub fn checks(&self, installation: InstallationId) -> [SecretCheck; 6] {
        let (cookie, throttle) = (self.cookie_key.expose_secret(), self.throttle_key.expose_secret());
        let check = |name: SecretName, id: &str, keyed: &dyn Fn(&[u8]) -> [u8; 32]| {
            let label = format!("keydesk secret check v1\0{installation}\0{}", name.as_str());
            SecretCheck { name, id: id.to_owned(), value: keyed(label.as_bytes()) }
        };
        [
            check(SecretName::Pepper, self.pepper.id(), &|text| self.pepper.keyed_value(text)),
            check(SecretName::CheckpointSeed, FIRST_ID, &|text| self.signers.active.keyed_value(text)),
            check(SecretName::SubmissionKey, FIRST_ID, &|text| self.submissions.keyed_value(text)),
            check(SecretName::CookieKey, FIRST_ID, &|text| mac::hmac_sha256(cookie, &[text])),
            check(SecretName::ThrottleKey, FIRST_ID, &|text| mac::hmac_sha256(throttle, &[text])),
            check(SecretName::SecondFactor, FIRST_ID, &|text| self.second_factor.keyed_value(text)),
        ]
    }

    /// The key that session cookies are signed with.
    #[must_use]
    pub fn cookie_key(&self) -> &[u8; 64] {
        self.cookie_key.expose_secret()
    }
}

/// Writes new secrets atomically, through a temporary file. Of several servers that do so at once, one succeeds: the file
/// is linked to its name, which fails if there is one already, and never replaced.
fn create(path: &Path) -> io::Result<()> {
    let secret = || BASE64_STANDARD.encode(random::bytes::<32>());
    let stored = SecretsFile {
        pepper_id: random::hex::<4>(),
        pepper: secret(),
        checkpoint_seed: secret(),
        submission_key: secret(),
        cookie_key: BASE64_STANDARD.encode(random::bytes::<64>()),
        throttle_key: secret(),
    };
    let temporary = path.with_file_name(format!(".secrets-{}", random::hex::<8>()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(serde_json::to_string_pretty(&stored)?.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    linked?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(path: &Path, database_exists: bool) -> String {
        Secrets::open(path, database_exists).unwrap_err().to_string()
    }

    #[test]
    fn new_secrets_are_readable_by_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets");
        let created = Secrets::open(&path, false).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = Secrets::open(&path, true).unwrap();
        assert_eq!(created.pepper.id(), read.pepper.id());
        assert_eq!(created.signers.active.public_key(), read.signers.active.public_key());
        assert_eq!(created.cookie_key(), read.cookie_key());
    }

    #[test]
    fn secrets_that_another_server_created_meanwhile_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets");
        create(&path).unwrap();
        let first = fs::read(&path).unwrap();
        assert_eq!(create(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), first);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn servers_that_start_together_read_the_same_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets");
        let ids: Vec<String> = std::thread::scope(|scope| {
            let open = || scope.spawn(|| Secrets::open(&path, false).unwrap().pepper.id().to_owned());
            let opened: Vec<_> = (0..8).map(|_| open()).collect();
            opened.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }

    #[test]
    fn a_check_depends_on_its_secret_and_on_the_installation() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let open = |folder: &tempfile::TempDir| Secrets::open(&folder.path().join("secrets"), false).unwrap();
        let installation = |seed| InstallationId::new(crate::domain::timestamp::Timestamp::from_micros(0), &[seed; 10]);
        let (secrets, foreign) = (open(&one), open(&other));
        assert_eq!(secrets.checks(installation(1)), open(&one).checks(installation(1)));
        for others in [secrets.checks(installation(2)), foreign.checks(installation(1))] {
            for (own, other) in secrets.checks(installation(1)).iter().zip(&others) {
                assert_ne!(own.value, other.value, "{:?}", own.name);
            }
        }
        let mut values: Vec<_> = secrets.checks(installation(1)).iter().map(|check| check.value).collect();
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), 6);
    }

    #[test]
    fn missing_secrets_of_an_existing_database_are_not_created() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets");
        assert!(error(&path, true).contains("missing"));
        assert!(!path.exists());
    }

    #[test]
    fn secrets_that_others_can_read_are_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets");
        Secrets::open(&path, false).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(error(&path, true).contains("chmod 600"));
    }

    #[test]
    fn damaged_secrets_are_rejected_without_repeating_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets");
        Secrets::open(&path, false).unwrap();
        let mut stored: SecretsFile = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        stored.pepper = BASE64_STANDARD.encode("short");
        fs::write(&path, serde_json::to_string(&stored).unwrap()).unwrap();
        assert!(error(&path, true).contains("pepper is not 32 bytes long"));
        fs::write(&path, "hunter2").unwrap();
        let sentence = error(&path, true);
        assert!(sentence.contains("damaged") && !sentence.contains("hunter2"));
    }
}
