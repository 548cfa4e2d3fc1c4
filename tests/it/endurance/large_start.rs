//! L6: the start of an installation with many keys and a long trail, and its memory without requests.

use std::thread;
use std::time::{Duration, Instant};

use crate::cli::{Serving, keydesk};
use crate::operation::readiness::wait_until;
use crate::support::figures::{self, count, is_full, judge_time, memory_kib, seconds};
use crate::support::history::Events;
use crate::support::{TestServer, keys};

const READY: Duration = Duration::from_secs(2);
const MAX_IDLE_MIB: u64 = 64;

#[test]
fn a_large_installation_starts_quickly_and_takes_little_memory() {
    let (keys, events) = (count(2_000, 100_000), count(20_000, 1_000_000));
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync");
    keys::copy_keys(&server, keys);
    Events::plain(events).append(&server, server.company("Brightwater"));
    // No checkpoint is remembered that the events contradict.
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(server.folder.path().join("secrets"), folder.path().join("secrets")).unwrap();
    let mut command = keydesk(folder.path());
    command.args(["--database-url", &server.database_url, "--log-level", "warn"]);
    let began = Instant::now();
    let serving = Serving::start(command, 1);
    let browser = serving.browser();
    wait_until(&browser, 200);
    let ready = began.elapsed();
    browser.bearer("/v1/whoami", &key).expect(200);
    // The first samples for the metrics are read.
    let deadline = Instant::now() + Duration::from_mins(2);
    while !browser.get("/metrics").body.contains("\nkeydesk_trail_events ") {
        assert!(Instant::now() < deadline, "the numbers of the database are not read");
        thread::sleep(Duration::from_millis(50));
    }
    let idle = memory_kib(serving.id()) / 1_024;
    figures::print(
        "L6",
        format!(
            "{keys} keys and {events} events: ready in {} (≤ 2 s), idle with {idle} MiB (≤ 64 MiB)",
            seconds(ready)
        ),
    );
    judge_time("L6", ready, READY);
    assert!(!is_full() || idle <= MAX_IDLE_MIB);
}
