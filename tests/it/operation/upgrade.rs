//! Databases that older programs left are upgraded, and hold what they held. `tests/upgrade/record.py` recorded them.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use flate2::read::GzDecoder;
use keydesk::clock::Clock;
use keydesk::domain::trail::checkpoint::CheckpointKey;
use serde::Deserialize;
use tempfile::TempDir;

use super::small_disk::on_small_disk;
use crate::cli::start::refusal;
use crate::cli::{Serving, keydesk, run, text};
use crate::support::{API_KEYS, Browser, database, figures};

const LAST_MIGRATION: &str = "FROM __diesel_schema_migrations ORDER BY version DESC LIMIT 1";

/// What is true of a recorded database.
#[derive(Deserialize)]
struct Facts {
    company: String,
    email: String,
    password: String,
    auditor: Option<Auditor>,
    gateway: Option<String>,
    checkpoint: Option<String>,
    public_key: Option<String>,
    keys: Vec<RecordedKey>,
    secrets: serde_json::Value,
}

#[derive(Deserialize)]
struct Auditor {
    email: String,
    recovery_code: String,
}

#[derive(Deserialize)]
struct RecordedKey {
    id: String,
    key: String,
    name: String,
    state: String,
    /// When an active key ends, as RFC 3339 in UTC.
    until: Option<String>,
}

impl RecordedKey {
    fn is_good(&self, now: &str) -> bool {
        self.state == "active" && self.until.as_ref().is_none_or(|until| now < until.as_str())
    }
}

/// A recorded database, restored for one test.
pub struct State {
    facts: Facts,
    pub folder: TempDir,
    pub url: String,
}

impl State {
    pub fn restore(recorded: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = database::new_url(&folder);
        let kind = if database::postgres().is_some() { "postgres" } else { "sqlite" };
        let mut content = Vec::new();
        let archive = fs::File::open(recorded.join(kind).join("database.gz")).unwrap();
        GzDecoder::new(archive).read_to_end(&mut content).unwrap();
        if database::postgres().is_some() {
            PgConnection::establish(&url).unwrap().batch_execute(&text(&content)).unwrap();
        } else {
            fs::write(folder.path().join("keydesk.db"), content).unwrap();
        }
        let facts = fs::read_to_string(recorded.join(kind).join("facts.json")).unwrap();
        let facts: Facts = serde_json::from_str(&facts).unwrap();
        let secrets = folder.path().join("secrets");
        fs::write(&secrets, facts.secrets.to_string()).unwrap();
        fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600)).unwrap();
        Self { facts, folder, url }
    }

    fn start(&self) -> Serving {
        let mut command = keydesk(self.folder.path());
        command.args(["--database-url", &self.url]);
        Serving::start(command, 1)
    }

    pub fn last_migration(&self) -> String {
        database::column(&self.url, "version", LAST_MIGRATION).remove(0).unwrap()
    }

    /// Each good key is accepted, and each other one is refused.
    fn check_keys(&self, browser: &Browser) {
        let now = now();
        for key in &self.facts.keys {
            let answer = browser.bearer("/v1/whoami", &key.key);
            if key.is_good(&now) {
                let answer: serde_json::Value = serde_json::from_str(&answer.expect(200).body).unwrap();
                assert_eq!(
                    (&answer["key_id"], &answer["service_account"]["name"]),
                    (&(*key.id).into(), &(*key.name).into())
                );
            } else {
                answer.expect(401);
            }
        }
    }

    fn verify(&self, words: &[&str]) {
        let verified = run(self.folder.path(), &self.url, &[&["audit", "verify"], words].concat(), "");
        assert!(verified.status.success(), "{}{}", text(&verified.stdout), text(&verified.stderr));
    }

    /// The trail verifies, also against the checkpoint that was kept before the upgrade.
    fn verify_trail(&self) {
        self.verify(&[]);
        let (Some(checkpoint), Some(public_key)) = (&self.facts.checkpoint, &self.facts.public_key) else { return };
        // The line names the trail of the installation, and the key signs those of the companies, too.
        let (_, key) = CheckpointKey::parse_vkey(public_key).unwrap();
        let key = key.to_bytes().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let kept = [("kept-checkpoint", checkpoint), ("kept-key", &key)].map(|(name, content)| {
            let path = self.folder.path().join(name);
            fs::write(&path, content).unwrap();
            path.to_str().unwrap().to_owned()
        });
        self.verify(&["--company", &self.facts.company, "--checkpoint", &kept[0], "--public-key", &kept[1]]);
    }
}

/// The time, as RFC 3339 in UTC.
fn now() -> String {
    Clock::system().now().to_rfc_3339_with_micros().unwrap()
}

/// The folders of the recorded databases, the oldest first.
pub fn recorded() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upgrade/states");
    let mut states: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    states.sort();
    states
}

/// The copies that upgrades made.
fn copies(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.to_str().unwrap().contains(".before-")).collect()
}

