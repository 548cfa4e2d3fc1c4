//! Creates a database for each test and reads and changes it directly.

use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{Nullable, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use keydesk::config::Database;
use tempfile::TempDir;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// The URL of the PostgreSQL server that the suite runs on, if any.
pub fn postgres() -> Option<String> {
    std::env::var("KEYDESK_TEST_POSTGRES_URL").ok()
}

/// Creates a database and returns its URL. On SQLite the file is in `folder`.
pub fn new_url(folder: &TempDir) -> String {
    let Some(server) = postgres() else {
        return format!("sqlite://{}", folder.path().join("keydesk.db").display());
    };
    let name = format!("it_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
    let mut connection = PgConnection::establish(&server).unwrap();
    connection.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    let (server, _) = server.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// Runs statements on a connection of its own, without the server.
pub fn tamper(url: &str, statements: &str) {
    match Database::parse(url).unwrap() {
        Database::Sqlite(path) => {
            let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            connection.batch_execute("PRAGMA busy_timeout = 60000").unwrap();
            connection.batch_execute(statements).unwrap();
        }
        Database::Postgres(url) => PgConnection::establish(&url).unwrap().batch_execute(statements).unwrap(),
    }
}

/// Makes the keys unreadable for the server: PostgreSQL refuses connections, on SQLite the table is renamed.
pub fn take_away(url: &str) {
    if postgres().is_some() {
        allow_connections(url, false);
    } else {
        tamper(url, "ALTER TABLE api_keys RENAME TO hidden");
    }
}

/// Reverses [`take_away`].
pub fn give_back(url: &str) {
    if postgres().is_some() {
        allow_connections(url, true);
    } else {
        tamper(url, "ALTER TABLE hidden RENAME TO api_keys");
    }
}

/// Allows connections to a PostgreSQL database, or forbids them and terminates the open ones.
pub fn allow_connections(url: &str, open: bool) {
    let (server, name) = url.rsplit_once('/').unwrap();
    let mut connection = PgConnection::establish(&format!("{server}/postgres")).unwrap();
    connection.batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {open}")).unwrap();
    if !open {
        let all = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        connection.batch_execute(&all).unwrap();
    }
}

/// Copies a PostgreSQL database as it is now. Its clients lose their connections. Returns the name of the copy.
pub fn copy(url: &str) -> String {
    let (server, name) = url.rsplit_once('/').unwrap();
    let copy = format!("{name}_copy");
    allow_connections(url, false);
    let mut connection = PgConnection::establish(&format!("{server}/postgres")).unwrap();
    connection.batch_execute(&format!("CREATE DATABASE {copy} TEMPLATE {name}")).unwrap();
    allow_connections(url, true);
    copy
}

/// Replaces a PostgreSQL database by a copy. Its clients lose their connections.
pub fn replace_by(url: &str, copy: &str) {
    let (server, name) = url.rsplit_once('/').unwrap();
    allow_connections(url, false);
    let mut connection = PgConnection::establish(&format!("{server}/postgres")).unwrap();
    for rename in [(name, format!("{name}_gone")), (copy, name.to_owned())] {
        connection.batch_execute(&format!("ALTER DATABASE {} RENAME TO {}", rename.0, rename.1)).unwrap();
    }
}

/// A query that returns the numbers from 1 to `last` in the column `n`.
pub fn numbers(last: u64) -> String {
    if postgres().is_some() {
        return format!("SELECT generate_series(1::bigint, {last}) AS n");
    }
    format!("WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < {last}) SELECT n FROM up")
}

pub fn refuses(url: &str, statement: &str) -> bool {
    match Database::parse(url).unwrap() {
        Database::Sqlite(path) => {
            SqliteConnection::establish(path.to_str().unwrap()).unwrap().batch_execute(statement).is_err()
        }
        Database::Postgres(url) => PgConnection::establish(&url).unwrap().batch_execute(statement).is_err(),
    }
}

/// Statements that remove the triggers which protect events, as an attacker with database access can.
pub fn unlock_events() -> &'static str {
    if postgres().is_some() {
        "DROP TRIGGER events_are_not_changed ON events;"
    } else {
        "DROP TRIGGER events_are_not_updated; DROP TRIGGER events_are_not_deleted;"
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// The values of one column as text; NULL is `None`.
pub fn column(url: &str, expression: &str, rest: &str) -> Vec<Option<String>> {
    let query = format!("SELECT CAST({expression} AS TEXT) AS value {rest}");
    let rows: Vec<Row> = match Database::parse(url).unwrap() {
        Database::Sqlite(path) => {
            let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            connection.batch_execute("PRAGMA busy_timeout = 60000").unwrap();
            sql_query(query).load(&mut connection).unwrap()
        }
        Database::Postgres(url) => sql_query(query).load(&mut PgConnection::establish(&url).unwrap()).unwrap(),
    };
    rows.into_iter().map(|row| row.value).collect()
}

/// The number of rows for which a condition holds.
pub fn count(url: &str, table: &str, condition: &str) -> u64 {
    let found = column(url, "count(*)", &format!("FROM {table} WHERE {condition}"));
    found[0].as_deref().unwrap().parse().unwrap()
}
