//! Several servers start at once on an empty database, and each secret is checked against it later.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cli::start::refusal;
use crate::cli::{keydesk, run, text};
use crate::support::database;

const ROUNDS: usize = 25;
const SERVERS: usize = 3;

/// Starts a program that opens the installation, and creates what is missing.
fn open(data: &Path, flags: &[&str]) -> Child {
    static GATEWAYS: AtomicUsize = AtomicUsize::new(0);
    let name = format!("gateway-{}", GATEWAYS.fetch_add(1, Ordering::Relaxed));
    let mut command = keydesk(data);
    command.args(flags).args(["gateway", "add", &name]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn all_succeed(programs: Vec<Child>) {
    for program in programs {
        let output = program.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
}

#[test]
fn servers_that_start_at_once_agree_on_the_secrets() {
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        let (url, secrets) = (database::new_url(&folder), folder.path().join("shared-secrets"));
        let flags = ["--database-url", &url, "--secrets-file", secrets.to_str().unwrap()];
        // SQLite's file is created under the lock of the data folder, which the servers share.
        let is_shared = database::postgres().is_none();
        let data = |server| if is_shared { folder.path().to_owned() } else { folder.path().join(format!("{server}")) };
        all_succeed((0..SERVERS).map(|server| open(&data(server), &flags)).collect());
        all_succeed((0..SERVERS).map(|server| open(&data(server), &flags)).collect());
        let left = fs::read_dir(folder.path()).unwrap().flatten();
        assert!(!left.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(".secrets-")));
    }
}

#[test]
fn servers_that_share_an_empty_data_folder_agree_on_the_secrets() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let url = database::new_url(&folder);
        all_succeed((0..SERVERS).map(|_| open(folder.path(), &["--database-url", &url])).collect());
        all_succeed(vec![open(folder.path(), &["--database-url", &url])]);
    }
}

/// Replaces the value of one secret in the file by one of the same length.
fn edit(genuine: &str, name: &str) -> String {
    let mut file: serde_json::Value = serde_json::from_str(genuine).unwrap();
    let set = &mut file["sets"][0];
    let value = set[name].as_str().unwrap();
    let first = if value.starts_with('a') { 'b' } else { 'a' };
    set[name] = format!("{first}{}", &value[1..]).into();
    file.to_string()
}

#[test]
fn a_changed_secret_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    assert!(run(folder.path(), &url, &["gateway", "add", "first"], "").status.success());
    let path = folder.path().join("secrets");
    let genuine = fs::read_to_string(&path).unwrap();
    for (name, words) in [
        ("pepper", "The pepper in"),
        ("checkpoint_seed", "key that signs checkpoints"),
        ("submission_key", "key of form submissions"),
        ("cookie_key", "The cookie key"),
        ("throttle_key", "The throttle key"),
        ("second_factor", "key of second factors"),
    ] {
        fs::write(&path, edit(&genuine, name)).unwrap();
        let sentence = refusal(folder.path(), &["--database-url", &url], &[]);
        assert!(sentence.contains(words) && sentence.contains("does not belong to this database"), "{sentence}");
        assert!(sentence.contains(path.to_str().unwrap()), "{sentence}");
    }
    fs::write(&path, &genuine).unwrap();
    assert!(run(folder.path(), &url, &["gateway", "list"], "").status.success());
}

#[test]
fn a_database_of_an_older_version_adopts_the_secrets_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    assert!(run(folder.path(), &url, &["gateway", "add", "first"], "").status.success());
    let rows = || database::column(&url, "name || id", "FROM secret_checks ORDER BY name, id");
    let (created, path) = (rows(), folder.path().join("secrets"));
    assert_eq!(created.len(), 6);
    database::tamper(&url, "DELETE FROM secret_checks");
    let genuine = fs::read_to_string(&path).unwrap();
    fs::write(&path, edit(&genuine, "id")).unwrap();
    assert!(refusal(folder.path(), &["--database-url", &url], &[]).contains("another database"));
    assert_eq!(rows(), []);
    fs::write(&path, &genuine).unwrap();
    all_succeed((0..SERVERS).map(|_| open(folder.path(), &["--database-url", &url])).collect());
    assert_eq!(rows(), created);
}
