//! Opens connections to the files or the primary that are in use.

use std::sync::Arc;

use crate::config::Database;
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::error::StoreError;
use crate::store::file_watch::FileWatch;
use crate::store::primary::{Primary, PrimaryWatch};

/// A database, its files and its primary. Clones share them.
#[derive(Clone, Debug)]
pub(in crate::store) struct Connector {
    database: Database,
    files: FileWatch,
    primaries: PrimaryWatch,
}

impl Connector {
    pub(in crate::store) fn new(database: Database) -> Self {
        Self { database, files: FileWatch::default(), primaries: PrimaryWatch::new() }
    }

    pub(in crate::store) fn database(&self) -> &Database {
        &self.database
    }

    pub(in crate::store) fn files(&self) -> &FileWatch {
        &self.files
    }

    pub(in crate::store) fn primaries(&self) -> &PrimaryWatch {
        &self.primaries
    }

    /// Opens a connection, and returns the primary that it leads to.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], also if a file was replaced or the server is not the primary.
    pub(in crate::store) fn open(
        &self,
        purpose: ConnectionPurpose,
    ) -> Result<(AnyConnection, Arc<Primary>), StoreError> {
        self.files.open(|| {
            let mut connection = AnyConnection::open(&self.database, purpose)?;
            let primary = self.primaries.admit(&mut connection)?;
            Ok((connection, primary))
        })
    }
}

/// Opens the connections of a pool, all to the same primary.
#[derive(Debug)]
pub(in crate::store) struct ConnectionManager {
    pub connector: Connector,
    pub purpose: ConnectionPurpose,
    pub primary: Arc<Primary>,
}

impl r2d2::ManageConnection for ConnectionManager {
    type Connection = AnyConnection;
    type Error = StoreError;

    fn connect(&self) -> Result<AnyConnection, StoreError> {
        let (connection, primary) = self.connector.open(self.purpose)?;
        if Arc::ptr_eq(&primary, &self.primary) {
            Ok(connection)
        } else {
            Err(StoreError::unavailable("the primary changed meanwhile"))
        }
    }

    /// Connections are not checked here, see `checkout` in the pool.
    fn is_valid(&self, _: &mut AnyConnection) -> Result<(), StoreError> {
        Ok(())
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        std::thread::panicking() || connection.is_broken()
    }
}
