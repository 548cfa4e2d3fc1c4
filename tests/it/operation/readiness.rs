//! `/readyz` says whether keys can be verified and changes saved, while something is wrong with the database.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use keydesk::config::Database;

use crate::cli::{Serving, keydesk};
use crate::support::private_postgres::PrivatePostgres;
use crate::support::{Browser, TestServer, database};

/// Waits until readiness has this status. Returns the body.
pub fn wait_until(browser: &Browser, status: u16) -> String {
    let started = Instant::now();
    loop {
        let answer = browser.get("/readyz");
        if answer.status == status {
            return answer.body;
        }
        assert!(started.elapsed() < Duration::from_mins(1), "still {}: {}", answer.status, answer.body);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Keys can be verified, but nothing can be saved for this reason.
pub fn assert_not_writable(browser: &Browser, reasons: &[&str]) {
    let body = wait_until(browser, 503);
    assert!(body.contains("Changes cannot be saved") && !body.contains("Keys cannot"), "{body}");
    assert!(reasons.iter().any(|reason| body.contains(reason)), "{body}");
    browser.get("/readyz?for=verification").expect(200);
    browser.get("/readyz?for=anything").expect(503);
    assert!(browser.get("/metrics").body.contains("\nkeydesk_writable 0\n"));
}

pub fn assert_ready_again(browser: &Browser) {
    wait_until(browser, 200);
    let metrics = browser.get("/metrics").body;
    assert!(
        metrics.contains("\nkeydesk_writable 1\n") && metrics.contains("\nkeydesk_write_age_seconds "),
        "{metrics}"
    );
}

#[test]
fn a_lock_of_another_program_is_seen() {
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync");
    let browser = server.anonymous();
    browser.get("/readyz").expect(200);
    let reasons = ["has not finished one for", "holds a lock"];
    match Database::parse(&server.database_url).unwrap() {
        Database::Sqlite(path) => {
            let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            other.batch_execute("BEGIN IMMEDIATE").unwrap();
            assert_not_writable(&browser, &reasons);
        }
        Database::Postgres(url) => {
            let mut other = PgConnection::establish(&url).unwrap();
            other.batch_execute("BEGIN; LOCK TABLE installation IN SHARE MODE").unwrap();
            assert_not_writable(&browser, &reasons);
        }
    }
    assert_eq!(server.whoami(&key), 200);
    assert_ready_again(&browser);
}

#[test]
fn reads_that_hang_are_reported_in_time() {
    // On SQLite nothing blocks a reader.
    if database::postgres().is_none() {
        return;
    }
    let server = TestServer::start();
    let Database::Postgres(url) = Database::parse(&server.database_url).unwrap() else { unreachable!() };
    let mut other = PgConnection::establish(&url).unwrap();
    other.batch_execute("BEGIN; LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let began = Instant::now();
                let body = server.anonymous().get("/readyz").expect(503).body;
                assert!(body.contains("Keys cannot be verified"), "{body}");
                // The connection stays open, as a waiting one would be cancelled by the server only after 1.9 s.
                assert!(began.elapsed() < Duration::from_millis(2_700), "{:?}", began.elapsed());
            });
        }
    });
    server.anonymous().get("/readyz?for=verification").expect(503);
    other.batch_execute("ROLLBACK").unwrap();
    assert_ready_again(&server.anonymous());
}

#[test]
fn a_hung_standby_and_a_read_only_server_are_seen() {
    if database::postgres().is_none() {
        return;
    }
    let postgres = PrivatePostgres::start();
    let folder = tempfile::tempdir().unwrap();
    let mut command = keydesk(folder.path());
    command.args(["--database-url", &postgres.url]);
    let serving = Serving::start(command, 2);
    let browser = Browser::new(serving.line("Listening on http://").parse().unwrap());
    browser.get("/readyz").expect(200);
    let mut superuser = PgConnection::establish(&postgres.url).unwrap();
    let mut set = |setting: &str| {
        superuser.batch_execute(&format!("ALTER SYSTEM {setting}")).unwrap();
        superuser.batch_execute("SELECT pg_reload_conf()").unwrap();
    };
    assert!(browser.get("/readyz").body.contains("no synchronous standby"));
    // Nothing can be committed, so another server may be the primary: the lease is lost, and no key is verified.
    set("SET synchronous_standby_names = 'missing'");
    let (started, reasons) =
        (Instant::now(), ["has not finished one for", "The primary of the database commits nothing"]);
    loop {
        let body = browser.get("/readyz").body;
        if reasons.iter().all(|reason| body.contains(reason)) {
            break;
        }
        assert!(started.elapsed() < Duration::from_mins(1), "{body}");
        std::thread::sleep(Duration::from_millis(20));
    }
    browser.get("/readyz?for=verification").expect(503);
    assert!(browser.get("/metrics").body.contains("\nkeydesk_primary_lease 0\n"));
    browser.get("/v1/whoami").expect(401);
    let unknown = "goa_000000000000000000000000000000000BvU0h";
    browser.bearer("/v1/whoami", unknown).expect(503);
    set("RESET synchronous_standby_names");
    assert_ready_again(&browser);
    browser.bearer("/v1/whoami", unknown).expect(401);
    set("SET default_transaction_read_only = on");
    assert_not_writable(&browser, &["the database is read-only"]);
    set("RESET default_transaction_read_only");
    assert_ready_again(&browser);
    assert!(serving.log().contains("changes can be saved again"), "{}", serving.log());
}
