//! The manifest at the end of a backup: what the backup holds, and the secrets that it belongs to. `docs/backups.md`
//! specifies it.

use serde::{Deserialize, Serialize};

use crate::domain::ids::InstallationId;
use crate::domain::trail::checkpoint::{CheckpointKey, CheckpointSigner};
use crate::domain::trail::signed_document::{self, SignedDocument};

/// The first line of the manifest.
pub const TITLE: &str = "keydesk backup v1";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupManifest {
    /// The version of the program that made the backup.
    pub keydesk: String,
    /// The last migration of the database.
    pub schema: String,
    /// When the copy began, in RFC 3339: it holds what was acknowledged before.
    pub began_at: String,
    pub installation: InstallationId,
    pub database: BackupDatabase,
    pub trails: Vec<BackupTrail>,
    /// What recognizes the secrets that the database belongs to.
    pub secrets: Vec<BackupSecret>,
    /// Rows and trails that were not as recorded when the backup was made.
    pub differences: u64,
}

/// The bytes of the backup that are a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupDatabase {
    pub bytes: u64,
    /// In hexadecimal.
    pub sha256: String,
}

/// A trail, and its latest checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupTrail {
    pub trail: String,
    pub size: u64,
    pub checkpoint: String,
}

/// The check of a secret, as the database stores it. It reveals nothing of the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupSecret {
    pub name: String,
    pub id: String,
    /// In Base64.
    pub value: String,
}

impl BackupManifest {
    /// Returns the manifest as the text that ends a backup.
    ///
    /// # Errors
    /// A value cannot be written as JSON.
    pub fn sign(&self, signer: &CheckpointSigner) -> serde_json::Result<String> {
        Ok(signed_document::sign(TITLE, &serde_json::to_string(self)?, &name(self.installation), signer))
    }

    /// Reads a manifest, without a check of its signature.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(SignedDocument::split(text, TITLE)?.json).ok()
    }

    /// Returns whether the key signed a manifest.
    #[must_use]
    pub fn is_signed(&self, text: &str, key: CheckpointKey) -> bool {
        SignedDocument::split(text, TITLE).is_some_and(|document| document.is_signed(key, &name(self.installation)))
    }

    /// Returns the number of events in all trails.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.trails.iter().map(|trail| trail.size).sum()
    }
}

/// The name in the signature line.
fn name(installation: InstallationId) -> String {
    format!("keydesk/{installation}/backup")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::timestamp::Timestamp;

    fn manifest() -> BackupManifest {
        BackupManifest {
            keydesk: "1.2.3".to_owned(),
            schema: "20261129230000".to_owned(),
            began_at: "2026-11-23T09:00:00.000000Z".to_owned(),
            installation: InstallationId::new(Timestamp::from_micros(0), &[1; 10]),
            database: BackupDatabase { bytes: 4_096, sha256: "ab".repeat(32) },
            trails: vec![BackupTrail { trail: "t".to_owned(), size: 3, checkpoint: "keydesk/i/t\n3\n".to_owned() }],
            secrets: vec![BackupSecret { name: "pepper".to_owned(), id: "1".to_owned(), value: "AQ==".to_owned() }],
            differences: 0,
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_signed() {
        let signer = CheckpointSigner::from_seed(&[9; 32]);
        let text = manifest().sign(&signer).unwrap();
        assert_eq!((text.lines().count(), text.lines().next()), (4, Some(TITLE)));
        let read = BackupManifest::read(&text).unwrap();
        assert_eq!((&read, read.events()), (&manifest(), 3));
        assert!(read.is_signed(&text, signer.public_key()));
        assert!(!read.is_signed(&text, CheckpointSigner::from_seed(&[8; 32]).public_key()));
        let changed = text.replace("\"bytes\":4096", "\"bytes\":4097");
        assert!(!BackupManifest::read(&changed).unwrap().is_signed(&changed, signer.public_key()));
        assert_eq!(BackupManifest::read(&text.replace("v1", "v2")), None);
    }

    #[test]
    fn a_later_version_may_add_members() {
        let signer = CheckpointSigner::from_seed(&[9; 32]);
        let json = serde_json::to_string(&manifest()).unwrap().replacen('{', "{\"later\":1,", 1);
        let text = signed_document::sign(TITLE, &json, &name(manifest().installation), &signer);
        let read = BackupManifest::read(&text).unwrap();
        assert!(read == manifest() && read.is_signed(&text, signer.public_key()));
    }
}
