//! R9: PostgreSQL is stopped immediately, as by a crash, while many clients write.

use std::thread;
use std::time::{Duration, Instant};

use crate::cli::{Serving, keydesk};
use crate::operation::crash::{Acknowledged, CHANGES_PER_KILL, assert_verified};
use crate::operation::readiness::wait_until;
use crate::support::cluster::Cluster;
use crate::support::figures::{self, count, judge_time, seconds};
use crate::support::{Browser, database};

/// Waits until a good key is answered with this status. Only 503 may come before.
fn await_status(browser: &Browser, key: &str, status: u16) -> Duration {
    let began = Instant::now();
    loop {
        let answer = browser.bearer("/v1/whoami", key).status;
        if answer == status {
            return began.elapsed();
        }
        assert!([200, 503].contains(&answer), "{answer} for a good key");
        assert!(began.elapsed() < Duration::from_mins(1), "still {answer}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn acknowledged_changes_survive_immediate_stops_of_postgresql() {
    if database::postgres().is_none() {
        return;
    }
    let (folder, cluster) = (tempfile::tempdir().unwrap(), Cluster::new(""));
    cluster.start();
    let mut command = keydesk(folder.path());
    command.args(["--database-url", &cluster.url()]);
    let serving = Serving::start(command, 2);
    let browser = serving.set_up();
    let (_, key) = browser.create_key("ERP Sync");
    let acknowledged = Acknowledged::default();
    let (stops, mut slowest) = (count(2, 10), Duration::ZERO);
    for round in 0..stops {
        acknowledged.collect(&browser, round, || {
            acknowledged.await_changes(CHANGES_PER_KILL);
            cluster.crash();
            await_status(&browser, &key, 503);
            cluster.start();
            slowest = slowest.max(await_status(&browser, &key, 200));
            acknowledged.await_changes(CHANGES_PER_KILL);
        });
    }
    wait_until(&browser, 200);
    let figure = acknowledged.assert_true("R9", &browser);
    assert_eq!(serving.stop(), 0);
    assert_verified(folder.path(), &cluster.url());
    figures::print("R9", format!("{figure} by {stops} stops, back in {} (≤ 5 s)", seconds(slowest)));
    judge_time("R9", slowest, Duration::from_secs(5));
}
