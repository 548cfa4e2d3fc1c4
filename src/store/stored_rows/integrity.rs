//! The integrity of the database's files, as far as the database can check it itself.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_query;
use diesel::sql_types::{Bool, Text};
use diesel::{PgConnection, SqliteConnection};
use tracing::instrument;

use crate::store::connection::AnyConnection;
use crate::store::db::StoredRows;
use crate::store::error::StoreError;

/// The result of a check of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// The database found nothing.
    Intact,
    /// What the database found, in its words.
    Damaged(Vec<String>),
    /// PostgreSQL keeps no checksums of pages, so that only unreadable rows are found.
    WithoutChecksums,
}

#[derive(QueryableByName)]
struct Message {
    #[diesel(sql_type = Text)]
    message: String,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    answer: bool,
}

impl<A> StoredRows<'_, A> {
    /// Checks the files: `PRAGMA quick_check` on SQLite. On PostgreSQL, every row of every table but the events, which
    /// a check of the trails reads, is read and decoded; pages with a wrong checksum are errors then. Indexes are
    /// checked if the extension amcheck is installed and the role may use it.
    #[instrument(name = "db.stored_rows.integrity", level = "debug", skip_all)]
    pub fn integrity(&mut self) -> Result<Integrity, StoreError> {
        let problems = match self.connection {
            AnyConnection::Sqlite(sqlite) => quick_check(sqlite)?,
            AnyConnection::Postgres(postgres) => {
                if let Some(problem) = first_problem(read_all_rows(postgres))? {
                    vec![problem]
                } else if !has(postgres, "SELECT current_setting('data_checksums') = 'on' AS answer")? {
                    return Ok(Integrity::WithoutChecksums);
                } else {
                    Vec::new()
                }
            }
        };
        Ok(if problems.is_empty() { Integrity::Intact } else { Integrity::Damaged(problems) })
    }
}

fn quick_check(sqlite: &mut SqliteConnection) -> QueryResult<Vec<String>> {
    let messages: Vec<Message> =
        sql_query("SELECT quick_check AS message FROM pragma_quick_check LIMIT 10").load(sqlite)?;
    Ok(messages.into_iter().map(|found| found.message).filter(|message| message != "ok").collect())
}

/// Returns what PostgreSQL says about a row or an index that cannot be read, in one line. A lost connection says nothing
/// about them.
fn first_problem(read: QueryResult<()>) -> QueryResult<Option<String>> {
    match read {
        Ok(()) => Ok(None),
        Err(DieselError::DatabaseError(kind, problem)) if !matches!(kind, DatabaseErrorKind::ClosedConnection) => {
            Ok(Some(problem.message().split_whitespace().collect::<Vec<_>>().join(" ")))
        }
        Err(error) => Err(error),
    }
}

/// Fails if a row or an index cannot be read.
fn read_all_rows(postgres: &mut PgConnection) -> QueryResult<()> {
    postgres.batch_execute("SET LOCAL statement_timeout = 0")?;
    let tables: Vec<Message> = sql_query(
        "SELECT quote_ident(tablename) AS message FROM pg_tables \
         WHERE schemaname = current_schema() AND tablename <> 'events' \
         AND has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT') ORDER BY tablename",
    )
    .load(postgres)?;
    for Message { message: table } in tables {
        // The text of a row has all of its columns, so that none is left unread.
        postgres.batch_execute(&format!("SELECT count(*) FROM {table} AS stored WHERE stored::text IS NULL"))?;
    }
    let can_check_indexes = "SELECT coalesce((SELECT has_function_privilege(p.oid, 'EXECUTE') FROM pg_proc AS p \
         JOIN pg_extension AS e ON e.extname = 'amcheck' AND e.extnamespace = p.pronamespace \
         WHERE p.proname = 'bt_index_check' AND p.pronargs = 1), FALSE) AS answer";
    if has(postgres, can_check_indexes)? {
        postgres.batch_execute(
            "SELECT bt_index_check(i.indexrelid) FROM pg_index AS i \
             JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS a ON a.oid = c.relam AND a.amname = 'btree' \
             WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND i.indisvalid",
        )?;
    }
    Ok(())
}

fn has(postgres: &mut PgConnection, question: &str) -> QueryResult<bool> {
    Ok(sql_query(question).get_result::<Answer>(postgres)?.answer)
}
