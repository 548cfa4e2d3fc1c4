//! L5: a server under a steady load of verifications and changes.

use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::cli::{Serving, keydesk};
use crate::support::Browser;
use crate::support::database;
use crate::support::figures::{self, count, is_full, memory_kib};
use crate::support::race::{Client, Endpoint};

const CLIENTS: u32 = 8;
const VERIFICATIONS_PER_SECOND: u32 = 2_000;
const MAX_WAL_BYTES: u64 = 64 * 1_024 * 1_024;
const MAX_GROWTH_PERCENT: u64 = 10;

/// Calls `act` at fixed intervals until the end. A call that comes late does not delay the later ones; a machine that is too
/// slow makes fewer of them.
fn steadily(interval: Duration, end: Instant, mut act: impl FnMut()) {
    let mut next = Instant::now();
    while next < end && Instant::now() < end {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        act();
        next += interval;
    }
}

/// Verifies keys, which all are good. Counts the answers and the refusals.
fn verify(address: SocketAddr, keys: &[String], end: Instant, answered: &AtomicU64, errors: &AtomicU64) {
    let mut client = Client::new(address);
    let requests: Vec<String> = keys.iter().map(|key| Endpoint::WhoAmI.request(key)).collect();
    let mut requests = requests.iter().cycle();
    steadily(Duration::from_secs(1) * CLIENTS / VERIFICATIONS_PER_SECOND, end, || {
        client.send(requests.next().unwrap());
        let count = if client.is_accepted() == Some(true) { answered } else { errors };
        count.fetch_add(1, Ordering::Relaxed);
    });
}

/// Creates a key, or revokes the one before, twice a second.
fn change(admin: &Browser, end: Instant, errors: &AtomicU64) {
    let (mut number, mut last): (u32, Option<String>) = (0, None);
    steadily(Duration::from_millis(500), end, || {
        number += 1;
        let status = if let Some(id) = last.take() {
            admin.revoke(&id, "superseded", "").status
        } else {
            let answer = admin.add_key(&format!("Short-lived {number}"));
            let status = answer.status;
            last = (status == 201).then(|| answer.shown_key().0);
            status
        };
        if ![201, 303].contains(&status) {
            errors.fetch_add(1, Ordering::Relaxed);
        }
    });
}

#[test]
fn a_steady_load_leaves_memory_and_the_log_small() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let mut command = keydesk(folder.path());
    command.args(["--database-url", &url, "--log-level", "warn"]);
    let serving = Serving::start(command, 2);
    let admin = serving.set_up();
    let keys: Vec<String> = (0..100).map(|number| admin.create_key(&format!("Service {number}")).1).collect();
    let (address, process) = (admin.address(), serving.id());
    let duration = Duration::from_secs(count(20, 30 * 60));
    // Caches fill, and each thread takes its memory.
    let (began, warm_up) = (Instant::now(), duration / 10);
    let end = began + duration;
    let (answered, errors) = (AtomicU64::new(0), AtomicU64::new(0));
    let (before, largest_wal) = thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| verify(address, &keys, end, &answered, &errors));
        }
        scope.spawn(|| change(&admin, end, &errors));
        let (mut before, mut largest_wal) = (0, 0);
        steadily(Duration::from_secs(1), end, || {
            if began.elapsed() >= warm_up && before == 0 {
                before = memory_kib(process);
            }
            let wal = fs::metadata(folder.path().join("keydesk.db-wal")).map_or(0, |file| file.len());
            largest_wal = largest_wal.max(wal);
        });
        (before, largest_wal)
    });
    let (answered, errors, after) = (answered.into_inner(), errors.into_inner(), memory_kib(process));
    let growth = (after.saturating_sub(before)) * 100 / before;
    let rate = answered / duration.as_secs();
    figures::print(
        "L5",
        format!(
            "{rate} verifications a second for {} s, {errors} errors, memory {} to {} MiB (+{growth} %, ≤ 10 %), WAL ≤ {} MiB (≤ 64 MiB)",
            duration.as_secs(),
            before / 1_024,
            after / 1_024,
            largest_wal.div_ceil(1_024 * 1_024)
        ),
    );
    assert_eq!(errors, 0);
    assert!(largest_wal <= MAX_WAL_BYTES);
    assert!(!is_full() || (growth <= MAX_GROWTH_PERCENT && rate * 100 >= u64::from(VERIFICATIONS_PER_SECOND) * 95));
    assert!(!serving.written_log().contains("ERROR"), "{}", serving.written_log());
}
