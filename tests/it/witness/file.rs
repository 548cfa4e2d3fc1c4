//! Checkpoints appended to a file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use super::notes;
use crate::support::server::{add_brightwater, add_company};
use crate::support::{Browser, T, TestServer, database};

/// A server whose witness is a file, which has all there is when Maria has signed in.
struct Stage {
    server: TestServer,
    admin: Browser,
    path: PathBuf,
    _folder: TempDir,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints");
        let server = TestServer::with(&["--checkpoint-file", path.to_str().unwrap()], add_brightwater);
        let admin = server.admin();
        server.tell_witnesses();
        Self { server, admin, path, _folder: folder }
    }

    fn latest(&self) -> String {
        self.admin.get(&format!("{T}/checkpoint")).expect(200).body
    }

    fn notes(&self) -> Vec<String> {
        notes(&self.path)
    }
}

#[test]
fn a_new_checkpoint_is_appended_once_and_a_restart_appends_nothing() {
    let stage = Stage::new();
    let before = stage.notes();
    assert_eq!(before.last(), Some(&stage.latest()));
    stage.admin.create_key("ERP Sync");
    stage.server.tell_witnesses();
    let after = stage.notes();
    assert_eq!((after.len(), after.last()), (before.len() + 1, Some(&stage.latest())));
    assert_eq!(after[..before.len()], before);
    let bytes = fs::read(&stage.path).unwrap();
    stage.server.tell_witnesses();
    let again = stage.server.beside_with(&["--checkpoint-file", stage.path.to_str().unwrap()]);
    again.tell_witnesses();
    assert_eq!(fs::read(&stage.path).unwrap(), bytes);
}

#[test]
fn every_trail_with_an_event_is_witnessed_also_the_installation_s_own() {
    let stage = Stage::new();
    let about = |trail: String| stage.notes().iter().filter(|note| note.contains(&format!("/{trail}\n"))).count();
    let northwind = add_company(&stage.server.actions, "Northwind");
    let installation = stage.server.actions.installation.to_string();
    assert_eq!((about(northwind.to_string()), about(installation.clone())), (0, 0));
    let gateway = keydesk::domain::name::GatewayName::parse("edge").unwrap();
    stage.server.actions.add_gateway(&gateway, &keydesk::domain::event::Origin::command_line()).unwrap();
    stage.server.tell_witnesses();
    assert_eq!((about(northwind.to_string()), about(installation)), (1, 1));
}

#[test]
fn an_entry_that_a_crash_cut_short_does_not_spoil_the_next() {
    let stage = Stage::new();
    let before = stage.notes();
    let length = fs::metadata(&stage.path).unwrap().len();
    OpenOptions::new().write(true).open(&stage.path).unwrap().set_len(length - 40).unwrap();
    stage.admin.create_key("ERP Sync");
    stage.server.tell_witnesses();
    let after = stage.notes();
    assert_eq!(after.last(), Some(&stage.latest()));
    let signer = stage.server.actions.secrets.signer.public_key();
    let good = |note: &&String| signer.verify(note, note.lines().next().unwrap()).is_ok();
    assert_eq!(after.iter().filter(good).count(), before.len());
}

#[test]
fn a_history_that_was_cut_or_rewritten_to_the_same_length_is_witnessed_too() {
    let stage = Stage::new();
    let head = || database::column(&stage.server.database_url, "checkpoint", "FROM audit_trails WHERE size > 0");
    let shorter = head()[0].clone().unwrap();
    let rewritten = {
        let lines: Vec<&str> = shorter.lines().collect();
        shorter.replace(lines[2], "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    };
    stage.admin.create_key("ERP Sync");
    stage.server.tell_witnesses();
    for note in [shorter, rewritten] {
        let size = note.lines().nth(1).unwrap();
        let sql = format!("UPDATE audit_trails SET size = {size}, checkpoint = '{note}' WHERE size > 0");
        database::tamper(&stage.server.database_url, &sql);
        let before = stage.notes().len();
        stage.server.tell_witnesses();
        assert_eq!((stage.notes().len(), stage.notes().last()), (before + 1, Some(&note)));
    }
}

#[test]
fn what_cannot_be_written_down_is_not_appended_again_in_every_round() {
    let stage = Stage::new();
    let refuse = if database::postgres().is_some() {
        "ALTER TABLE checkpoint_witnesses ADD CONSTRAINT full_disk CHECK (size < 0) NOT VALID"
    } else {
        "CREATE TRIGGER full_disk BEFORE UPDATE ON checkpoint_witnesses BEGIN SELECT RAISE(ABORT, 'full'); END"
    };
    database::tamper(&stage.server.database_url, refuse);
    stage.admin.create_key("ERP Sync");
    let before = stage.notes().len();
    let tell = || stage.server.witnesses.each().next().unwrap().tell();
    for _ in 0..3 {
        // Not by this call, where the server's own thread was first.
        let _ = tell();
    }
    assert_eq!(stage.notes().len(), before + 1);
    stage.server.wait(Duration::from_mins(10));
    assert!(tell().is_err());
    assert_eq!(stage.notes().len(), before + 2);
}

/// What is logged, in memory.
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
fn a_file_that_cannot_be_written_any_more_is_logged_once_and_tried_again_until_it_can() {
    let stage = Stage::new();
    let aside = stage.path.with_extension("aside");
    fs::rename(&stage.path, &aside).unwrap();
    fs::create_dir(&stage.path).unwrap();
    stage.admin.create_key("ERP Sync");
    let log = Log::default();
    for _ in 0..3 {
        log.during(|| stage.server.tell_witnesses());
        let standing = &stage.server.standings()[0];
        assert!(!standing.is_latest && standing.last.is_some() && standing.events_since == 1, "{standing:?}");
        let (_, failure) = standing.failure.clone().unwrap();
        assert!(failure.starts_with("the file cannot be appended to: "), "{failure}");
        stage.server.wait(Duration::from_mins(10));
    }
    // The server's own thread may have been the first to find out.
    assert!(log.lines("a checkpoint was not witnessed") <= 1);
    fs::remove_dir(&stage.path).unwrap();
    log.during(|| stage.server.tell_witnesses());
    assert!(log.lines("checkpoints are witnessed again") <= 1);
    assert_eq!(stage.notes(), [stage.latest()]);
    let standing = &stage.server.standings()[0];
    assert!(standing.is_latest && standing.failure.is_none() && standing.events_since == 0, "{standing:?}");
}
