//! The tables of this version, in the order in which rows can be inserted.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};

use crate::store::error::StoreError;
use crate::store::migrate::apply_to_new_sqlite;

/// Tables whose rows stay behind, each with the reason. Every other table is copied.
const NOT_COPIED: [(&str, &str); 7] = [
    ("__diesel_schema_migrations", "each database has run its own migrations"),
    ("assessment_queue", "triggers enter the copied keys"),
    ("key_assessments", "the copied keys are assessed again"),
    ("key_epoch", "it counts changes for the caches of running processes, and only SQLite has it"),
    ("practice_summaries", "the copied keys are assessed again"),
    ("secret_servers", "each belongs to a running server, which renews it"),
    ("setup_links", "each belongs to a running server, which renews it"),
];

/// Triggers of one table fill the other one, which is therefore copied later.
const FILLED_BY_TRIGGERS: [(&str, &str); 1] = [("api_keys", "key_counts")];

/// Migrations insert rows into these tables.
const FILLED_BY_MIGRATIONS: [&str; 1] = ["name_keys"];

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Bytes,
    Integer,
    BigInteger,
    Boolean,
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The database computes the value.
    pub(super) is_generated: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The columns of the primary key.
    pub(super) key: Vec<String>,
    /// The columns of a foreign key to the table itself; empty if there is none.
    pub(super) self_reference: Vec<String>,
    parents: BTreeSet<String>,
}

impl Table {
    /// The columns that a row is inserted with.
    pub(super) fn stored_columns(&self) -> impl Iterator<Item = &Column> + Clone {
        self.columns.iter().filter(|column| !column.is_generated)
    }

    /// Whether a new database has rows in it.
    pub(super) fn is_filled_by_migrations(&self) -> bool {
        FILLED_BY_MIGRATIONS.contains(&&*self.name)
    }
}

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Integer)]
    key_position: i32,
    #[diesel(sql_type = Bool)]
    is_generated: bool,
}

#[derive(QueryableByName)]
struct ReferenceRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    parent: String,
}

const COLUMNS: &str = "SELECT tables.name AS table_name, columns.name AS name, upper(columns.type) AS kind, \
     columns.pk AS key_position, columns.hidden IN (2, 3) AS is_generated \
     FROM sqlite_master tables JOIN pragma_table_xinfo(tables.name) columns \
     WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY tables.name, columns.cid";

const REFERENCES: &str = "SELECT tables.name AS table_name, keys.\"from\" AS column_name, keys.\"table\" AS parent \
     FROM sqlite_master tables JOIN pragma_foreign_key_list(tables.name) keys WHERE tables.type = 'table'";

/// Returns the tables that are copied, each after those that it refers to. They are read from a database in memory that
/// has run the migrations of this version: both databases have the same tables.
pub(super) fn copied_tables() -> Result<Vec<Table>, StoreError> {
    let tables = all_tables()?;
    let is_copied = |table: &Table| NOT_COPIED.iter().all(|(name, _)| *name != table.name);
    in_order_of_references(tables.into_iter().filter(is_copied).collect())
}

/// Returns the names of all tables of this version.
pub(in crate::store) fn table_names() -> Result<&'static [String], StoreError> {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    if let Some(names) = NAMES.get() {
        return Ok(names);
    }
    let names = all_tables()?.into_iter().map(|table| table.name).collect();
    Ok(NAMES.get_or_init(|| names))
}

