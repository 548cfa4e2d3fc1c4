//! Two versions of the program serve one PostgreSQL while the servers are replaced. `make two-versions` builds the version
//! before and names it in `KEYDESK_TEST_OLD_PROGRAM`.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::cli::{ADMIN, Serving, keydesk, program_at, run};
use crate::support::{API_KEYS, AUDIT_TRAIL, Browser, PASSWORD, USERS, database, figures};

const ROUNDS: usize = 20;

/// Keys that are asked about all the time, with the status that each must get. A key is in no list while it changes.
#[derive(Default)]
struct Keys {
    good: Mutex<Vec<String>>,
    bad: Mutex<Vec<String>>,
}

impl Keys {
    fn list(&self, status: u16) -> Vec<String> {
        let list = if status == 200 { &self.good } else { &self.bad };
        list.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn begin_revocation(&self, key: &str) {
        self.good.lock().unwrap().retain(|good| good != key);
    }
}

/// Asks one server about all keys until the end. Each answer must be that of the lists before and after it.
fn ask(address: SocketAddr, keys: &Keys, is_over: &AtomicBool, answers: &AtomicU64, wrong: &Mutex<Vec<String>>) {
    let browser = Browser::new(address);
    while !is_over.load(Ordering::Relaxed) {
        for status in [200, 401] {
            for key in keys.list(status) {
                let answer = browser.bearer("/v1/whoami", &key);
                if answer.status != status && keys.list(status).contains(&key) {
                    let line = format!("{address}: {} for {}, which is {status}", answer.status, &key[..8]);
                    wrong.lock().unwrap().push(line);
                }
                answers.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn sign_in(address: SocketAddr) -> Browser {
    let browser = Browser::new(address);
    browser.post("/sign-in", &[("email", ADMIN), ("password", PASSWORD)]).expect_redirect(API_KEYS);
    browser
}

/// Changes keys on one server, and asks both at once.
fn change(maker: &Browser, both: [&Browser; 2], round: usize, keys: &Keys) {
    let assert_both = |key: &str, status| {
        for browser in both {
            browser.bearer("/v1/whoami", key).expect(status);
        }
    };
    let (id, key) = maker.create_key(&format!("Service {round}"));
    assert_both(&key, 200);
    keys.good.lock().unwrap().push(key.clone());
    maker.save(&format!("{API_KEYS}/{id}/edit"), &[("name", &format!("Renamed {round}"))]);
    let old = keys.list(200).swap_remove(0);
    keys.begin_revocation(&old);
    let found = maker.post(&format!("{API_KEYS}/identify"), &[("key", &old)]).expect(303);
    let id = found.header("location").rsplit('/').next().unwrap().to_owned();
    maker.revoke(&id, "superseded", "").expect(303);
    assert_both(&old, 401);
    keys.bad.lock().unwrap().push(old);
    for page in [API_KEYS, AUDIT_TRAIL, USERS, "/account", &format!("{API_KEYS}/{id}"), "/readyz"] {
        for browser in both {
            browser.get(page).expect(200);
        }
    }
}

#[test]
fn two_versions_agree_on_every_key() {
    let Some(old_program) = std::env::var_os("KEYDESK_TEST_OLD_PROGRAM") else {
        eprintln!("NOT TESTED: KEYDESK_TEST_OLD_PROGRAM names no program. Run: make two-versions");
        return;
    };
    if database::postgres().is_none() {
        return;
    }
    let (folder, of_new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let url = database::new_url(&folder);
    let secrets = folder.path().join("secrets");
    let mut command = program_at(Path::new(&old_program), folder.path(), "127.0.0.1:0");
    command.args(["--database-url", &url, "--public-url", "http://localhost"]);
    let old = Serving::start(command, 2);
    let of_old = old.set_up();
    let keys = Keys::default();
    for name in ["ERP Sync", "Café Łódź", "Reporting"] {
        keys.good.lock().unwrap().push(of_old.create_key(name).1);
    }
    let (is_over, answers, wrong) = (AtomicBool::new(false), AtomicU64::new(0), Mutex::new(Vec::new()));
    let old_address: SocketAddr = old.line("Listening on http://").parse().unwrap();
    std::thread::scope(|scope| {
        let watch = |address| {
            let (keys, is_over, answers, wrong) = (&keys, &is_over, &answers, &wrong);
            scope.spawn(move || ask(address, keys, is_over, answers, wrong));
        };
        watch(old_address);
        let changes = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            // The new version migrates while the old one serves.
            let mut command = keydesk(of_new.path());
            command.args(["--database-url", &url, "--public-url", "http://localhost", "--secrets-file"]).arg(&secrets);
            let new = Serving::start(command, 1);
            let new_address = new.line("Listening on http://").parse().unwrap();
            watch(new_address);
            let of_new = sign_in(new_address);
            let both = [&of_old, &of_new];
            for round in 0..ROUNDS {
                change(both[round % 2], both, round, &keys);
            }
            new
        }));
        is_over.store(true, Ordering::Relaxed);
        drop(changes.unwrap());
    });
    assert_eq!(old.stop(), 0);
    let verified = run(folder.path(), &url, &["audit", "verify"], "");
    assert!(verified.status.success(), "{verified:?}");
    let wrong = wrong.into_inner().unwrap();
    figures::print("R11", format!("{} of {} answers of two versions wrong", wrong.len(), answers.into_inner()));
    assert!(wrong.is_empty(), "{wrong:?}");
}
