//! Continuous replication by Litestream, with the file in `deploy`.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{is_sqlite, serve, succeed};
use crate::cli::{Serving, keydesk, text};
use crate::support::{AUDIT_TRAIL, Browser, database};

const DEADLINE: Duration = Duration::from_mins(1);

/// A served installation, and Litestream with a replica of its database.
struct Replicated {
    folder: tempfile::TempDir,
    serving: Serving,
    admin: Browser,
    litestream: Litestream,
}

struct Litestream {
    config: PathBuf,
    database: PathBuf,
    process: Child,
}

impl Drop for Litestream {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> PathBuf {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/litestream/bin/litestream");
    assert!(program.exists(), "{} is missing. Run: make target/litestream/bin/litestream", program.display());
    program
}

impl Litestream {
    /// Replicates the database of a data folder with the file in `deploy`, whose paths are replaced.
    fn start(folder: &Path, data_dir: &Path) -> Self {
        let file = include_str!("../../../deploy/litestream.yml");
        let paths = [("/var/lib/keydesk", data_dir.to_owned()), ("/mnt/backups/keydesk", folder.join("replica"))];
        let file = paths.iter().fold(file.to_owned(), |file, (path, own)| {
            assert!(file.contains(path), "{path}");
            file.replace(path, own.to_str().unwrap())
        });
        let config = folder.join("litestream.yml");
        fs::write(&config, file).unwrap();
        let mut command = Command::new(program());
        command.arg("replicate").arg("-config").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
        Self { config, database: data_dir.join("keydesk.db"), process: command.spawn().unwrap() }
    }

    /// Restores what is in the replica now; `false` if that is nothing.
    fn try_restore(&self, target: &Path) -> bool {
        let mut command = Command::new(program());
        command.arg("restore").arg("-config").arg(&self.config).arg("-o").arg(target).arg(&self.database);
        command.output().unwrap().status.success()
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap().success());
    }
}

impl Replicated {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        let serving = Serving::start(keydesk(&data_dir), 2);
        let admin = serving.set_up();
        let litestream = Litestream::start(folder.path(), &data_dir);
        Self { folder, serving, admin, litestream }
    }

    /// Waits until the replica holds this many keys.
    fn await_replica(&self, keys: usize) {
        let started = Instant::now();
        for attempt in 0.. {
            let copy = self.folder.path().join(format!("attempt-{attempt}.db"));
            if self.litestream.try_restore(&copy) && count_keys(&copy) >= keys {
                return;
            }
            assert!(started.elapsed() < DEADLINE, "the replica does not follow");
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Kills both as a failure of the machine does, and restores into a new folder with the secrets.
    fn lose_the_disk(self) -> (tempfile::TempDir, PathBuf) {
        let Self { folder, serving, litestream, .. } = self;
        litestream.signal("-KILL");
        serving.signal("-KILL");
        drop(serving);
        let restored = folder.path().join("restored");
        fs::create_dir(&restored).unwrap();
        fs::copy(folder.path().join("data/secrets"), restored.join("secrets")).unwrap();
        assert!(litestream.try_restore(&restored.join("keydesk.db")));
        (folder, restored)
    }
}

fn count_keys(database: &Path) -> usize {
    let keys = database::column(&format!("sqlite://{}", database.display()), "count(*)", "FROM api_keys");
    keys[0].as_deref().unwrap().parse().unwrap()
}

#[test]
fn a_replica_of_a_killed_server_is_restored_and_verifies() {
    if !is_sqlite() {
        return;
    }
    let replicated = Replicated::new();
    let mut keys: Vec<String> =
        (0..20).map(|number| replicated.admin.create_key(&format!("Service {number}")).1).collect();
    replicated.await_replica(keys.len());
    // The server is killed in the middle of further changes.
    let admin = replicated.admin.clone();
    let replicated_keys = keys.len();
    let writer = thread::spawn(move || {
        let create = |number| {
            let name = format!("Later service {number}");
            catch_unwind(AssertUnwindSafe(|| admin.create_key(&name).1)).ok()
        };
        (0..10_000).map_while(create).collect::<Vec<_>>()
    });
    let started = Instant::now();
    while count_keys(&replicated.litestream.database) < replicated_keys + 20 {
        assert!(started.elapsed() < DEADLINE, "no keys are created");
        thread::sleep(Duration::from_millis(5));
    }
    let (_folder, restored) = replicated.lose_the_disk();
    let later = writer.join().unwrap();
    keys.extend(later);
    let verified = succeed(&restored, &["audit", "verify"]);
    assert!(verified.contains("all as they were recorded"), "{verified}");
    // Its two tables do not disturb a start.
    let tables = format!("sqlite://{}", restored.join("keydesk.db").display());
    let tables = database::column(&tables, "name", "FROM sqlite_master WHERE name LIKE '_litestream%' ORDER BY name");
    assert_eq!(tables, ["_litestream_lock", "_litestream_seq"].map(|name| Some(name.to_owned())));
    let (_serving, browser) = serve(&restored);
    browser.get("/readyz").expect(200);
    let statuses: Vec<u16> = keys.iter().map(|key| browser.bearer("/v1/whoami", key).status).collect();
    // What is lost is the end.
    let kept = statuses.iter().take_while(|status| **status == 200).count();
    assert!(kept >= replicated_keys && statuses[kept..].iter().all(|status| *status == 401), "{statuses:?}");
}

#[test]
fn a_kept_checkpoint_shows_which_events_a_replica_lacks() {
    if !is_sqlite() {
        return;
    }
    let replicated = Replicated::new();
    replicated.admin.create_key("ERP Sync");
    replicated.await_replica(1);
    replicated.litestream.signal("-STOP");
    replicated.admin.create_key("Reporting");
    let folder = replicated.folder.path();
    let [checkpoint, key] = ["checkpoint", "public-key"].map(|name| {
        let path = folder.join(name);
        fs::write(&path, replicated.admin.get(&format!("{AUDIT_TRAIL}/{name}")).expect(200).body).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let (_folder, restored) = replicated.lose_the_disk();
    succeed(&restored, &["audit", "verify"]);
    let words = ["audit", "verify", "--checkpoint", &checkpoint, "--public-key", &key];
    let output = keydesk(&restored).args(words).output().unwrap();
    let sentence = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(sentence.contains("its end was cut off: your checkpoint signs"), "{sentence}");
}
