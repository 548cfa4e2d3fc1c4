//! A database that stalls, goes away and comes back, and clients that do not wait for their answer: nobody is answered
//! wrongly, nobody waits for long, and what works again is used again.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use keydesk::config::Database;

use crate::cli::{run, text};
use crate::support::{K, TestServer, browser, database};

/// Holds the table of keys so that on PostgreSQL nobody can read it, and on SQLite nobody can write.
fn hold_keys(url: &str, for_so_long: Duration) {
    match Database::parse(url).unwrap() {
        Database::Sqlite(path) => {
            let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            connection.batch_execute("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE").unwrap();
            std::thread::sleep(for_so_long);
            connection.batch_execute("ROLLBACK").unwrap();
        }
        Database::Postgres(url) => {
            let mut connection = PgConnection::establish(&url).unwrap();
            connection.batch_execute("BEGIN; LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE").unwrap();
            std::thread::sleep(for_so_long);
            connection.batch_execute("ROLLBACK").unwrap();
        }
    }
}

/// Asks until the answer is that one; how long it took.
fn until(server: &TestServer, key: &str, status: u16) -> Duration {
    let began = Instant::now();
    while server.whoami(key) != status {
        assert!(began.elapsed() < Duration::from_secs(10), "never answered {status}");
    }
    began.elapsed()
}

#[test]
fn nobody_waits_longer_than_two_seconds_for_a_database_that_stalls() {
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync");
    assert_eq!(server.whoami(&key), 200);
    std::thread::scope(|scope| {
        let held = scope.spawn(|| hold_keys(&server.database_url, Duration::from_secs(5)));
        std::thread::sleep(Duration::from_millis(300));
        let asking = (0..12).map(|number| {
            let (server, key) = (&server, &key);
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(number * 150));
                let began = Instant::now();
                (server.whoami(key), began.elapsed())
            })
        });
        let answers: Vec<_> = asking.collect::<Vec<_>>().into_iter().map(|asked| asked.join().unwrap()).collect();
        // Whoever writes keeps nobody on SQLite from reading.
        let expected = if database::postgres().is_some() { 503 } else { 200 };
        for (status, waited) in answers {
            assert_eq!(status, expected);
            assert!(waited < Duration::from_millis(2_700), "{waited:?}");
        }
        held.join().unwrap();
    });
    assert!(until(&server, &key, 200) < Duration::from_secs(3));
}

#[test]
fn a_gateway_waits_two_seconds_for_both_answers_together() {
    // Nobody can be kept from reading on SQLite.
    if database::postgres().is_none() {
        return;
    }
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync");
    let output = run(server.folder.path(), &server.database_url, &["gateway", "add", "Edge"], "");
    let credential = text(&output.stdout);
    let ask = || {
        let request = server.anonymous().request("POST", "/v1/introspect").bearer_auth(credential.trim());
        browser::send(request.form(&[("token", &key)])).status
    };
    assert_eq!(ask(), 200);
    let Database::Postgres(url) = Database::parse(&server.database_url).unwrap() else { unreachable!() };
    let [mut gateways, mut keys] = [(); 2].map(|()| PgConnection::establish(&url).unwrap());
    gateways.batch_execute("BEGIN; LOCK TABLE gateways IN ACCESS EXCLUSIVE MODE").unwrap();
    keys.batch_execute("BEGIN; LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE").unwrap();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let began = Instant::now();
            (ask(), began.elapsed())
        });
        std::thread::sleep(Duration::from_millis(1_400));
        gateways.batch_execute("ROLLBACK").unwrap();
        let (status, waited) = asked.join().unwrap();
        assert_eq!(status, 503);
        assert!(waited < Duration::from_millis(2_700), "{waited:?}");
    });
}

#[test]
fn clients_that_go_away_take_nobody_along() {
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync");
    std::thread::scope(|scope| {
        let held = scope.spawn(|| hold_keys(&server.database_url, Duration::from_millis(900)));
        std::thread::sleep(Duration::from_millis(200));
        let stays = scope.spawn(|| server.whoami(&key));
        for _ in 0..50 {
            let mut client = TcpStream::connect(server.address).unwrap();
            let request = format!("GET /v1/whoami HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {key}\r\n\r\n");
            client.write_all(request.as_bytes()).unwrap();
        }
        assert_eq!(stays.join().unwrap(), 200);
        held.join().unwrap();
    });
    assert_eq!(server.whoami(&key), 200);
}

/// Lets nobody into a database of PostgreSQL, and throws out whoever is there; or lets them in again.
fn let_in(url: &str, open: bool) {
    let (server, name) = url.rsplit_once('/').unwrap();
    let mut connection = PgConnection::establish(&format!("{server}/postgres")).unwrap();
    connection.batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {open}")).unwrap();
    if !open {
        let all = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        connection.batch_execute(&all).unwrap();
    }
}

#[test]
fn a_database_that_goes_away_is_not_guessed_about_and_is_asked_again_when_it_is_back() {
    if database::postgres().is_none() {
        return;
    }
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let (_, other) = admin.create_key("Reporting");
    assert_eq!(server.whoami(&key), 200);
    for _ in 0..3 {
        let_in(&server.database_url, false);
        for _ in 0..5 {
            let began = Instant::now();
            assert_eq!(server.whoami(&key), 503);
            assert!(began.elapsed() < Duration::from_millis(2_700));
        }
        let_in(&server.database_url, true);
        assert!(until(&server, &key, 200) < Duration::from_secs(5));
    }
    admin.revoke(&id, "unspecified", "").expect(303);
    assert_eq!((server.whoami(&key), server.whoami(&other)), (401, 200));
}

#[test]
fn a_connection_that_was_cut_while_nobody_asked_costs_no_answer() {
    if database::postgres().is_none() {
        return;
    }
    let server = TestServer::start();
    let admin = server.admin();
    let (_, key) = admin.create_key("ERP Sync");
    let cut = || {
        let_in(&server.database_url, false);
        let_in(&server.database_url, true);
    };
    for round in 0..3 {
        cut();
        assert_eq!(server.whoami(&key), 200);
        cut();
        admin.get(K).expect(200);
        cut();
        admin.create_key(&format!("Reporting {round}"));
    }
}
