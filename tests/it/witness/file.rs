//! Checkpoints in a file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use super::notes;
use crate::support::companies::{add_brightwater, add_company};
use crate::support::{AUDIT_TRAIL, Browser, TestServer, database};

/// A server with a file as its witness, which already holds all checkpoints.
struct Setup {
    server: TestServer,
    admin: Browser,
    path: PathBuf,
    _folder: TempDir,
}

impl Setup {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints");
        let server = TestServer::with(&["--checkpoint-file", path.to_str().unwrap()], add_brightwater);
        let admin = server.admin();
        server.publish_checkpoints();
        Self { server, admin, path, _folder: folder }
    }

    fn latest(&self) -> String {
        self.admin.get(&format!("{AUDIT_TRAIL}/checkpoint")).expect(200).body
    }

    fn notes(&self) -> Vec<String> {
        notes(&self.path)
    }
}

#[test]
fn a_checkpoint_is_appended_once_even_after_a_restart() {
    let setup = Setup::new();
    let before = setup.notes();
    assert_eq!(before.last(), Some(&setup.latest()));
    setup.admin.create_key("ERP Sync");
    setup.server.publish_checkpoints();
    let after = setup.notes();
    assert_eq!((after.len(), after.last()), (before.len() + 1, Some(&setup.latest())));
    assert_eq!(after[..before.len()], before);
    let bytes = fs::read(&setup.path).unwrap();
    setup.server.publish_checkpoints();
    let again = setup.server.second_server_with(&["--checkpoint-file", setup.path.to_str().unwrap()]);
    again.publish_checkpoints();
    assert_eq!(fs::read(&setup.path).unwrap(), bytes);
}

#[test]
fn every_trail_with_an_event_is_witnessed() {
    let setup = Setup::new();
    let about = |trail: String| setup.notes().iter().filter(|note| note.contains(&format!("/{trail}\n"))).count();
    let northwind = add_company(&setup.server.actions, "Northwind");
    let installation = setup.server.actions.installation.to_string();
    assert_eq!((about(northwind.to_string()), about(installation.clone())), (0, 0));
    let gateway = keydesk::domain::text::name::GatewayName::parse("edge").unwrap();
    setup.server.actions.add_gateway(&gateway).unwrap();
    setup.server.publish_checkpoints();
    assert_eq!((about(northwind.to_string()), about(installation)), (1, 1));
}

#[test]
fn an_entry_cut_by_a_crash_does_not_affect_the_next() {
    let setup = Setup::new();
    let before = setup.notes();
    let length = fs::metadata(&setup.path).unwrap().len();
    OpenOptions::new().write(true).open(&setup.path).unwrap().set_len(length - 40).unwrap();
    setup.admin.create_key("ERP Sync");
    setup.server.publish_checkpoints();
    let after = setup.notes();
    assert_eq!(after.last(), Some(&setup.latest()));
    let signer = setup.server.actions.secrets.signer().public_key();
    let good = |note: &&String| signer.verify(note, note.lines().next().unwrap()).is_ok();
    assert_eq!(after.iter().filter(good).count(), before.len());
}

#[test]
fn a_truncated_or_rewritten_history_is_withheld() {
    let setup = Setup::new();
    let head = || database::column(&setup.server.database_url, "checkpoint", "FROM audit_trails WHERE size > 0");
    let shorter = head()[0].clone().unwrap();
    let rewritten = {
        let lines: Vec<&str> = shorter.lines().collect();
        shorter.replace(lines[2], "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    };
    setup.admin.create_key("ERP Sync");
    setup.server.publish_checkpoints();
    for note in [shorter, rewritten] {
        let size = note.lines().nth(1).unwrap();
        let sql = format!("UPDATE audit_trails SET size = {size}, checkpoint = '{note}' WHERE size > 0");
        database::tamper(&setup.server.database_url, &sql);
        let before = setup.notes();
        setup.server.advance(Duration::from_mins(10));
        setup.server.publish_checkpoints();
        assert_eq!(setup.notes(), before);
        assert!(setup.server.statuses()[0].failure.is_some());
    }
}

#[test]
fn an_unrecorded_checkpoint_is_not_appended_every_round() {
    let setup = Setup::new();
    let refuse = if database::postgres().is_some() {
        "ALTER TABLE checkpoint_witnesses ADD CONSTRAINT full_disk CHECK (size < 0) NOT VALID"
    } else {
        "CREATE TRIGGER full_disk BEFORE UPDATE ON checkpoint_witnesses BEGIN SELECT RAISE(ABORT, 'full'); END"
    };
    database::tamper(&setup.server.database_url, refuse);
    setup.admin.create_key("ERP Sync");
    let before = setup.notes().len();
    let publish = || setup.server.witnesses.iter().next().unwrap().publish();
    for _ in 0..3 {
        // The server's own thread may have sent the checkpoint before this call.
        let _ = publish();
    }
    assert_eq!(setup.notes().len(), before + 1);
    setup.server.advance(Duration::from_mins(10));
    assert!(publish().is_err());
    assert_eq!(setup.notes().len(), before + 1, "the file has it already");
}

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn during(&self, work: impl FnOnce()) {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || log.clone()).finish();
        tracing::subscriber::with_default(subscriber, work);
    }

    fn lines(&self, words: &str) -> usize {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap().matches(words).count()
    }
}

#[test]
fn a_failing_file_is_logged_once_and_retried() {
    let setup = Setup::new();
    let moved = setup.path.with_extension("moved");
    fs::rename(&setup.path, &moved).unwrap();
    fs::create_dir(&setup.path).unwrap();
    setup.admin.create_key("ERP Sync");
    let log = Log::default();
    for _ in 0..3 {
        log.during(|| setup.server.publish_checkpoints());
        let status = &setup.server.statuses()[0];
        assert!(!status.is_latest && status.last.is_some() && status.events_since == 1, "{status:?}");
        let (_, failure) = status.failure.clone().unwrap();
        assert!(failure.starts_with("the file cannot be appended to: "), "{failure}");
        setup.server.advance(Duration::from_mins(10));
    }
    // The server's own thread may have logged the failure first.
    assert!(log.lines("checkpoint not witnessed") <= 1);
    fs::remove_dir(&setup.path).unwrap();
    log.during(|| setup.server.publish_checkpoints());
    assert!(log.lines("witness recovered") <= 1);
    assert_eq!(setup.notes(), [setup.latest()]);
    let status = &setup.server.statuses()[0];
    assert!(status.is_latest && status.failure.is_none() && status.events_since == 0, "{status:?}");
}
