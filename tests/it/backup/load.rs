//! Backups while keys are created and revoked.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{Setup, is_sqlite, succeed};
use crate::support::database;
use crate::support::figures::{self, count};

const WRITERS: usize = 3;
const DEADLINE: Duration = Duration::from_mins(2);

#[test]
fn a_backup_holds_all_that_was_acknowledged_before_it_began() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    // The ids of created keys, and whether they were revoked.
    let (acknowledged, is_done) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let write = |writer: usize| {
        let admin = setup.server.admin();
        for number in 0.. {
            if is_done.load(Ordering::Relaxed) {
                return;
            }
            let (id, _) = admin.create_key(&format!("Service {writer}-{number}"));
            let is_revoked = number % 2 == 0;
            if is_revoked {
                admin.revoke(&id, "superseded", "").expect(303);
            }
            acknowledged.lock().unwrap().push((id, is_revoked));
        }
    };
    let (before, during) = thread::scope(|scope| {
        let (write, acknowledged) = (&write, &acknowledged);
        for writer in 0..WRITERS {
            scope.spawn(move || write(writer));
        }
        let started = Instant::now();
        while acknowledged.lock().unwrap().len() < count(60, 2_000) {
            assert!(started.elapsed() < DEADLINE, "too few keys were created");
            thread::sleep(Duration::from_millis(5));
        }
        let before = acknowledged.lock().unwrap().clone();
        setup.back_up("backup");
        let during = acknowledged.lock().unwrap().len() - before.len();
        is_done.store(true, Ordering::Relaxed);
        (before, during)
    });
    assert!(during > 0, "nothing was written during the backup");
    let folder = setup.folder_with_secrets("restored");
    succeed(&folder, &["restore", setup.file("backup").to_str().unwrap()]);
    let verified = succeed(&folder, &["audit", "verify"]);
    assert!(verified.contains("all as they were recorded"), "{verified}");
    let url = format!("sqlite://{}", folder.join("keydesk.db").display());
    let rows = database::column(&url, "id || ' ' || (revoked_at IS NOT NULL)", "FROM api_keys");
    let acknowledged = before.len();
    for (id, is_revoked) in before {
        assert!(rows.contains(&Some(format!("{id} {}", u8::from(is_revoked)))), "{id} {is_revoked}");
    }
    figures::print(
        "R10",
        format!("0 of {acknowledged} acknowledged keys lost, {during} written meanwhile, the trail verifies"),
    );
}
