//! The first start: one server at a time looks whether there is a database, and creates it with its secrets.

use diesel::connection::SimpleConnection;

use crate::config::Database;
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::error::StoreError;
use crate::store::pool::Store;

/// An arbitrary number: the advisory lock that a server holds during the first start.
const FIRST_START_LOCK: i64 = 0x006b_6579_6465_736c;

/// The right to create the database and its secrets. Dropping it lets the next server look.
pub struct FirstStart {
    _lock: Option<AnyConnection>,
}

impl Store {
    /// Begins the first start; `None` if the database holds Keydesk's tables. On PostgreSQL the call waits up to a minute
    /// for another server that is creating them. SQLite's file is created under the lock of the data folder.
    ///
    /// # Errors
    /// [`StoreError`]: the database cannot be reached, or the other server does not end.
    pub fn begin_first_start(database: &Database) -> Result<Option<FirstStart>, StoreError> {
        if Self::is_initialized(database)? {
            return Ok(None);
        }
        let lock = match database {
            Database::Sqlite(_) => None,
            Database::Postgres(_) => {
                let mut connection = AnyConnection::open(database, ConnectionPurpose::Write)?;
                connection.batch_execute(&format!(
                    "SET lock_timeout = '60s'; SET statement_timeout = '60s'; SELECT pg_advisory_lock({FIRST_START_LOCK})"
                ))?;
                Some(connection)
            }
        };
        // Another server may have finished its first start meanwhile.
        Ok(if Self::is_initialized(database)? { None } else { Some(FirstStart { _lock: lock }) })
    }
}
