//! What a kept checkpoint says about a restored backup.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Setup, is_sqlite, names, refuse, run_in, serve, succeed};
use crate::cli::text;
use crate::support::AUDIT_TRAIL;
use crate::support::companies::add_company;

/// Writes the current checkpoint and the public key, as an admin downloads them.
fn keep(setup: &Setup) -> (PathBuf, PathBuf) {
    let (checkpoint, key) = (setup.file("kept.checkpoint"), setup.file("kept.vkey"));
    fs::write(&checkpoint, setup.admin.get(&format!("{AUDIT_TRAIL}/checkpoint")).expect(200).body).unwrap();
    fs::write(&key, setup.admin.get(&format!("{AUDIT_TRAIL}/public-key")).expect(200).body).unwrap();
    (checkpoint, key)
}

/// Restores a backup with the checkpoint and the key. Returns what is printed.
fn restore_with(folder: &Path, backup: &Path, (checkpoint, key): &(PathBuf, PathBuf)) -> String {
    let [backup, checkpoint, key] = [backup, checkpoint, key].map(|path| path.to_str().unwrap());
    succeed(folder, &["restore", backup, "--checkpoint", checkpoint, "--public-key", key])
}

#[test]
fn missing_events_are_named_and_their_company_is_not_served() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    let (id, key) = setup.admin.create_key("ERP Sync");
    let backup = setup.back_up("backup");
    setup.admin.create_key("Reporting");
    setup.admin.revoke(&id, "compromised", "").expect(303);
    let kept = keep(&setup);
    let folder = setup.folder_with_secrets("restored");
    let printed = restore_with(&folder, &backup, &kept);
    assert!(printed.contains("\n“Brightwater”: events 5 to 6 are missing\n"), "{printed}");
    assert!(printed.contains("keydesk restore --accept-loss"), "{printed}");
    assert_eq!(names(&folder), ["keydesk.db", "last-backup", "lock", "remembered-checkpoints", "secrets"]);
    let (serving, browser) = serve(&folder);
    assert_eq!(browser.bearer("/v1/whoami", &key).status, 503);
    let ready = browser.get("/readyz").expect(503).body;
    assert!(ready.contains("events 5 to 6 are missing"), "{ready}");
    assert_eq!(serving.stop(), 0);
    let accepted = succeed(&folder, &["restore", "--accept-loss"]);
    assert!(accepted.contains("events 5 to 6 are missing"), "{accepted}");
    let (_serving, browser) = serve(&folder);
    assert_eq!(browser.bearer("/v1/whoami", &key).status, 200);
    browser.get("/readyz").expect(200);
}

#[test]
fn a_whole_backup_is_served_at_once() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    setup.admin.create_key("ERP Sync");
    let kept = keep(&setup);
    let (_, key) = setup.admin.create_key("Reporting");
    let backup = setup.back_up("backup");
    let folder = setup.folder_with_secrets("restored");
    let printed = restore_with(&folder, &backup, &kept);
    assert!(!printed.contains("missing") && !printed.contains("are lost"), "{printed}");
    let (_serving, browser) = serve(&folder);
    assert_eq!(browser.bearer("/v1/whoami", &key).status, 200);
    browser.get("/readyz").expect(200);
}

#[test]
fn a_later_backup_ends_the_state_in_which_events_are_missing() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    let (_, key) = setup.admin.create_key("ERP Sync");
    let backup = setup.back_up("backup");
    setup.admin.create_key("Reporting");
    let kept = keep(&setup);
    setup.admin.create_key("Invoices");
    let later = setup.back_up("later");
    let folder = setup.folder_with_secrets("restored");
    assert!(restore_with(&folder, &backup, &kept).contains("event 5 is missing"));
    // The events that the checkpoint signs are found among more of them.
    fs::remove_file(folder.join("keydesk.db")).unwrap();
    let printed = succeed(&folder, &["restore", later.to_str().unwrap()]);
    assert!(!printed.contains("missing"), "{printed}");
    let (_serving, browser) = serve(&folder);
    assert_eq!(browser.bearer("/v1/whoami", &key).status, 200);
    browser.get("/readyz").expect(200);
}

