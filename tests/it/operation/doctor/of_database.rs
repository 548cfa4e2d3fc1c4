//! The database: whether it can be used, and its clock.

use std::time::{Duration, Instant};

use clap::{Args, FromArgMatches};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use keydesk::clock::Clock;
use keydesk::config::{Database, Settings};
use keydesk::server::doctor::{self, Finding, Subject};

use super::{NO_SERVER, address, examine, serve};
use crate::support::private_postgres::PrivatePostgres;
use crate::support::{TestServer, database};

#[test]
fn a_database_that_cannot_be_reached_is_named() {
    let server = TestServer::start();
    let url = if database::postgres().is_some() {
        "postgres://u@127.0.0.1:9/d".to_owned()
    } else {
        let path = server.folder.path().join("no.db");
        std::fs::write(&path, "no database".repeat(100)).unwrap();
        format!("sqlite://{}", path.display())
    };
    let examined = examine(server.folder.path(), &url, &server.address.to_string(), &[]);
    let line =
        if database::postgres().is_some() { "database: the database is not available" } else { "database: The file " };
    examined.expect(11, line);
    assert!(examined.lines.contains("lease: not examined: first mend what is wrong with the database"));
}

#[test]
fn a_schema_of_another_version_is_named() {
    let server = TestServer::start();
    let examined = || examine(server.folder.path(), &server.database_url, &server.address.to_string(), &[]);
    let latest = "(SELECT max(version) FROM __diesel_schema_migrations)";
    database::tamper(&server.database_url, &format!("DELETE FROM __diesel_schema_migrations WHERE version = {latest}"));
    examined().expect(13, "schema: The database has the schema of an older version");
    let newer = "INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('20991231235959', CURRENT_TIMESTAMP)";
    database::tamper(&server.database_url, newer);
    examined().expect(13, "schema: The database was made by a newer version");
}

#[test]
fn changes_that_cannot_be_saved_are_named() {
    let server = TestServer::start();
    let examined = || examine(server.folder.path(), &server.database_url, NO_SERVER, &[]);
    match Database::parse(&server.database_url).unwrap() {
        Database::Sqlite(path) => {
            let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            other.batch_execute("BEGIN IMMEDIATE").unwrap();
            examined().expect(17, "changes: Changes cannot be saved: ");
        }
        Database::Postgres(url) => {
            let mut other = PgConnection::establish(&url).unwrap();
            other.batch_execute("BEGIN; LOCK TABLE installation IN SHARE MODE").unwrap();
            examined().expect(17, "changes: Changes cannot be saved: ");
        }
    }
}

#[test]
fn a_primary_that_commits_nothing_is_named() {
    if database::postgres().is_none() {
        return;
    }
    let (postgres, folder) = (PrivatePostgres::start(), tempfile::tempdir().unwrap());
    let serving = serve(folder.path(), &postgres.url, &[]);
    let good = examine(folder.path(), &postgres.url, &address(&serving), &[]);
    good.expect(0, "lease: good. PostgreSQL has no synchronous standby");
    let mut superuser = PgConnection::establish(&postgres.url).unwrap();
    superuser.batch_execute("ALTER SYSTEM SET synchronous_standby_names = 'missing'").unwrap();
    superuser.batch_execute("SELECT pg_reload_conf()").unwrap();
    let started = Instant::now();
    // The server reads its settings a moment later.
    loop {
        let examined = examine(folder.path(), &postgres.url, &address(&serving), &[]);
        if examined.code == 16 || started.elapsed().as_secs() > 30 {
            examined.expect(16, "lease: The primary of the database commits nothing");
            break;
        }
    }
    superuser.batch_execute("ALTER SYSTEM RESET synchronous_standby_names").unwrap();
    superuser.batch_execute("SELECT pg_reload_conf()").unwrap();
}

#[test]
fn too_few_connections_are_named() {
    if database::postgres().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let role = format!("doctor_of_{}", url.rsplit('/').next().unwrap());
    let of_role = url.replace("keydesk@", &format!("{role}@"));
    let mut superuser = PgConnection::establish(&url).unwrap();
    superuser.batch_execute(&format!("CREATE ROLE {role} LOGIN; GRANT ALL ON SCHEMA public TO {role}")).unwrap();
    let serving = serve(folder.path(), &of_role, &[]);
    assert_eq!(serving.stop(), 0);
    // PostgreSQL notices a moment later that the server's connections are gone, and counts them until then.
    let started = Instant::now();
    while database::count(&url, "pg_stat_activity", &format!("usename = '{role}'")) > 0 {
        assert!(started.elapsed() < Duration::from_mins(1), "the connections are still there");
        std::thread::sleep(Duration::from_millis(10));
    }
    superuser.batch_execute(&format!("ALTER ROLE {role} CONNECTION LIMIT 15")).unwrap();
    let examined = examine(folder.path(), &of_role, NO_SERVER, &[]);
    examined.expect(18, &format!("connections: PostgreSQL allows the role “{role}” 15 connections"));
    superuser.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).unwrap();
}

#[test]
fn a_wrong_clock_is_named() {
    if database::postgres().is_none() {
        return;
    }
    let server = TestServer::with_system_clock();
    let address = server.address.to_string();
    let flags = ["keydesk", "--listen", &address, "--database-url", &server.database_url, "--data-dir"];
    let command = Settings::augment_args(clap::Command::new("keydesk"));
    let flags = [&flags[..], &[server.folder.path().to_str().unwrap()]].concat();
    let config = Settings::from_arg_matches(&command.get_matches_from(flags)).unwrap().check().unwrap();
    let finding = |skew| {
        let report = doctor::examine(&config, &Clock::skewed(skew));
        report.into_iter().find(|(subject, _)| *subject == Subject::Clock).unwrap().1
    };
    assert_eq!(finding(0), Finding::Good);
    let wrong = finding(20_000_000);
    assert!(matches!(&wrong, Finding::Trouble(text) if text.contains("20 s ahead of the database's")), "{wrong}");
}

#[test]
fn a_large_write_ahead_log_is_named() {
    let server = TestServer::start();
    let Database::Sqlite(path) = Database::parse(&server.database_url).unwrap() else { return };
    let mut reader = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    reader.batch_execute("BEGIN; SELECT count(*) FROM companies").unwrap();
    // In one transaction, which the log holds as a whole.
    let rows = "INSERT INTO submissions (id, used_at) SELECT randomblob(1000000), 0 FROM (WITH RECURSIVE up (n) AS \
         (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 70) SELECT n FROM up)";
    database::tamper(&server.database_url, rows);
    let examined = examine(server.folder.path(), &server.database_url, &server.address.to_string(), &[]);
    examined.expect(22, "write-ahead log: SQLite's write-ahead log has ");
}
