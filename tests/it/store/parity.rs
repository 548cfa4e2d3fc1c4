//! The two migration trees make the same tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel::{PgConnection, SqliteConnection};
use keydesk::config::Database;

use crate::support::TestServer;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    required: bool,
    #[diesel(sql_type = Text)]
    kind: String,
}

type Tables = BTreeMap<String, BTreeSet<(String, bool, String)>>;

/// What the program's own list of columns says must stand, in the words of both databases.
const TABLES: [&str; 23] = [
    "api_keys",
    "audit_trail_hours",
    "audit_trails",
    "checkpoint_witnesses",
    "companies",
    "events",
    "gateways",
    "installation",
    "invitations",
    "key_clients",
    "key_counts",
    "key_usage",
    "key_usage_hours",
    "known_devices",
    "recovery_codes",
    "second_factors",
    "service_accounts",
    "sessions",
    "sign_in_failures",
    "sign_ins_awaiting_code",
    "submissions",
    "used_codes",
    "users",
];

/// All but the one that SQLite alone has: it counts changes for whoever remembers keys, and on PostgreSQL nobody does.
fn tables(url: &str) -> Tables {
    let columns: Vec<Column> = match Database::parse(url).unwrap() {
        Database::Sqlite(path) => diesel::sql_query(
            "SELECT m.name AS table_name, c.name AS name, c.\"notnull\" = 1 AS required, lower(c.type) AS kind \
             FROM sqlite_master m JOIN pragma_table_xinfo(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%' AND m.name <> 'key_epoch'",
        )
        .load(&mut SqliteConnection::establish(path.to_str().unwrap()).unwrap())
        .unwrap(),
        Database::Postgres(url) => diesel::sql_query(
            "SELECT table_name::text, column_name::text AS name, is_nullable = 'NO' AS required, data_type::text AS kind \
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'",
        )
        .load(&mut PgConnection::establish(&url).unwrap())
        .unwrap(),
    };
    let mut tables = Tables::new();
    for column in columns {
        let kind = match column.kind.as_str() {
            "blob" => "bytea".to_owned(),
            other => other.to_owned(),
        };
        tables.entry(column.table_name).or_default().insert((column.name, column.required, kind));
    }
    tables
}

#[test]
fn both_trees_have_the_same_migrations() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let names = |tree: &str| -> BTreeSet<String> {
        let folders = std::fs::read_dir(root.join(tree)).unwrap();
        folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(!names("sqlite").is_empty());
}

#[test]
fn the_tables_their_columns_and_what_must_not_be_null_are_the_same() {
    let here = tables(&TestServer::empty().database_url);
    assert_eq!(here.keys().map(String::as_str).collect::<Vec<_>>(), TABLES);
    // This suite runs on one database at a time: a SQLite file is made beside whichever it is.
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("beside.db").display());
    keydesk::store::Store::migrate(&Database::parse(&url).unwrap()).unwrap();
    assert_eq!(here, tables(&url));
}
