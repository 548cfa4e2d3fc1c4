//! `keydesk backup`: the file, what it refuses, and the metric.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use keydesk::domain::text::normalize::hex;
use keydesk::domain::timestamp::Timestamp;
use sha2::{Digest, Sha256};

use super::{Setup, is_sqlite, names, refuse, run_in, split, succeed};
use crate::cli::{keydesk, run, text};
use crate::support::{TestServer, database};

#[test]
fn a_backup_is_a_private_file_that_ends_with_its_manifest() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    setup.admin.create_key("ERP Sync");
    let file = setup.file("backup");
    let printed = succeed(setup.data_dir(), &["backup", file.to_str().unwrap()]);
    assert_eq!(names(setup.files.path()), ["backup"]);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let (pages, _, manifest) = split(&file);
    assert_eq!(pages.len() as u64, manifest.database.bytes);
    assert_eq!(hex(&Sha256::digest(&pages)), manifest.database.sha256);
    assert!(pages.starts_with(b"SQLite format 3\0"));
    let size = fs::metadata(&file).unwrap().len();
    let expected =
        format!("Backup: {}, {size} bytes, {} events in 2 audit trails\n", file.display(), manifest.events());
    assert_eq!(printed, expected);
    let url = &setup.server.database_url;
    let heads = database::column(url, "id || size || checkpoint", "FROM audit_trails ORDER BY id");
    let mut trails: Vec<_> = manifest
        .trails
        .iter()
        .map(|trail| Some(format!("{}{}{}", trail.trail, trail.size, trail.checkpoint)))
        .collect();
    trails.sort();
    assert_eq!(trails, heads);
    assert_eq!(manifest.installation, setup.server.actions.installation);
    let schema = database::column(url, "max(version)", "FROM __diesel_schema_migrations");
    assert_eq!((manifest.keydesk.as_str(), &Some(manifest.schema)), (env!("CARGO_PKG_VERSION"), &schema[0]));
    assert_eq!((manifest.secrets.len(), manifest.differences), (6, 0));
    assert!(Timestamp::parse_rfc_3339(&manifest.began_at).is_some());
}

#[test]
fn the_database_of_a_backup_can_be_used_by_hand() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    let (id, _) = setup.admin.create_key("ERP Sync");
    let (pages, _, _) = split(&setup.back_up("backup"));
    fs::write(setup.file("by-hand.db"), pages).unwrap();
    let url = format!("sqlite://{}", setup.file("by-hand.db").display());
    assert_eq!(database::column(&url, "id", "FROM api_keys"), [Some(id)]);
}

#[test]
fn a_backup_never_replaces_a_file() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    fs::write(setup.file("backup"), "mine").unwrap();
    std::os::unix::fs::symlink("nowhere", setup.file("link")).unwrap();
    for name in ["backup", "link", "."] {
        let file = setup.file(name);
        let sentence = refuse(setup.data_dir(), &["backup", file.to_str().unwrap()]);
        assert!(sentence.contains("exists. Name a new file"), "{sentence}");
    }
    assert_eq!(fs::read_to_string(setup.file("backup")).unwrap(), "mine");
    assert_eq!(names(setup.files.path()), ["backup", "link"]);
}

#[test]
fn an_interrupted_backup_is_replaced_and_a_running_one_is_not() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    fs::write(setup.file("backup.partial"), "interrupted").unwrap();
    let lock = File::create(setup.data_dir().join("backup-lock")).unwrap();
    lock.try_lock().unwrap();
    let file = setup.file("backup");
    let sentence = refuse(setup.data_dir(), &["backup", file.to_str().unwrap()]);
    assert!(sentence.contains("Another backup of this installation"), "{sentence}");
    assert_eq!(names(setup.files.path()), ["backup.partial"]);
    drop(lock);
    setup.back_up("backup");
    assert_eq!(names(setup.files.path()), ["backup"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    for file in ["/proc/backup", "/nowhere/backup"] {
        let sentence = refuse(setup.data_dir(), &["backup", file]);
        assert!(sentence.starts_with(&format!("{file} cannot be written: ")), "{sentence}");
    }
}

#[test]
fn a_full_disk_is_named_and_nothing_is_left_on_it() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    let small = setup.file("small");
    fs::create_dir(&small).unwrap();
    let program = keydesk(setup.data_dir());
    // A disk of its own, on which nothing may be left.
    let script = "mount -t tmpfs -o size=64k tmpfs \"$1\" && shift && if \"$@\"; then exit 9; fi; ls -A \"$0\"";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script]).arg(&small).arg(&small);
    command.arg(program.get_program()).args(program.get_args()).arg("backup").arg(small.join("backup"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output.stdout), "");
    let sentence = text(&output.stderr);
    assert!(sentence.starts_with("There is no space left to write "), "{sentence}");
}

