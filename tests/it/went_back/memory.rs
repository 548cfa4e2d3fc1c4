//! The file of the remembered checkpoints, and the start of a server with it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{keep, put_back};
use crate::cli::start::refusal;
use crate::cli::{Serving, keydesk, run, text};
use crate::support::{Browser, PASSWORD, TestServer, database, figures};

/// An installation that a process serves.
struct Installation {
    folder: tempfile::TempDir,
    url: String,
}

impl Installation {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = database::new_url(&folder);
        let installation = Self { folder, url };
        let add = |words: &[&str], input: &str| {
            let output = run(installation.data(), &installation.url, words, input);
            assert!(output.status.success(), "{}", text(&output.stderr));
        };
        add(&["company", "add", "--name", "Brightwater"], "");
        let user = ["user", "add", "--company", "Brightwater", "--name", "Maria", "--email", "maria@b.example"];
        add(&[&user[..], &["--role", "admin", "--password-stdin"]].concat(), PASSWORD);
        installation
    }

    fn data(&self) -> &Path {
        self.folder.path()
    }

    fn memory(&self) -> PathBuf {
        self.data().join("remembered-checkpoints")
    }

    fn serve(&self) -> (Serving, Browser) {
        let mut command = keydesk(self.data());
        command.args(["--database-url", &self.url]);
        let serving = Serving::start(command, 1);
        let address = serving.line("Listening on http://").parse().unwrap();
        (serving, Browser::new(address))
    }

    fn refusal(&self) -> String {
        refusal(self.data(), &["--database-url", &self.url], &[])
    }
}

fn sign_in(browser: &Browser) {
    browser.post("/sign-in", &[("email", "maria@b.example"), ("password", PASSWORD)]).expect(303);
}

/// Serves, revokes a key, and stops. `before` runs before the revocation, while the server is stopped.
fn serve_and_revoke(installation: &Installation, before: impl FnOnce()) -> String {
    let (serving, browser) = installation.serve();
    sign_in(&browser);
    let (id, key) = browser.create_key("ERP Sync");
    assert_eq!(serving.stop(), 0);
    before();
    let (serving, browser) = installation.serve();
    sign_in(&browser);
    browser.revoke(&id, "compromised", "").expect(303);
    assert_eq!(serving.stop(), 0);
    key
}

fn assert_stopped(installation: &Installation, key: &str) {
    let (serving, browser) = installation.serve();
    assert_eq!(browser.bearer("/v1/whoami", key).status, 503);
    assert_eq!(browser.get("/readyz").status, 503);
    let log = serving.log();
    assert!(log.contains("ERROR") && log.contains("are missing"), "{log}");
    drop(serving);
    let accepted = run(installation.data(), &installation.url, &["restore", "--accept-loss"], "");
    assert!(accepted.status.success(), "{}", text(&accepted.stderr));
    let (_serving, browser) = installation.serve();
    assert_eq!(browser.get("/readyz").status, 200);
    assert_eq!(browser.bearer("/v1/whoami", key).status, 200);
}

#[test]
fn an_older_database_is_noticed_before_the_first_answer() {
    let installation = Installation::new();
    let key = serve_and_revoke(&installation, || keep(&installation.url, "old"));
    put_back(&installation.url, "old");
    assert_stopped(&installation, &key);
    figures::print("R13", "an older database is noticed before the first answer");
}

#[test]
fn an_older_copy_of_the_database_file_is_noticed_before_the_first_answer() {
    if database::postgres().is_some() {
        return;
    }
    let installation = Installation::new();
    let (file, copy) = (installation.data().join("keydesk.db"), installation.data().join("copy.db"));
    let copied = format!("VACUUM INTO '{}'", copy.display());
    let key = serve_and_revoke(&installation, || database::tamper(&installation.url, &copied));
    for left in ["keydesk.db-wal", "keydesk.db-shm"] {
        let _ = fs::remove_file(installation.data().join(left));
    }
    fs::rename(&copy, &file).unwrap();
    assert_stopped(&installation, &key);
}

#[test]
fn the_memory_is_written_when_the_server_stops_and_readable_by_its_owner_only() {
    let installation = Installation::new();
    let (serving, browser) = installation.serve();
    sign_in(&browser);
    browser.create_key("ERP Sync");
    assert_eq!(serving.stop(), 0);
    let memory = fs::read_to_string(installation.memory()).unwrap();
    let latest = &database::column(&installation.url, "checkpoint", "FROM audit_trails ORDER BY size DESC")[0];
    let latest = serde_json::to_string(latest).unwrap();
    assert!(memory.contains(&latest), "{latest} in {memory}");
    assert_eq!(fs::metadata(installation.memory()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_damaged_edited_or_foreign_memory_is_refused() {
    let installation = Installation::new();
    let (serving, _) = installation.serve();
    assert_eq!(serving.stop(), 0);
    let genuine = fs::read_to_string(installation.memory()).unwrap();
    let lines = genuine.lines().count();
    let cut: String = genuine.split_inclusive('\n').take(lines - 1).collect();
    for damaged in [String::new(), cut, genuine.replacen("\"size\":", "\"size\":1", 1), "hunter2".to_owned()] {
        fs::write(installation.memory(), damaged).unwrap();
        let sentence = installation.refusal();
        assert!(sentence.contains("checkpoints") && sentence.contains("damaged"), "{sentence}");
        assert!(!sentence.contains("hunter2"), "{sentence}");
    }
    fs::write(installation.memory(), &genuine).unwrap();
    fs::set_permissions(installation.memory(), fs::Permissions::from_mode(0o666)).unwrap();
    assert!(installation.refusal().contains("chmod 600"));
    fs::set_permissions(installation.memory(), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(installation.serve().0.stop(), 0);
    fs::remove_file(installation.memory()).unwrap();
    assert_eq!(installation.serve().0.stop(), 0);
    assert!(installation.memory().exists());
}

#[test]
fn the_memory_of_another_database_is_refused_unless_a_new_one_is_wanted() {
    let installation = Installation::new();
    let (serving, _) = installation.serve();
    assert_eq!(serving.stop(), 0);
    let empty = tempfile::tempdir().unwrap();
    let other = database::new_url(&empty);
    let refused = refusal(installation.data(), &["--database-url", &other], &[]);
    assert!(refused.contains("--new-database"), "{refused}");
    let added = run(installation.data(), &other, &["company", "add", "--name", "Brightwater", "--new-database"], "");
    assert!(added.status.success(), "{}", text(&added.stderr));
    let aside = fs::read_dir(installation.data()).unwrap().flatten();
    assert!(
        aside.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("remembered-checkpoints-of-"))
    );
}

#[test]
fn a_server_does_not_remember_more_than_the_database_holds() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.create_key("ERP Sync");
    server.compare_trails();
    let trail = server.company("Brightwater").into();
    let remembered = server.actions.memory.trail(trail).unwrap();
    let stored = server.actions.store.query(|db| db.trails().head(trail)).unwrap();
    assert_eq!((remembered.note.as_str(), remembered.size()), (stored.checkpoint.as_str(), stored.size.unsigned_abs()));
    // A change that is rolled back is not remembered.
    admin.add_key("ERP Sync").expect(422);
    assert_eq!(server.actions.memory.trail(trail).unwrap().note, remembered.note);
}
