//! What is not copied, and why.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;

use super::{copied, copy, file};
use crate::cli::{Serving, keydesk, run, text};
use crate::support::database;

/// An installation without a running server, on a database of the suite.
fn installation() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let added = run(folder.path(), &url, &["company", "add", "--name", "Brightwater"], "");
    assert!(added.status.success(), "{}", text(&added.stderr));
    (folder, url)
}

fn refused(data_dir: &Path, from: &str, to: &str) -> String {
    let output = copy(data_dir, from, to);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""), "{}", text(&output.stderr));
    let sentence = text(&output.stderr);
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
    sentence
}

#[test]
fn a_target_that_is_not_empty_is_refused() {
    let (folder, url) = installation();
    let (other, other_url) = installation();
    let before = super::rows(&other_url);
    let sentence = refused(folder.path(), &url, &other_url);
    let expected = if database::postgres().is_some() { "The target is not empty" } else { "exists already" };
    assert!(sentence.contains(expected), "{sentence}");
    assert_eq!(super::rows(&other_url), before);
    assert!(refused(folder.path(), &url, &url).contains(expected));
    let text_file = other.path().join("text");
    fs::write(&text_file, "kept").unwrap();
    let sentence = refused(folder.path(), &url, &file(other.path(), "text"));
    assert!(sentence.contains("exists already") && sentence.contains("text"), "{sentence}");
    assert_eq!(fs::read_to_string(text_file).unwrap(), "kept");
    fs::write(other.path().join("new.db-wal"), "of a former database").unwrap();
    let sentence = refused(folder.path(), &url, &file(other.path(), "new.db"));
    assert!(sentence.contains("new.db-wal exists already"), "{sentence}");
}

#[test]
fn a_migrated_database_without_rows_is_filled() {
    if database::postgres().is_none() {
        return;
    }
    let (folder, url) = installation();
    let target = database::new_url(&folder);
    let migrated = run(tempfile::tempdir().unwrap().path(), &target, &["migrate"], "");
    assert!(migrated.status.success());
    database::tamper(&target, "INSERT INTO gateways VALUES ('g', 'n', 'n', '', 0, NULL)");
    let sentence = refused(folder.path(), &url, &target);
    assert!(sentence.contains("its table gateways has rows"), "{sentence}");
    database::tamper(&target, "DELETE FROM gateways");
    copied(folder.path(), &url, &target);
}

#[test]
fn a_database_is_not_copied_while_a_server_runs_on_it() {
    let (folder, url) = installation();
    let files = tempfile::tempdir().unwrap();
    let target = file(files.path(), "copy.db");
    let mut command = keydesk(folder.path());
    command.args(["--database-url", &url]);
    let serving = Serving::start(command, 2);
    let sentence = refused(folder.path(), &url, &target);
    assert!(sentence.contains("Stop"), "{sentence}");
    assert_eq!(fs::read_dir(files.path()).unwrap().count(), 0, "a file is left");
    assert_eq!(serving.stop(), 0);
    copied(folder.path(), &url, &target);
    let mode = fs::metadata(files.path().join("copy.db")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert_eq!(fs::read_dir(files.path()).unwrap().count(), 1, "a file is left");
}

#[test]
fn no_server_starts_on_a_database_that_is_being_copied() {
    let (folder, url) = installation();
    let start = || {
        let output = keydesk(folder.path()).args(["--database-url", &url]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        text(&output.stderr)
    };
    // As a copy does.
    if database::postgres().is_some() {
        let mut copying = PgConnection::establish(&url).unwrap();
        copying.batch_execute("SELECT pg_advisory_lock(x'006b65796465736d'::bigint)").unwrap();
        assert!(refused(folder.path(), &url, &file(folder.path(), "copy.db")).contains("another copy"));
        let sentence = start();
        assert!(sentence.contains("is being copied with keydesk database copy"), "{sentence}");
    } else {
        let path = url.strip_prefix("sqlite://").unwrap();
        let mut copying = SqliteConnection::establish(path).unwrap();
        copying.batch_execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN; SELECT count(*) FROM companies").unwrap();
        let sentence = start();
        assert!(sentence.contains("such as keydesk database copy"), "{sentence}");
    }
}

#[test]
fn an_older_state_of_the_database_is_not_copied() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let mut command = keydesk(folder.path());
    command.args(["--database-url", &url]);
    let serving = Serving::start(command, 2);
    serving.set_up();
    assert_eq!(serving.stop(), 0);
    database::tamper(&url, "UPDATE audit_trails SET size = 0, checkpoint = '' WHERE size > 0");
    let output = copy(folder.path(), &url, &file(folder.path(), "copy.db"));
    let sentence = text(&output.stderr).lines().last().unwrap().to_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(sentence.starts_with("The database was put back to an older state: "), "{sentence}");
    assert!(!folder.path().join("copy.db").exists());
}

#[test]
fn an_interrupted_copy_is_begun_again_and_other_files_are_kept() {
    let (folder, url) = installation();
    let files = tempfile::tempdir().unwrap();
    let partial = files.path().join("copy.db.partial");
    fs::write(&partial, "notes").unwrap();
    let target = file(files.path(), "copy.db");
    let sentence = refused(folder.path(), &url, &target);
    assert!(sentence.contains("copy.db.partial is in the way"), "{sentence}");
    assert_eq!(fs::read_to_string(&partial).unwrap(), "notes");
    fs::write(&partial, "SQLite format 3\0 and half a database").unwrap();
    fs::write(files.path().join("copy.db.partial-wal"), "half a log").unwrap();
    copied(folder.path(), &url, &target);
    assert_eq!(fs::read_dir(files.path()).unwrap().count(), 1);
}

#[test]
fn a_wrong_target_is_refused_by_the_name_of_its_flag() {
    let (folder, url) = installation();
    for wrong in ["mysql://u:hunter2@h/d", "", "sqlite://", "postgres://u:hunter2@h:port/d"] {
        let sentence = refused(folder.path(), &url, wrong);
        assert!(sentence.starts_with("--to ") && !sentence.contains("hunter2"), "{wrong}: {sentence}");
    }
    let nowhere = refused(folder.path(), &url, "postgres://u:hunter2@127.0.0.1:9/d");
    assert!(nowhere.contains("target") && !nowhere.contains("hunter2"), "{nowhere}");
    let nowhere = refused(folder.path(), &url, "sqlite:///nonexistent/folder/k.db");
    assert!(nowhere.contains("/nonexistent/folder/k.db.partial"), "{nowhere}");
    let file = folder.path().join("url");
    fs::write(&file, format!("{}\n", super::file(folder.path(), "copy.db"))).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let words = ["database", "copy", "--to-file", file.to_str().unwrap()];
    assert!(run(folder.path(), &url, &words, "").status.success());
    assert!(folder.path().join("copy.db").exists());
    assert_eq!(run(folder.path(), &url, &["database", "copy"], "").status.code(), Some(2));
}
