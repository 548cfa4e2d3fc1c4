//! Backups that are not restored: damaged, changed, of another installation, of a newer version.

use std::fs;
use std::path::{Path, PathBuf};

use keydesk::domain::backup_manifest::BackupManifest;
use keydesk::domain::text::normalize::hex;
use sha2::{Digest, Sha256};

use super::{Setup, is_sqlite, names, refuse, split};
use crate::support::database;

impl Setup {
    /// Writes a genuine backup whose database was changed by a statement before.
    pub(super) fn edited(&self, backup: &Path, name: &str, statement: &str) -> PathBuf {
        let (pages, _, mut manifest) = split(backup);
        let (database, edited) = (self.file("edited.db"), self.file(name));
        fs::write(&database, pages).unwrap();
        let url = format!("sqlite://{}", database.display());
        database::tamper(&url, &format!("PRAGMA journal_mode = DELETE; {statement}"));
        let pages = fs::read(&database).unwrap();
        manifest.database.bytes = pages.len() as u64;
        manifest.database.sha256 = hex(&Sha256::digest(&pages));
        self.write_signed(&edited, &pages, &manifest);
        edited
    }

    fn write_signed(&self, path: &Path, pages: &[u8], manifest: &BackupManifest) {
        let text = manifest.sign(&self.server.actions.secrets.signer()).unwrap();
        fs::write(path, [pages, b"\n", text.as_bytes()].concat()).unwrap();
    }
}

#[test]
fn a_damaged_or_changed_backup_is_refused() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    setup.admin.create_key("ERP Sync");
    let backup = setup.back_up("backup");
    let genuine = fs::read(&backup).unwrap();
    let folder = setup.folder_with_secrets("restored");
    let changed = |at: usize| {
        let mut bytes = genuine.clone();
        bytes[at] ^= 1;
        bytes
    };
    let pages = split(&backup).0.len();
    let events = String::from_utf8_lossy(&genuine[pages..]).replacen("\"differences\":0", "\"differences\":1", 1);
    for (bytes, sentence) in [
        (changed(5_000), "its database is not the one that its manifest describes"),
        (changed(pages - 1), "its database is not the one that its manifest describes"),
        (genuine[..genuine.len() - 1].to_vec(), "is not a whole backup"),
        (genuine[..pages].to_vec(), "is not a whole backup"),
        (genuine[1..].to_vec(), "is not a whole backup"),
        ([&genuine[..pages], events.as_bytes()].concat(), "the signature of its manifest is not valid"),
        (Vec::new(), "is not a whole backup"),
    ] {
        let damaged = setup.file("damaged");
        fs::write(&damaged, bytes).unwrap();
        let refused = refuse(&folder, &["restore", damaged.to_str().unwrap()]);
        assert!(refused.contains(sentence), "{refused}");
        assert!(!folder.join("keydesk.db").exists() && !folder.join("keydesk.db.partial").exists());
    }
    assert!(refuse(&folder, &["restore", "/nowhere/backup"]).contains("/nowhere/backup cannot be read"));
}

#[test]
fn secrets_of_another_installation_are_refused() {
    if !is_sqlite() {
        return;
    }
    let (setup, other) = (Setup::new(), Setup::new());
    let backup = setup.back_up("backup");
    let folder = other.folder_with_secrets("restored");
    let refused = refuse(&folder, &["restore", backup.to_str().unwrap()]);
    let secrets = folder.join("secrets");
    let expected = format!("The secrets file {} belongs to another installation", secrets.display());
    assert!(refused.starts_with(&expected), "{refused}");
    assert_eq!(names(&folder), ["secrets"]);
    let new = setup.file("new");
    let refused = refuse(&new, &["restore", backup.to_str().unwrap()]);
    assert!(refused.contains("secrets is missing") && refused.contains("--secrets-file"), "{refused}");
    assert!(!new.exists());
}

#[test]
fn a_secret_that_was_changed_is_named() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    let backup = setup.back_up("backup");
    let folder = setup.folder_with_secrets("restored");
    let genuine = fs::read_to_string(folder.join("secrets")).unwrap();
    let mut file: serde_json::Value = serde_json::from_str(&genuine).unwrap();
    let set = &mut file["sets"][0];
    let key = set["submission_key"].as_str().unwrap().to_owned();
    let first = if key.starts_with('A') { 'B' } else { 'A' };
    set["submission_key"] = format!("{first}{}", &key[1..]).into();
    fs::write(folder.join("secrets"), file.to_string()).unwrap();
    let refused = refuse(&folder, &["restore", backup.to_str().unwrap()]);
    assert!(refused.contains("lacks a secret") && refused.contains("submission_key"), "{refused}");
}

#[test]
fn a_database_of_other_contents_is_refused() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    let (id, _) = setup.admin.create_key("ERP Sync");
    let backup = setup.back_up("backup");
    let folder = setup.folder_with_secrets("restored");
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231235959')";
    let unlock = database::unlock_events();
    for (statement, sentence) in [
        (newer.to_owned(), "which is newer than this program"),
        (
            format!("UPDATE api_keys SET expires_at = 9000000000000000 WHERE id = '{id}'"),
            "not what the audit trail of “Brightwater” says",
        ),
        (format!("{unlock} DELETE FROM events WHERE sequence = 2"), "The audit trail of “Brightwater” does not verify"),
        ("UPDATE secret_checks SET value = X'00' WHERE name = 'cookie_key'".to_owned(), "The cookie key"),
        ("PRAGMA writable_schema = ON; DELETE FROM sqlite_master".to_owned(), ""),
    ] {
        let edited = setup.edited(&backup, "edited", &statement);
        let refused = refuse(&folder, &["restore", edited.to_str().unwrap()]);
        assert!(refused.contains(sentence), "{statement}: {refused}");
        assert_eq!(names(&folder), ["lock", "secrets"], "{statement}");
    }
}
