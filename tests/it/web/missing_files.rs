//! A file of the installation that is deleted or replaced while the server runs.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{API_KEYS, Answer, TestServer, database, figures};

fn wait_for(server: &TestServer, path: &str, status: u16) -> Answer {
    let started = Instant::now();
    loop {
        let answer = server.anonymous().get(path);
        if answer.status == status {
            return answer;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{path} still answers {}", answer.status);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Takes a file away and puts it back. Meanwhile nothing is served.
fn take_away_and_put_back(server: &TestServer, file: &Path) {
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    assert_eq!(server.whoami(&key), 200);
    let aside = file.with_extension("aside");
    fs::rename(file, &aside).unwrap();
    // Nothing is acknowledged, although the server has not looked at the file yet.
    assert_eq!(admin.revoke(&id, "compromised", "").status, 503);
    wait_for(server, "/readyz", 503);
    assert_eq!(server.whoami(&key), 503);
    admin.get(API_KEYS).expect(503);
    fs::rename(&aside, file).unwrap();
    wait_for(server, "/readyz", 200);
    assert_eq!(server.whoami(&key), 200);
    admin.revoke(&id, "compromised", "").expect(303);
    assert_eq!(server.whoami(&key), 401);
}

#[test]
fn nothing_is_served_without_the_database_file() {
    let server = TestServer::start();
    if database::postgres().is_none() {
        take_away_and_put_back(&server, &server.folder.path().join("keydesk.db"));
        figures::print("R13", "nothing is acknowledged without the database file");
    }
}

#[test]
fn nothing_is_served_without_the_secrets_file() {
    let server = TestServer::start();
    take_away_and_put_back(&server, &server.folder.path().join("secrets"));
}

#[test]
fn nothing_is_acknowledged_into_a_replaced_database() {
    let server = TestServer::start();
    if database::postgres().is_some() {
        return;
    }
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let file = server.folder.path().join("keydesk.db");
    let copy = server.folder.path().join("copy.db");
    database::tamper(&server.database_url, &format!("VACUUM INTO '{}'", copy.display()));
    fs::rename(&copy, &file).unwrap();
    assert_eq!(admin.revoke(&id, "compromised", "").status, 503);
    wait_for(&server, "/readyz", 503);
    assert_eq!(server.whoami(&key), 503);
}

#[test]
fn a_database_that_was_swapped_and_put_back_stays_the_same() {
    let server = TestServer::start();
    if database::postgres().is_some() {
        return;
    }
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let (file, copy) = (server.folder.path().join("keydesk.db"), server.folder.path().join("copy.db"));
    database::tamper(&server.database_url, &format!("VACUUM INTO '{}'", copy.display()));
    admin.revoke(&id, "compromised", "").expect(303);
    let suffixes = ["", "-wal", "-shm"];
    let with = |path: &Path, suffix: &str| Path::new(&format!("{}{suffix}", path.display())).to_owned();
    let aside = server.folder.path().join("aside.db");
    for suffix in suffixes {
        fs::rename(with(&file, suffix), with(&aside, suffix)).unwrap();
    }
    fs::rename(&copy, &file).unwrap();
    // Eight clients at once: connections that are opened now must not be connections to the other database.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    assert!([401, 503].contains(&server.whoami(&key)));
                    assert!([200, 503].contains(&admin.get(API_KEYS).status));
                }
            });
        }
    });
    for suffix in suffixes {
        let _ = fs::remove_file(with(&file, suffix));
        fs::rename(with(&aside, suffix), with(&file, suffix)).unwrap();
    }
    wait_for(&server, "/readyz", 200);
    assert_eq!(server.whoami(&key), 401);
    let new = admin.create_key("Reporting");
    assert_eq!(server.whoami(&new.1), 200);
    admin.revoke(&new.0, "compromised", "").expect(303);
    assert_eq!(server.whoami(&new.1), 401);
}

#[test]
fn nothing_is_acknowledged_without_the_write_ahead_log() {
    let server = TestServer::start();
    if database::postgres().is_some() {
        return;
    }
    let admin = server.admin();
    let id = admin.create_key("ERP Sync").0;
    fs::remove_file(server.folder.path().join("keydesk.db-wal")).unwrap();
    assert_eq!(admin.revoke(&id, "compromised", "").status, 503);
    wait_for(&server, "/readyz", 503);
}
