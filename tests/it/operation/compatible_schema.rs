//! The schema stays usable for the version before: two versions share one PostgreSQL while servers are replaced.

use std::collections::BTreeSet;
use std::path::Path;

use super::upgrade::State;
use crate::cli::run;
use crate::support::database;

/// The recorded database of the version before this one.
const VERSION_BEFORE: &str = "2026-11-29-version-0.1.0";

/// The rows of a query over the catalog, as text.
fn catalog(url: &str, columns: &[&str], rest: &str) -> BTreeSet<String> {
    let line =
        columns.iter().map(|column| format!("coalesce({column}::text, '')")).collect::<Vec<_>>().join(" || ' ' || ");
    database::column(url, &line, rest).into_iter().flatten().collect()
}

/// What statements of the version before rely on.
struct Schema {
    /// Tables and columns with their types.
    columns: BTreeSet<String>,
    /// Columns that a row must give.
    required: BTreeSet<String>,
    /// Rules that a row must keep.
    rules: BTreeSet<String>,
}

impl Schema {
    fn of(url: &str) -> Self {
        let columns = "FROM information_schema.columns WHERE table_schema = 'public'";
        let required = format!("{columns} AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'");
        let rules = "FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'x')";
        let unique = "FROM pg_indexes i JOIN pg_class c ON c.relname = i.indexname JOIN pg_index x ON x.indexrelid = c.oid \
            WHERE i.schemaname = 'public' AND x.indisunique";
        let rule = ["conrelid::regclass", "pg_get_constraintdef(oid)"];
        // The name of an index does not matter.
        let definition = ["i.tablename", "substring(i.indexdef FROM ' USING .*')"];
        Self {
            columns: catalog(url, &["table_name", "column_name", "data_type"], columns),
            required: catalog(url, &["table_name", "column_name"], &required),
            rules: &catalog(url, &rule, rules) | &catalog(url, &definition, unique),
        }
    }

    fn tables(&self) -> BTreeSet<&str> {
        self.columns.iter().map(|column| column.split(' ').next().unwrap()).collect()
    }
}

/// What was added to tables that the version before writes.
fn added<'a>(before: &'a Schema, rows: &'a BTreeSet<String>, earlier: &'a BTreeSet<String>) -> Vec<&'a String> {
    let tables = before.tables();
    rows.difference(earlier).filter(|row| tables.contains(row.split(' ').next().unwrap())).collect()
}

#[test]
fn a_migration_only_adds_what_the_version_before_can_leave_out() {
    if database::postgres().is_none() {
        return;
    }
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upgrade/states").join(VERSION_BEFORE);
    let state = State::restore(&recorded);
    let before = Schema::of(&state.url);
    assert!(before.columns.len() > 100 && before.required.len() > 50 && before.rules.len() > 20);
    let migrated = run(state.folder.path(), &state.url, &["migrate"], "");
    assert!(migrated.status.success(), "{migrated:?}");
    let after = Schema::of(&state.url);
    let gone: Vec<_> = before.columns.difference(&after.columns).collect();
    assert!(gone.is_empty(), "statements of the version before use these columns: {gone:?}");
    let required = added(&before, &after.required, &before.required);
    assert!(required.is_empty(), "the version before does not write these columns: {required:?}");
    let rules = added(&before, &after.rules, &before.rules);
    assert!(rules.is_empty(), "the version before may break these rules: {rules:?}");
}
