//! R2: the power fails under many writers. The disks that this may leave are rebuilt from a recording of all writes and
//! flushes, and hold every change that was acknowledged before.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::recording::{Record, read, told, write_disk};
use crate::cli::{Serving, keydesk, keydesk_at};
use crate::operation::crash::{assert_verified, created, free_address, shim};
use crate::operation::readiness::wait_until;
use crate::support::figures::{self, count};
use crate::support::{Browser, browser, database};

const WRITERS: usize = 8;

/// Creates keys and revokes every second one, and adds to the recording what it was told.
fn write(browser: &Browser, writer: usize, recording: &Path, changes: &AtomicUsize, is_over: &AtomicBool) {
    let mut recording = OpenOptions::new().append(true).open(recording).unwrap();
    let mut tell = |text: &str| {
        // One call, so that no record is between two parts.
        assert_eq!(recording.write(&told(text)).unwrap(), told(text).len());
        changes.fetch_add(1, Ordering::Relaxed);
    };
    let mut number = 0;
    while !is_over.load(Ordering::Relaxed) {
        number += 1;
        let key = created(browser, &format!("Sync {writer}-{number}")).unwrap();
        tell(&format!("created {key}"));
        if number % 2 == 0 {
            // From here on, either answer may be right.
            tell(&format!("revoking {key}"));
            browser::send(browser.request("POST", "/v1/revoke").form(&[("token", &key)])).expect(200);
            tell(&format!("revoked {key}"));
        }
    }
}

/// Records a server until there are enough changes and the log was moved into the database. Returns the records, and the
/// number of those of the set-up.
fn record(data: &Path, tools: &Path, shim: &Path) -> (Vec<Record>, usize) {
    let (recording, address) = (tools.join("recording"), free_address());
    let mut command = keydesk_at(data, &address);
    command.env("LD_PRELOAD", shim).env("RECORDING", &recording).args(["--log-level", "warn"]);
    let serving = Serving::start(command, 2);
    let admin = serving.set_up();
    let set_up = read(&recording).len();
    let (changes, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (admin, recording, changes, is_over) = (&admin, &recording, &changes, &is_over);
            scope.spawn(move || write(admin, writer, recording, changes, is_over));
        }
        let began = Instant::now();
        // A thousand changes fill the log several times.
        while changes.load(Ordering::Relaxed) < count(400, 4_000) && began.elapsed() < Duration::from_mins(2) {
            thread::sleep(Duration::from_millis(20));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let records = read(&recording);
    let flushes = |number: usize| {
        let is_flush = |record: &&Record| matches!(record, Record::Flush { file } if *file == number);
        records[set_up..].iter().filter(is_flush).count()
    };
    assert!(flushes(0) > 0 && flushes(1) > 20, "flushes: {} of the database, {} of the log", flushes(0), flushes(1));
    (records, set_up)
}

/// What every client was told before the failure: each key, and the statuses that are right.
fn expected(records: &[Record]) -> Vec<(String, Vec<u16>)> {
    let mut keys: Vec<(String, Vec<u16>)> = Vec::new();
    for record in records {
        let Record::Told(text) = record else { continue };
        let (word, key) = text.split_once(' ').unwrap();
        let statuses = match word {
            "created" => vec![200],
            "revoking" => vec![200, 401],
            _ => vec![401],
        };
        keys.retain(|(other, _)| other != key);
        keys.push((key.to_owned(), statuses));
    }
    keys
}

#[test]
fn acknowledged_changes_survive_power_failures() {
    if database::postgres().is_some() || !cfg!(target_os = "linux") {
        return;
    }
    let (tools, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let Some(shim) = shim(tools.path(), include_str!("recorder.c")) else { return };
    let (records, set_up) = record(data.path(), tools.path(), &shim);
    let mut random =
        StdRng::seed_from_u64(if figures::is_full() { u64::from_le_bytes(keydesk::random::bytes()) } else { 1 });
    let (disks, mut asked, mut lost) = (count(4, 50), 0, 0);
    for disk in 0..disks {
        let failure = random.random_range(set_up..records.len());
        let folder = tools.path().join(format!("disk-{disk}"));
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        fs::copy(data.path().join("secrets"), folder.join("secrets")).unwrap();
        write_disk(&folder, &records[..failure], disk % 2 == 0, &mut random);
        let serving = Serving::start(keydesk(&folder), 1);
        let browser = serving.browser();
        wait_until(&browser, 200);
        for (key, statuses) in expected(&records[..failure]) {
            let status = browser.bearer("/v1/whoami", &key).status;
            asked += 1;
            if !statuses.contains(&status) {
                println!("disk {disk}, failure after record {failure}: {status} instead of {statuses:?}");
                lost += 1;
            }
        }
        serving.stop();
        assert_verified(&folder, &format!("sqlite://{}", folder.join("keydesk.db").display()));
        fs::remove_dir_all(&folder).unwrap();
    }
    figures::print(
        "R2",
        format!("{lost} of {asked} keys not as acknowledged, on {disks} rebuilt disks, half of them torn"),
    );
    assert!(lost == 0 && asked > 0);
}

/// Without the flushes of the recording, changes are lost: the disks are not better than real ones.
#[test]
fn a_disk_without_flushes_loses_changes() {
    let write = |at: usize| Record::Write { file: 1, at: at * 1_024, bytes: vec![7; 1_024] };
    let records = [write(0), Record::Flush { file: 1 }, write(1), write(2), Record::Told("created x".to_owned())];
    let mut random = StdRng::seed_from_u64(1);
    let folder = tempfile::tempdir().unwrap();
    let mut sizes = std::collections::BTreeSet::new();
    for turn in 0..40 {
        write_disk(folder.path(), &records, turn % 2 == 0, &mut random);
        let content = fs::read(folder.path().join("keydesk.db-wal")).unwrap();
        assert_eq!(content[..1_024], [7; 1_024], "what was flushed is there");
        sizes.insert(content.len());
        sizes.extend(content.contains(&0).then_some(usize::MAX));
    }
    assert!(sizes.contains(&1_024) && sizes.contains(&3_072) && sizes.contains(&usize::MAX), "{sizes:?}");
}
