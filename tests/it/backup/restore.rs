//! `keydesk restore FILE`.

use std::fs;

use super::{Setup, is_sqlite, names, refuse, run_in, serve, split, succeed};
use crate::cli::text;
use crate::support::PASSWORD;

#[test]
fn a_restored_installation_serves_the_same_keys() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    let (_, key) = setup.admin.create_key("ERP Sync");
    let (id, revoked) = setup.admin.create_key("Reporting");
    setup.admin.revoke(&id, "compromised", "").expect(303);
    let backup = setup.back_up("backup");
    let folder = setup.folder_with_secrets("restored");
    let printed = succeed(&folder, &["restore", backup.to_str().unwrap()]);
    let (_, _, manifest) = split(&backup);
    let database = folder.join("keydesk.db");
    let expected = format!("Restored: {}, as of {}, ", database.display(), manifest.began_at);
    assert!(printed.starts_with(&expected), "{printed}");
    assert!(printed.contains("A checkpoint that you kept tells which"), "{printed}");
    assert!(printed.ends_with(&format!("Start it with: keydesk serve --data-dir {}\n", folder.display())));
    assert_eq!(names(&folder), ["keydesk.db", "last-backup", "lock", "secrets"]);
    let verified = succeed(&folder, &["audit", "verify"]);
    assert!(verified.contains("all as they were recorded"), "{verified}");
    let (_serving, browser) = serve(&folder);
    assert_eq!(browser.bearer("/v1/whoami", &key).status, 200);
    assert_eq!(browser.bearer("/v1/whoami", &revoked).status, 401);
    browser.get("/readyz").expect(200);
    browser.post("/sign-in", &[("email", "maria@brightwater.example"), ("password", PASSWORD)]).expect(303);
    browser.create_key("After the restore");
}

#[test]
fn the_folder_is_created_and_the_secrets_may_be_elsewhere() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    let backup = setup.back_up("backup");
    let (folder, secrets) = (setup.file("new folder"), setup.data_dir().join("secrets"));
    let words = ["restore", backup.to_str().unwrap(), "--secrets-file", secrets.to_str().unwrap()];
    let printed = succeed(&folder, &words);
    let start = format!("keydesk serve --data-dir '{}' --secrets-file {}", folder.display(), secrets.display());
    assert!(printed.contains(&start), "{printed}");
    assert_eq!(names(&folder), ["keydesk.db", "last-backup", "lock"]);
    succeed(&folder, &["company", "list", "--secrets-file", secrets.to_str().unwrap()]);
}

#[test]
fn a_restore_never_replaces_an_installation() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    let backup = setup.back_up("backup");
    let words = ["restore", backup.to_str().unwrap()];
    let before = fs::read(setup.data_dir().join("keydesk.db")).unwrap();
    assert!(refuse(setup.data_dir(), &words).contains("There is an installation already"));
    assert_eq!(fs::read(setup.data_dir().join("keydesk.db")).unwrap(), before);
    for left in ["keydesk.db", "keydesk.db-wal", "keydesk.db-shm"] {
        let folder = setup.folder_with_secrets(&format!("with-{left}"));
        fs::write(folder.join(left), "mine").unwrap();
        let sentence = refuse(&folder, &words);
        assert!(sentence.contains(left) && sentence.contains("--data-dir"), "{sentence}");
        assert_eq!(fs::read_to_string(folder.join(left)).unwrap(), "mine");
    }
}

#[test]
fn a_backup_of_an_older_version_is_brought_up_to_date() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    let (_, key) = setup.admin.create_key("ERP Sync");
    // A change of what names are searched by needs a migration like one of tables.
    let backup = setup.back_up("backup");
    let older = setup.edited(&backup, "older", "UPDATE name_keys SET version = 'older'");
    let folder = setup.folder_with_secrets("restored");
    succeed(&folder, &["restore", older.to_str().unwrap()]);
    let (_serving, browser) = serve(&folder);
    assert_eq!(browser.bearer("/v1/whoami", &key).status, 200);
}

#[test]
fn a_restore_into_the_folder_of_a_lost_database_names_what_the_server_remembers() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    let (id, key) = setup.admin.create_key("ERP Sync");
    let backup = setup.back_up("backup");
    setup.admin.revoke(&id, "compromised", "").expect(303);
    setup.server.compare_trails();
    let folder = setup.folder_with_secrets("lost");
    let memory = "remembered-checkpoints";
    fs::copy(setup.data_dir().join(memory), folder.join(memory)).unwrap();
    let output = run_in(&folder, &["restore", backup.to_str().unwrap()]);
    let printed = text(&output.stdout);
    assert!(output.status.success() && printed.contains("“Brightwater”: event 5 is missing"), "{output:?}");
    let (_serving, browser) = serve(&folder);
    assert_eq!(browser.bearer("/v1/whoami", &key).status, 503);
}
