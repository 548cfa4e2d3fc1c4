//! `keydesk backup` and `keydesk restore`, on SQLite; what takes their place on PostgreSQL.

mod create;
mod kept;
mod litestream;
mod load;
mod postgres;
mod refused;
mod restore;
mod secrets;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use keydesk::domain::backup_manifest::BackupManifest;

use crate::cli::{Serving, keydesk, text};
use crate::support::{Browser, TestServer, database};

/// Whether the tests run on SQLite.
fn is_sqlite() -> bool {
    database::postgres().is_none()
}

/// Runs a command on the installation in a data folder.
fn run_in(data_dir: &Path, words: &[&str]) -> Output {
    keydesk(data_dir).args(words).output().unwrap()
}

/// Runs a command that succeeds. Returns its standard output.
fn succeed(data_dir: &Path, words: &[&str]) -> String {
    let output = run_in(data_dir, words);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Runs a command that is refused. Returns the sentence.
fn refuse(data_dir: &Path, words: &[&str]) -> String {
    let output = run_in(data_dir, words);
    let (printed, sentence) = (text(&output.stdout), text(&output.stderr));
    assert_eq!((output.status.code(), printed.as_str()), (Some(1), ""), "{words:?}: {sentence}");
    sentence
}

/// A server, a folder for backups, and new folders to restore into.
struct Setup {
    server: TestServer,
    admin: Browser,
    files: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        let server = TestServer::start();
        let admin = server.admin();
        Self { server, admin, files: tempfile::tempdir().unwrap() }
    }

    fn data_dir(&self) -> &Path {
        self.server.folder.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// Makes a backup of this name.
    fn back_up(&self, name: &str) -> PathBuf {
        let file = self.file(name);
        succeed(self.data_dir(), &["backup", file.to_str().unwrap()]);
        file
    }

    /// A new folder that holds the secrets alone.
    fn folder_with_secrets(&self, name: &str) -> PathBuf {
        let folder = self.file(name);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        fs::copy(self.data_dir().join("secrets"), folder.join("secrets")).unwrap();
        folder
    }
}

/// Serves a data folder.
fn serve(data_dir: &Path) -> (Serving, Browser) {
    let serving = Serving::start(keydesk(data_dir), 1);
    let browser = serving.browser();
    (serving, browser)
}

/// Splits a backup into its database and its manifest, as docs/backups.md says.
fn split(backup: &Path) -> (Vec<u8>, String, BackupManifest) {
    let bytes = fs::read(backup).unwrap();
    let lines: Vec<&[u8]> = bytes.rsplitn(6, |byte| *byte == b'\n').collect();
    let [after, signature, empty, json, title, database] = lines[..] else { panic!("no manifest") };
    assert_eq!((after, empty, title), (&b""[..], &b""[..], &b"keydesk backup v1"[..]));
    assert!(signature.starts_with("— keydesk/".as_bytes()));
    let manifest = serde_json::from_slice(json).unwrap();
    (database.to_vec(), text(json), manifest)
}

/// The names of the files in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