/// What users and programs did before works afterwards.
fn check_use(state: &State, serving: &Serving) {
    let (browser, facts) = (serving.browser(), &state.facts);
    browser.post("/sign-in", &[("email", &facts.email), ("password", &facts.password)]).expect_redirect(API_KEYS);
    let now = now();
    let active = browser.get(API_KEYS).expect(200).html().key_names();
    let revoked = browser.get(&format!("{API_KEYS}?tab=revoked")).expect(200).html().key_names();
    for key in &facts.keys {
        let names = if key.is_good(&now) { &active } else { &revoked };
        assert!(names.contains(&key.name), "{}: {names:?}", key.name);
        browser.get(&format!("{API_KEYS}/{}", key.id)).expect(200);
    }
    assert_eq!(browser.get(&format!("{API_KEYS}?q=cafe")).expect(200).html().key_names(), ["Café Łódź"]);
    let (id, key) = browser.create_key("Made Later");
    browser.bearer("/v1/whoami", &key).expect(200);
    let old = facts.keys.iter().find(|key| key.is_good(&now)).unwrap();
    for (id, key) in [(&id, &key), (&old.id, &old.key)] {
        browser.revoke(id, "superseded", "").expect(303);
        browser.bearer("/v1/whoami", key).expect(401);
    }
    if let Some(Auditor { email, recovery_code }) = &facts.auditor {
        let browser = serving.browser();
        browser.post("/sign-in", &[("email", email), ("password", &facts.password)]).expect_redirect("/sign-in/code");
        browser.post("/sign-in/code", &[("code", recovery_code)]).expect_redirect(API_KEYS);
    }
    if let Some(gateway) = &facts.gateway {
        let asked = facts.keys.iter().rfind(|key| key.is_good(&now)).unwrap();
        let request = browser.request("POST", "/v1/introspect").bearer_auth(gateway).form(&[("token", &asked.key)]);
        assert!(crate::support::browser::send(request).expect(200).body.contains("\"active\":true"));
    }
}

#[test]
fn every_recorded_database_is_upgraded_whole() {
    let states = recorded();
    let number = states.len();
    assert!(number >= 5, "{states:?}");
    for path in states {
        let state = State::restore(&path);
        let before = state.last_migration();
        let serving = state.start();
        state.check_keys(&serving.browser());
        check_use(&state, &serving);
        serving.stop_and_read_log();
        state.verify_trail();
        println!("{}: from {before} to {}", path.file_name().unwrap().display(), state.last_migration());
    }
    figures::print("R11", format!("{number} of {number} recorded states upgraded whole"));
}

#[test]
fn a_database_is_copied_before_its_migration() {
    if database::postgres().is_some() {
        return;
    }
    let state = State::restore(&recorded()[0]);
    let before = state.last_migration();
    let log = state.start().stop_and_read_log();
    let [copy] = copies(state.folder.path()).try_into().unwrap();
    assert!(log.contains(&format!("file={}", copy.display())), "{log}");
    let name = format!("keydesk.db.before-{}-{before}", env!("CARGO_PKG_VERSION"));
    assert_eq!(copy.file_name().unwrap().to_str(), Some(&*name));
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    // It is the old database, whole: to go back is to put it in place and start the old program.
    let url = format!("sqlite://{}", copy.display());
    assert_eq!(database::column(&url, "version", LAST_MIGRATION), [Some(before.clone())]);
    assert_eq!(database::column(&url, "integrity_check", "FROM pragma_integrity_check"), [Some("ok".to_owned())]);
    let count = u64::try_from(state.facts.keys.len()).unwrap();
    assert_eq!(database::count(&url, "api_keys", "true"), count);
    // The next start has nothing to do.
    let log = state.start().stop_and_read_log();
    assert!(!log.contains("copied") && copies(state.folder.path()) == [copy.clone()], "{log}");
    // Another upgrade from the same schema keeps the later data.
    fs::copy(&copy, state.folder.path().join("keydesk.db")).unwrap();
    for companion in ["keydesk.db-wal", "keydesk.db-shm", "remembered-checkpoints"] {
        let _ = fs::remove_file(state.folder.path().join(companion));
    }
    database::tamper(&state.url, "UPDATE companies SET name = 'Later'");
    let migrated = run(state.folder.path(), &state.url, &["migrate"], "");
    assert!(migrated.status.success(), "{migrated:?}");
    assert_eq!(copies(state.folder.path()), [copy]);
    assert!(database::count(&url, "companies", "name = 'Later'") > 0);
}

#[test]
fn the_copy_can_be_left_out() {
    let state = State::restore(&recorded()[0]);
    let output = run(state.folder.path(), &state.url, &["migrate", "--migration-backup", "never"], "");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(copies(state.folder.path()), [] as [PathBuf; 0]);
}

#[test]
fn without_space_for_the_copy_nothing_is_migrated() {
    if database::postgres().is_some() {
        return;
    }
    let state = State::restore(&recorded()[0]);
    let size = fs::metadata(state.folder.path().join("keydesk.db")).unwrap().len();
    let elsewhere = tempfile::tempdir().unwrap();
    let mut program = keydesk(elsewhere.path());
    program.args(["migrate", "--database-url"]).arg(format!("sqlite://{}/keydesk.db", elsewhere.path().display()));
    // The disk holds the database and one more of them.
    let command = on_small_disk(&program, elsewhere.path(), size * 2, Some(state.folder.path()));
    let output = { command }.output().unwrap();
    let sentence = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{sentence}");
    assert!(sentence.contains("too little space") && sentence.contains("--migration-backup never"), "{sentence}");
}

#[test]
fn a_copy_that_cannot_be_written_is_named() {
    if database::postgres().is_some() {
        return;
    }
    let state = State::restore(&recorded()[0]);
    let before = state.last_migration();
    let copy = format!("keydesk.db.before-{}-{before}", env!("CARGO_PKG_VERSION"));
    // A folder is in its place.
    fs::create_dir_all(state.folder.path().join(&copy).join("x")).unwrap();
    let sentence = refusal(state.folder.path(), &["--database-url", &state.url], &[]);
    assert!(sentence.contains(&copy) && sentence.contains("--migration-backup never"), "{sentence}");
    assert_eq!(state.last_migration(), before);
    assert!(!state.folder.path().join(format!("{copy}.partial")).exists());
}