#[test]
fn a_database_that_is_not_as_recorded_is_backed_up_on_request_only() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    let (id, _) = setup.admin.create_key("ERP Sync");
    let change = format!("UPDATE api_keys SET expires_at = 9000000000000000 WHERE id = '{id}'");
    database::tamper(&setup.server.database_url, &change);
    let file = setup.file("backup");
    let words = ["backup", file.to_str().unwrap()];
    let sentence = refuse(setup.data_dir(), &words);
    assert!(sentence.contains("not what the audit trail of “Brightwater” says: 1 difference."), "{sentence}");
    assert!(sentence.contains("keydesk audit verify") && sentence.contains("--despite-differences"), "{sentence}");
    assert!(names(setup.files.path()).is_empty());
    let output = run_in(setup.data_dir(), &[&words[..], &["--despite-differences"]].concat());
    assert!(output.status.success() && text(&output.stderr).contains("“Brightwater”"), "{output:?}");
    assert_eq!(split(&file).2.differences, 1);
    let folder = setup.folder_with_secrets("restored");
    let words = ["restore", file.to_str().unwrap()];
    assert!(refuse(&folder, &words).contains("--despite-differences"));
    assert_eq!(names(&folder), ["lock", "secrets"]);
    succeed(&folder, &[&words[..], &["--despite-differences"]].concat());
}

#[test]
fn a_backup_needs_the_secrets_that_it_names() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    let file = setup.file("backup");
    let words = ["backup", file.to_str().unwrap(), "--secrets-file", "/nowhere/secrets"];
    let sentence = refuse(setup.data_dir(), &words);
    assert!(sentence.starts_with("The secrets file is missing"), "{sentence}");
    let sentence = refuse(Path::new("/nowhere"), &["backup", file.to_str().unwrap()]);
    assert!(sentence.starts_with("There is no installation"), "{sentence}");
    assert!(names(setup.files.path()).is_empty());
}

#[test]
fn postgresql_is_backed_up_by_its_own_programs() {
    let Some(_) = database::postgres() else { return };
    let server = TestServer::start();
    for words in [["backup", "/nowhere/backup"], ["restore", "/nowhere/backup"]] {
        let output = run(server.folder.path(), &server.database_url, &words, "");
        let sentence = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1));
        assert!(sentence.contains("pg_") && sentence.contains("docs/operating.md"), "{sentence}");
    }
    assert_eq!(server.sampled("keydesk_backup_age_seconds"), None);
}

#[test]
fn the_age_of_the_last_backup_is_measured() {
    if !is_sqlite() {
        return;
    }
    let server = TestServer::with_system_clock();
    let age = || server.sampled("keydesk_backup_age_seconds").unwrap();
    assert!(age().is_infinite());
    let file = server.folder.path().join("backup");
    succeed(server.folder.path(), &["backup", file.to_str().unwrap()]);
    assert!((0.0..600.0).contains(&age()), "{}", age());
    let last = server.folder.path().join("last-backup");
    let began = fs::read_to_string(&last).unwrap();
    refuse(server.folder.path(), &["backup", file.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(&last).unwrap(), began, "a backup that failed does not count");
    fs::write(&last, began.replace("20", "19")).unwrap();
    assert!(age() > 1e9, "{}", age());
    fs::write(&last, "damaged").unwrap();
    assert!(age().is_infinite());
}
