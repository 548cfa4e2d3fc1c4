//! The copy itself: every row, then a comparison of every row.

use super::error::CopyError;
use super::insert::Batch;
use super::row::{Row, Value};
use super::source::Source;
use super::tables::{Table, copied_tables};
use super::target::Target;
use crate::config::Database;
use crate::domain::text::normalize::hex;
use crate::store::connection::AnyConnection;
use crate::store::pool::Store;

/// Progress is reported once for this many rows.
const ROWS_PER_STEP: u64 = 1_000;

/// A table without constraints, for rows that refer to rows of their own table.
const STAGING: &str = "keydesk_copy_staging";

/// What a copy has done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyStep {
    /// The number of rows that were copied, and of all rows.
    Copied(u64, u64),
    /// The number of rows that were compared, and of all rows.
    Compared(u64, u64),
}

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopiedRows {
    pub tables: usize,
    pub rows: u64,
}

impl Store {
    /// Copies all rows of a database into an empty one, and compares them. The source is one snapshot, and must have the
    /// schema of this version; no server may run on it. The memory in use does not grow with the rows.
    ///
    /// # Errors
    /// [`CopyError`]: nothing was copied.
    pub fn copy_database(
        source: &Database,
        target: &Database,
        progress: &mut dyn FnMut(CopyStep),
    ) -> Result<CopiedRows, CopyError> {
        let tables = copied_tables().map_err(CopyError::Source)?;
        let mut source = Source::open(source)?;
        let mut target = Target::create(target, &tables)?;
        let mut total = 0;
        for table in &tables {
            total += source.count(table)?;
        }
        let (mut copied, mut compared) = (0, 0);
        for table in &tables {
            copy_table(&mut source, &mut target, table, &mut || {
                copied += 1;
                if copied % ROWS_PER_STEP == 0 {
                    progress(CopyStep::Copied(copied, total));
                }
            })?;
        }
        for table in &tables {
            compare_table(&mut source, &mut target, table, &mut || {
                compared += 1;
                if compared % ROWS_PER_STEP == 0 {
                    progress(CopyStep::Compared(compared, total));
                }
            })?;
        }
        source.ensure_unchanged()?;
        target.finish(&tables)?;
        Ok(CopiedRows { tables: tables.len(), rows: compared })
    }
}

fn copy_table(
    source: &mut Source,
    target: &mut Target,
    table: &Table,
    on_row: &mut dyn FnMut(),
) -> Result<(), CopyError> {
    // Triggers and migrations may have inserted some.
    target.execute(&format!("DELETE FROM {}", table.name))?;
    // PostgreSQL checks references at the end of each statement. On SQLite, the connection does not.
    let is_staged = !table.self_reference.is_empty() && matches!(target.connection, AnyConnection::Postgres(_));
    let columns = table.stored_columns().map(|column| &*column.name).collect::<Vec<_>>().join(", ");
    if is_staged {
        let name = &table.name;
        target.execute(&format!(
            "CREATE TEMP TABLE {STAGING} ON COMMIT DROP AS SELECT {columns} FROM {name} WITH NO DATA"
        ))?;
    }
    let mut direct = Batch::new(&target.connection, &table.name, table);
    let mut staged = Batch::new(&target.connection, STAGING, table);
    for row in source.rows(table)? {
        let row = row.map_err(CopyError::Source)?;
        let batch = if is_staged && refers_to_own_table(&row, table) { &mut staged } else { &mut direct };
        batch.push(&mut target.connection, row).map_err(CopyError::Target)?;
        on_row();
    }
    for batch in [&mut direct, &mut staged] {
        batch.insert(&mut target.connection).map_err(CopyError::Target)?;
    }
    if is_staged {
        let name = &table.name;
        target.execute(&format!(
            "INSERT INTO {name} ({columns}) SELECT {columns} FROM {STAGING}; DROP TABLE {STAGING}"
        ))?;
    }
    Ok(())
}

fn refers_to_own_table(row: &Row, table: &Table) -> bool {
    let is_set = |name: &String| {
        let index = table.columns.iter().position(|column| column.name == *name);
        index.and_then(|index| row.0.get(index)).is_some_and(|value| *value != Value::Null)
    };
    table.self_reference.iter().all(is_set)
}

/// Compares all rows, also the values that the database computes.
fn compare_table(
    source: &mut Source,
    target: &mut Target,
    table: &Table,
    on_row: &mut dyn FnMut(),
) -> Result<(), CopyError> {
    let mut copies = target.rows(table)?;
    for row in source.rows(table)? {
        let row = row.map_err(CopyError::Source)?;
        let copy = copies.next().transpose().map_err(CopyError::Target)?;
        if copy.as_ref() != Some(&row) {
            return Err(differs(table, &row));
        }
        on_row();
    }
    match copies.next().transpose().map_err(CopyError::Target)? {
        Some(additional) => Err(differs(table, &additional)),
        None => Ok(()),
    }
}

