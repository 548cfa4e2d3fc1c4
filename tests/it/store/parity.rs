//! Both trees of migrations create the tables of the schema.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel::{PgConnection, SqliteConnection};
use keydesk::config::Database;

use crate::support::{TestServer, database};

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

/// Tables with their columns: name, whether a value is required, and type.
pub type Tables = BTreeMap<String, BTreeSet<(String, bool, String)>>;

/// Only SQLite has it: it counts changes for the cache of keys, and PostgreSQL has no such cache.
pub const ONLY_ON_SQLITE: &str = "key_epoch";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A value in `diesel.toml`.
fn setting(section: &str, name: &str) -> String {
    let file = std::fs::read_to_string(root().join("diesel.toml")).unwrap();
    let mut lines = file.lines().skip_while(|line| *line != format!("[{section}]"));
    let value = lines.find_map(|line| line.strip_prefix(&format!("{name} = ")));
    value.unwrap().trim_matches('"').to_owned()
}

/// The tables of the schema in the source, with the types that PostgreSQL gives their columns.
pub fn schema() -> Tables {
    let source = std::fs::read_to_string(root().join(setting("print_schema", "file"))).unwrap();
    let mut tables = Tables::new();
    let mut table = String::new();
    for line in source.lines().map(str::trim) {
        if let Some((name, _)) = line.strip_suffix(" {").and_then(|line| line.split_once(" (")) {
            name.clone_into(&mut table);
        } else if let Some((name, sql_type)) = line.strip_suffix(',').and_then(|line| line.split_once(" -> ")) {
            let nullable = sql_type.strip_prefix("Nullable<").and_then(|inner| inner.strip_suffix('>'));
            let kind = match nullable.unwrap_or(sql_type) {
                "BigInt" => "bigint",
                "Binary" => "bytea",
                "Bool" => "boolean",
                "Integer" => "integer",
                "Text" => "text",
                other => panic!("{other} in {table}"),
            };
            let column = (name.to_owned(), nullable.is_none(), kind.to_owned());
            tables.entry(table.clone()).or_default().insert(column);
        }
    }
    tables
}

/// The tables of a database, without those of diesel and SQLite.
fn tables(url: &str) -> Tables {
    let columns: Vec<Column> = match Database::parse(url).unwrap() {
        Database::Sqlite(path) => diesel::sql_query(
            "SELECT m.name AS table_name, c.name AS name, c.\"notnull\" = 1 AS required, lower(c.type) AS kind \
             FROM sqlite_master m JOIN pragma_table_xinfo(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\' \
             AND m.name NOT LIKE 'sqlite%'",
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
    let names = |tree: &str| -> BTreeSet<String> {
        let folders = std::fs::read_dir(root().join("migrations").join(tree)).unwrap();
        folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(!names("sqlite").is_empty());
}

#[test]
fn the_changelog_names_each_migration_in_one_release() {
    let changelog = std::fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let of_release = |release: &str| -> BTreeSet<String> {
        let lines = release.lines().filter_map(|line| line.strip_prefix("- `20")?.strip_suffix('`'));
        lines.map(|rest| format!("20{rest}")).collect()
    };
    let mut named = BTreeSet::new();
    // The newest release comes first, and has the newest migrations.
    for release in changelog.split("\n## ").skip(1) {
        let migrations = of_release(release);
        let later = named.first().cloned().unwrap_or_else(|| "3".to_owned());
        assert!(migrations.iter().all(|name| *name < later), "{migrations:?}");
        named.extend(migrations);
    }
    let folders = std::fs::read_dir(root().join("migrations/sqlite")).unwrap();
    let existing: BTreeSet<String> = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(named, existing);
}

#[test]
fn diesel_toml_names_the_schema_and_the_migrations() {
    assert_eq!(setting("print_schema", "file"), "src/store/schema.rs");
    assert_eq!(setting("migrations_directory", "dir"), "migrations/sqlite");
    assert!(root().join("src/store/schema.rs").is_file() && root().join("migrations/sqlite").is_dir());
}

#[test]
fn both_databases_have_the_tables_of_the_schema() {
    // The suite runs on one database at a time; this creates a SQLite file in addition.
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("parity.db").display());
    keydesk::store::Store::migrate(&Database::parse(&url).unwrap()).unwrap();
    let mut expected = schema();
    assert_eq!(tables(&url), expected);
    if database::postgres().is_some() {
        assert!(expected.remove(ONLY_ON_SQLITE).is_some());
    }
    assert_eq!(tables(&TestServer::empty().database_url), expected);
}
