//! R4: the file of a SQLite database is damaged, or its file system is read-only, under a running server.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::cli::{Serving, keydesk};
use crate::operation::crash::{SHIM, shim};
use crate::operation::readiness::{assert_not_writable, assert_ready_again};
use crate::support::figures::{self, judge_time, seconds};
use crate::support::{API_KEYS, Browser, database};

const RECOVERY: Duration = Duration::from_secs(15);
const PAGE: u64 = 4_096;

/// Waits for this status of a page or key.
fn await_status(mut ask: impl FnMut() -> u16, status: u16) -> Duration {
    let began = Instant::now();
    while ask() != status {
        assert!(began.elapsed() < Duration::from_mins(1), "not {status} again");
        thread::sleep(Duration::from_millis(20));
    }
    began.elapsed()
}

/// Moves all of the write-ahead log into the database file.
fn empty_log(url: &str) {
    database::tamper(url, "PRAGMA wal_checkpoint(TRUNCATE)");
}

/// Writes over the file from its second page on.
fn overwrite(path: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(PAGE)).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn a_damaged_file_gives_no_wrong_answer_and_is_mended_without_a_restart() {
    if database::postgres().is_some() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(keydesk(folder.path()), 2);
    let admin = serving.set_up();
    let (_, good) = admin.create_key("ERP Sync");
    let (id, revoked) = admin.create_key("Reporting");
    admin.revoke(&id, "compromised", "").expect(303);
    let path = folder.path().join("keydesk.db");
    empty_log(&format!("sqlite://{}", path.display()));
    let whole = fs::read(&path).unwrap();
    let rest = &whole[usize::try_from(PAGE).unwrap()..];
    let status = |key: &str| admin.bearer("/v1/whoami", key).status;
    // Nothing is known of a key that no thread has read: the table is asked.
    overwrite(&path, &vec![0; rest.len()]);
    let (mut answers, began) = (0, Instant::now());
    while began.elapsed() < Duration::from_secs(3) {
        assert!([200, 503].contains(&status(&good)), "a good key is refused");
        assert!([401, 503].contains(&status(&revoked)), "a revoked key is accepted");
        let page = admin.get(API_KEYS);
        assert!([200, 503].contains(&page.status), "{}", page.body);
        answers += 3;
    }
    overwrite(&path, rest);
    let recovery = await_status(|| status(&good), 200)
        .max(await_status(|| status(&revoked), 401))
        .max(await_status(|| admin.get(API_KEYS).status, 200));
    figures::print(
        "R4",
        format!("damaged file: 0 of {answers} answers wrong, mended in {} (≤ 15 s)", seconds(recovery)),
    );
    judge_time("R4", recovery, RECOVERY);
    drop(serving);
}

/// As a file system that the kernel made read-only after an error: what is open for writing stays open, and no write
/// succeeds.
#[test]
fn keys_are_verified_on_a_disk_that_is_read_only() {
    if database::postgres().is_some() || !cfg!(target_os = "linux") {
        return;
    }
    let (folder, tools) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let read_only = SHIM.replace("random() % 10 >= 3", "0").replace("EIO", "EROFS");
    assert!(read_only.contains("EROFS") && !read_only.contains("random()"));
    let Some(shim) = shim(tools.path(), &read_only) else { return };
    let mark = tools.path().join("read-only");
    let mut command = keydesk(folder.path());
    command.env("LD_PRELOAD", shim).env("FAULTY_DISK", &mark);
    let serving = Serving::start(command, 2);
    let admin = serving.set_up();
    let (id, key) = admin.create_key("ERP Sync");
    let status = |browser: &Browser| browser.bearer("/v1/whoami", &key).status;
    fs::write(&mark, "").unwrap();
    assert_eq!(status(&admin), 200);
    assert_not_writable(&admin, &["the database fails"]);
    let refused = admin.revoke(&id, "compromised", "").expect(503);
    let sentences = ["cannot be saved right now", "It is not known whether the change was made"];
    assert!(sentences.iter().any(|sentence| refused.body.contains(sentence)), "{}", refused.body);
    assert_eq!(status(&admin), 200);
    fs::remove_file(&mark).unwrap();
    let began = Instant::now();
    assert_ready_again(&admin);
    admin.revoke(&id, "compromised", "").expect(303);
    assert_eq!(status(&admin), 401);
    let recovery = began.elapsed();
    figures::print(
        "R4",
        format!("read-only disk: keys verified, changes refused; writable again in {} (≤ 15 s)", seconds(recovery)),
    );
    judge_time("R4", recovery, RECOVERY);
    drop(serving);
}