#[test]
fn a_file_of_a_witness_names_a_trail_that_is_gone() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    let backup = setup.back_up("backup");
    let company = add_company(&setup.server.actions, "Northwind");
    let note = |company: &str| {
        let words = ["audit", "checkpoint", "--company", company];
        succeed(setup.data_dir(), &words)
    };
    setup.admin.create_key("ERP Sync");
    let witness = setup.file("witness");
    fs::write(&witness, format!("{}\n{}\n", note("Brightwater"), note("Northwind"))).unwrap();
    let folder = setup.folder_with_secrets("restored");
    let words = ["restore", backup.to_str().unwrap(), "--checkpoint", witness.to_str().unwrap()];
    let printed = succeed(&folder, &words);
    assert!(printed.contains("“Brightwater”: event 4 is missing"), "{printed}");
    let gone = format!("the missing company {company}: the trail is missing, with its 1 events");
    assert!(printed.contains(&gone), "{printed}");
}

#[test]
fn a_foreign_checkpoint_or_key_is_refused() {
    if !is_sqlite() {
        return;
    }
    let (setup, other) = (Setup::new(), Setup::new());
    let (backup, kept, foreign) = (setup.back_up("backup"), keep(&setup), keep(&other));
    let folder = setup.folder_with_secrets("restored");
    let words = |checkpoint: &Path, key: &Path| {
        let paths = [checkpoint, key].map(|path| path.to_str().unwrap().to_owned());
        let [checkpoint, key] = paths;
        vec![
            "restore".to_owned(),
            backup.to_str().unwrap().to_owned(),
            "--checkpoint".to_owned(),
            checkpoint,
            "--public-key".to_owned(),
            key,
        ]
    };
    for (checkpoint, key, sentence) in [
        (&foreign.0, &kept.1, "belongs to another installation"),
        (&kept.0, &foreign.1, "The public key is not that of the secrets file"),
        (&backup, &kept.1, "holds no checkpoint"),
    ] {
        let words = words(checkpoint, key);
        let refused = refuse(&folder, &words.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(refused.contains(sentence), "{refused}");
    }
    assert_eq!(names(&folder), ["lock", "secrets"]);
    let usage = run_in(&folder, &["restore", "--accept-loss", backup.to_str().unwrap()]);
    assert_eq!(usage.status.code(), Some(2), "{}", text(&usage.stderr));
}

#[test]
fn a_checkpoint_of_a_former_key_is_accepted() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    setup.admin.create_key("ERP Sync");
    let kept = keep(&setup);
    let next = setup.server.with_next_key(1, &[]);
    let backup = setup.back_up("backup");
    next.admin().create_key("Reporting");
    let folder = setup.folder_with_secrets("restored");
    let printed = restore_with(&folder, &backup, &kept);
    assert!(printed.contains("Restored: ") && !printed.contains("missing"), "{printed}");
    let (_serving, browser) = serve(&folder);
    browser.get("/readyz").expect(200);
    let later = (setup.file("later.checkpoint"), kept.1.clone());
    let address = format!("{AUDIT_TRAIL}/checkpoint");
    fs::write(&later.0, next.admin().get(&address).expect(200).body).unwrap();
    let printed = restore_with(&setup.folder_with_secrets("again"), &backup, &later);
    assert!(printed.contains("are missing"), "{printed}");
    let stranger = keydesk::domain::trail::checkpoint::CheckpointSigner::from_seed(&[7; 32]);
    let origin = fs::read_to_string(&kept.0).unwrap().lines().next().unwrap().to_owned();
    fs::write(&later.0, stranger.sign(&origin, 90, &[7; 32])).unwrap();
    let words = ["restore", backup.to_str().unwrap(), "--checkpoint", later.0.to_str().unwrap()];
    let folder = setup.folder_with_secrets("refused");
    assert!(refuse(&folder, &words).contains("is not valid: its signature"));
    assert_eq!(names(&folder), ["lock", "secrets"]);
}