fn all_tables() -> Result<Vec<Table>, StoreError> {
    let mut database = SqliteConnection::establish(":memory:").map_err(StoreError::unexpected)?;
    apply_to_new_sqlite(&mut database).map_err(|error| StoreError::unexpected(error.to_string()))?;
    let columns: Vec<ColumnRow> = diesel::sql_query(COLUMNS).load(&mut database)?;
    let references: Vec<ReferenceRow> = diesel::sql_query(REFERENCES).load(&mut database)?;
    let mut tables: Vec<Table> = Vec::new();
    for rows in columns.chunk_by(|one, other| one.table_name == other.table_name) {
        let Some(name) = rows.first().map(|row| row.table_name.clone()) else { continue };
        let own = || references.iter().filter(|reference| reference.table_name == name);
        let mut key: Vec<&ColumnRow> = rows.iter().filter(|row| row.key_position > 0).collect();
        key.sort_by_key(|row| row.key_position);
        let filled = FILLED_BY_TRIGGERS.iter().filter(|(_, filled)| *filled == name);
        let parents = own().map(|reference| reference.parent.clone()).chain(filled.map(|(by, _)| (*by).to_owned()));
        tables.push(Table {
            columns: rows.iter().map(column).collect::<Result<_, _>>()?,
            key: key.into_iter().map(|row| row.name.clone()).collect(),
            self_reference: own().filter(|reference| reference.parent == name).map(|r| r.column_name.clone()).collect(),
            parents: parents.filter(|parent| *parent != name).collect(),
            name,
        });
    }
    Ok(tables)
}

fn column(row: &ColumnRow) -> Result<Column, StoreError> {
    let kind = match &*row.kind {
        "TEXT" => Kind::Text,
        "BLOB" => Kind::Bytes,
        "INTEGER" => Kind::Integer,
        "BIGINT" => Kind::BigInteger,
        "BOOLEAN" => Kind::Boolean,
        // Diesel's own table, which is not copied, has others.
        _ if row.table_name.starts_with('_') => Kind::Text,
        other => return Err(StoreError::unexpected(format!("the column {} of the type {other}", row.name))),
    };
    Ok(Column { name: row.name.clone(), kind, is_generated: row.is_generated })
}

fn in_order_of_references(mut left: Vec<Table>) -> Result<Vec<Table>, StoreError> {
    let mut ordered: Vec<Table> = Vec::new();
    while !left.is_empty() {
        let is_waited_for = |parent: &String| left.iter().any(|table| table.name == *parent);
        let ready = left.iter().position(|table| !table.parents.iter().any(is_waited_for));
        let ready = ready.ok_or_else(|| StoreError::unexpected("tables that refer to each other"))?;
        ordered.push(left.remove(ready));
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_copied_after_those_that_it_refers_to() {
        let tables = copied_tables().unwrap();
        let position = |name: &str| tables.iter().position(|table| table.name == name).unwrap();
        for (before, after) in [
            ("audit_trails", "companies"),
            ("companies", "users"),
            ("users", "api_keys"),
            ("service_accounts", "api_keys"),
            ("api_keys", "key_usage"),
            ("api_keys", "key_counts"),
            ("second_factors", "recovery_codes"),
        ] {
            assert!(position(before) < position(after), "{before} {after}");
        }
        let keys = &tables[position("api_keys")];
        assert_eq!(keys.self_reference, ["company_id", "replaced_by"]);
        assert_eq!(keys.key, ["id"]);
        let generated: Vec<&str> = keys.columns.iter().filter(|c| c.is_generated).map(|c| &*c.name).collect();
        assert_eq!(generated, ["ended_at", "refused_from"]);
        let hours = &tables[position("key_usage_hours")];
        assert_eq!(hours.key, ["key_id", "hour"]);
    }

    #[test]
    fn every_table_is_copied_or_excused() {
        let all: BTreeSet<String> = table_names().unwrap().iter().cloned().collect();
        let copied: BTreeSet<String> = copied_tables().unwrap().into_iter().map(|table| table.name).collect();
        for (name, reason) in NOT_COPIED {
            assert!(all.contains(name) && !copied.contains(name), "{name}");
            assert!(reason.len() > 20, "{name}");
        }
        assert_eq!(all.len(), copied.len() + NOT_COPIED.len());
        for name in FILLED_BY_MIGRATIONS.into_iter().chain(FILLED_BY_TRIGGERS.map(|(_, filled)| filled)) {
            assert!(copied.contains(name), "{name}");
        }
        assert!(copied_tables().unwrap().iter().all(|table| !table.key.is_empty()), "rows are compared by their keys");
    }
}
