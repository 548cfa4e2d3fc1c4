//! A full disk under a SQLite database.

use std::fs::{self, File};
use std::io::Write;
use std::time::{Duration, Instant};

use super::readiness::{assert_not_writable, assert_ready_again};
use super::small_disk::on_small_disk;
use crate::cli::{Serving, keydesk};
use crate::support::database;
use crate::support::figures::{self, count, judge_time, seconds};

#[test]
fn a_full_disk_is_seen_and_keys_are_verified_on_it() {
    if database::postgres().is_some() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let command = on_small_disk(&keydesk(folder.path()), folder.path(), 6 * 1024 * 1024, None);
    let serving = Serving::start(command, 2);
    let browser = serving.set_up();
    let (id, key) = browser.create_key("ERP Sync");
    browser.get("/readyz").expect(200);

    // Through the root of the server, whose disk this test does not see.
    let filler = format!("/proc/{}/root{}/filler", serving.id(), folder.path().display());
    let mut file = File::create(&filler).unwrap();
    while file.write_all(&[1; 4_096]).is_ok() {}
    assert_not_writable(&browser, &["the disk of the database is full"]);
    for _ in 0..count(20, 2_000) {
        browser.bearer("/v1/whoami", &key).expect(200);
    }
    let refused = browser.revoke(&id, "unspecified", "").expect(503);
    assert!(refused.body.contains("cannot be saved right now"), "{}", refused.body);
    fs::remove_file(&filler).unwrap();
    drop(file);
    let began = Instant::now();
    assert_ready_again(&browser);
    let recovery = began.elapsed();
    figures::print(
        "R4",
        format!("full disk: keys verified, changes refused; writable again in {} (≤ 15 s)", seconds(recovery)),
    );
    judge_time("R4", recovery, Duration::from_secs(15));
    browser.revoke(&id, "unspecified", "").expect(303);
    browser.bearer("/v1/whoami", &key).expect(401);
}
