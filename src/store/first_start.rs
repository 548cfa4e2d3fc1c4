//! The first start: one server at a time checks for an installation, and creates it with its secrets if there is none.

use diesel::connection::SimpleConnection;

use crate::config::Database;
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::error::StoreError;
use crate::store::inspect::Inspection;
use crate::store::inspect_error::InspectError;
use crate::store::pool::Store;

/// An arbitrary number: the advisory lock that a server holds during the first start.
const FIRST_START_LOCK: i64 = 0x006b_6579_6465_736c;

/// The right to create an installation and its secrets. Dropping it lets the next server check.
pub struct FirstStart {
    _lock: Option<AnyConnection>,
}

impl Store {
    /// Inspects a database, and begins the first start if it holds no installation. On PostgreSQL the call waits up to
    /// a minute for another server that is creating one. SQLite's file is created under the lock of the data folder.
    ///
    /// # Errors
    /// [`InspectError`]: the database cannot be reached or used, or the other server does not end.
    pub fn begin_start(database: &Database) -> Result<(Inspection, Option<FirstStart>), InspectError> {
        let inspection = Self::inspect_for_change(database)?;
        if inspection.has_installation {
            return Ok((inspection, None));
        }
        let lock = match database {
            Database::Sqlite(_) => None,
            Database::Postgres(_) => {
                let mut connection = AnyConnection::open(database, ConnectionPurpose::Write)?;
                let lock = format!(
                    "SET lock_timeout = '60s'; SET statement_timeout = '60s'; SELECT pg_advisory_lock({FIRST_START_LOCK})"
                );
                connection.batch_execute(&lock).map_err(StoreError::from)?;
                Some(connection)
            }
        };
        // Another server may have finished its first start meanwhile.
        let inspection = Self::inspect_for_change(database)?;
        let first_start = (!inspection.has_installation).then_some(FirstStart { _lock: lock });
        Ok((inspection, first_start))
    }
}