/// Names a row by its primary key.
fn differs(table: &Table, row: &Row) -> CopyError {
    let columns = table.columns.iter().zip(&row.0).filter(|(column, _)| table.key.contains(&column.name));
    let shown = columns.map(|(column, value)| match value {
        Value::Null => format!("{} NULL", column.name),
        Value::Integer(integer) => format!("{} {integer}", column.name),
        Value::Text(text) => format!("{} {text:?}", column.name),
        Value::Bytes(bytes) => format!("{} {}", column.name, hex(bytes)),
    });
    CopyError::RowDiffers { table: table.name.clone(), key: shown.collect::<Vec<_>>().join(", ") }
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use tempfile::TempDir;

    use super::*;
    use crate::store::connection::ConnectionPurpose;

    /// A database with two companies.
    fn database(folder: &TempDir) -> Database {
        let database = Database::Sqlite(folder.path().join("source.db"));
        Store::migrate(&database).unwrap();
        let rows = "INSERT INTO audit_trails VALUES ('a', 0, x'00ff', ''), ('b', 7, x'', 'note'); \
             INSERT INTO companies (id, name, name_folded, created_at, maximum_lifetime_days) \
             VALUES ('a', 'Acme', 'acme', -5, NULL), ('b', 'Beta', 'beta', 9223372036854775807, 90)";
        AnyConnection::open(&database, ConnectionPurpose::Write).unwrap().batch_execute(rows).unwrap();
        database
    }

    /// Copies a database, runs a statement on the copy, and compares the companies.
    fn compared_after(change: &str) -> Result<(), CopyError> {
        let folder = tempfile::tempdir().unwrap();
        let mut source = Source::open(&database(&folder)).unwrap();
        let tables = copied_tables().unwrap();
        let mut target = Target::create(&Database::Sqlite(folder.path().join("target.db")), &tables).unwrap();
        for table in &tables {
            copy_table(&mut source, &mut target, table, &mut || {}).unwrap();
        }
        target.execute(change).unwrap();
        let companies = tables.iter().find(|table| table.name == "companies").unwrap();
        compare_table(&mut source, &mut target, companies, &mut || {})
    }

    #[test]
    fn a_row_that_differs_is_named() {
        compared_after("SELECT 1").unwrap();
        for (change, named) in [
            ("UPDATE companies SET name = 'beta' WHERE id = 'b'", r#"companies with id "b""#),
            ("UPDATE companies SET created_at = 9223372036854775806 WHERE id = 'b'", r#"id "b""#),
            ("UPDATE companies SET maximum_lifetime_days = 0 WHERE id = 'a'", r#"id "a""#),
            ("UPDATE companies SET require_second_factor = TRUE WHERE id = 'a'", r#"id "a""#),
            ("DELETE FROM companies WHERE id = 'b'", r#"id "b""#),
            ("INSERT INTO companies (id, name, name_folded, created_at) VALUES ('c', 'C', 'c', 0)", r#"id "c""#),
        ] {
            let error = compared_after(change).unwrap_err();
            assert!(matches!(&error, CopyError::RowDiffers { .. }), "{change}: {error}");
            assert!(error.to_string().contains(named), "{change}: {error}");
        }
    }

    #[test]
    fn a_copy_that_fails_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let source = database(&folder);
        let orphan = "INSERT INTO sessions VALUES ('s', x'01', 'none', 'none', 0, 0, NULL, NULL, NULL)";
        AnyConnection::open(&source, ConnectionPurpose::CopyTarget).unwrap().batch_execute(orphan).unwrap();
        let target = folder.path().join("target.db");
        let copied = Store::copy_database(&source, &Database::Sqlite(target.clone()), &mut |_| {});
        assert!(matches!(&copied, Err(CopyError::BrokenReference(table)) if table == "sessions"), "{copied:?}");
        assert!(!target.exists() && !folder.path().join("target.db.partial").exists());
    }

    #[test]
    fn the_values_of_all_kinds_are_the_same_in_the_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (database(&folder), Database::Sqlite(folder.path().join("target.db")));
        let mut steps = Vec::new();
        let copied = Store::copy_database(&source, &target, &mut |step| steps.push(step)).unwrap();
        assert_eq!((copied.rows, steps.len()), (5, 0), "the rows of name_keys, too");
        let mut copy = AnyConnection::open(&target, ConnectionPurpose::Read).unwrap();
        let tables = copied_tables().unwrap();
        let trails = tables.iter().find(|table| table.name == "audit_trails").unwrap();
        let rows: Vec<Row> = super::super::row::rows_of(&mut copy, trails).unwrap().map(Result::unwrap).collect();
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(rows[0].0, [text("a"), Value::Integer(0), Value::Bytes(vec![0, 255]), text("")]);
        assert_eq!(rows[1].0, [text("b"), Value::Integer(7), Value::Bytes(Vec::new()), text("note")]);
    }
}
