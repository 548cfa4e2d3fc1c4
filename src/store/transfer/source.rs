//! The database that is copied: one snapshot, while no server runs on it.

use diesel::prelude::*;

use super::error::CopyError;
use super::row::{Rows, rows_of};
use super::tables::Table;
use crate::config::Database;
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::error::StoreError;
use crate::store::schema::audit_trails;
use crate::store::serving_lock;

/// A snapshot of a database that no server uses.
pub(super) struct Source {
    connection: AnyConnection,
    heads: Vec<(String, i64)>,
    /// Holds the lock on PostgreSQL, and sees changes since the snapshot.
    later: Option<AnyConnection>,
}

impl Source {
    /// Opens a snapshot, unless a server runs on the database. Until the end, no server starts.
    pub(super) fn open(database: &Database) -> Result<Self, CopyError> {
        let refused = |error: StoreError| match database {
            Database::Sqlite(path) if error.is_locked() => CopyError::SourceInUse(path.clone()),
            _ => CopyError::Source(error),
        };
        let later = match database {
            // The connection keeps all others out.
            Database::Sqlite(_) => None,
            Database::Postgres(_) => {
                let mut later = open(database).map_err(refused)?;
                if !serving_lock::take_alone(&mut later).map_err(refused)? {
                    return Err(CopyError::ServerOnSource);
                }
                Some(later)
            }
        };
        let mut connection = open(database).map_err(refused)?;
        connection.begin(ConnectionPurpose::CopySource).map_err(refused)?;
        let heads = heads(&mut connection).map_err(refused)?;
        Ok(Self { connection, heads, later })
    }

    /// Returns the number of rows of a table.
    pub(super) fn count(&mut self, table: &Table) -> Result<u64, CopyError> {
        count(&mut self.connection, &table.name).map_err(CopyError::Source)
    }

    /// Returns the rows of a table in the order of its key.
    pub(super) fn rows(&mut self, table: &Table) -> Result<Rows<'_>, CopyError> {
        rows_of(&mut self.connection, table).map_err(CopyError::Source)
    }

    /// Fails if an audit trail has grown since the snapshot. A server of an older version holds no lock.
    pub(super) fn ensure_unchanged(&mut self) -> Result<(), CopyError> {
        let Some(later) = &mut self.later else { return Ok(()) };
        let now = heads(later).map_err(CopyError::Source)?;
        if now == self.heads { Ok(()) } else { Err(CopyError::SourceChanged) }
    }
}

fn open(database: &Database) -> Result<AnyConnection, StoreError> {
    AnyConnection::open(database, ConnectionPurpose::CopySource)
}

fn heads(connection: &mut AnyConnection) -> Result<Vec<(String, i64)>, StoreError> {
    let heads = audit_trails::table.order(audit_trails::id).select((audit_trails::id, audit_trails::size));
    Ok(heads.load(connection)?)
}

/// Returns the number of rows of a table.
pub(super) fn count(connection: &mut AnyConnection, table: &str) -> Result<u64, StoreError> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let query = diesel::sql_query(format!("SELECT count(*) AS count FROM {table}"));
    Ok(u64::try_from(query.get_result::<Count>(connection)?.count).unwrap_or_default())
}
