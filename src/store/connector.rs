//! Opens connections to the files or the primary that are in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::config::Database;
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::error::StoreError;
use crate::store::file_watch::FileWatch;
use crate::store::primary::{Primary, PrimaryWatch, superseded};

/// A database, its files and its primary. Clones share them.
#[derive(Clone, Debug)]
pub(in crate::store) struct Connector {
    database: Database,
    servers: Arc<Servers>,
    files: FileWatch,
    primaries: PrimaryWatch,
}

/// The servers of a PostgreSQL URL, or the file. The one that was the primary last is tried first: libpq itself would
/// wait seconds for each server before it that does not respond.
#[derive(Debug)]
struct Servers {
    all: Vec<Database>,
    first: AtomicUsize,
}

impl Connector {
    pub(in crate::store) fn new(database: Database) -> Self {
        let servers = Arc::new(Servers { all: database.servers(), first: AtomicUsize::new(0) });
        Self { database, servers, files: FileWatch::default(), primaries: PrimaryWatch::new() }
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
            self.servers.open(|server| {
                let mut connection = AnyConnection::open(server, purpose)?;
                let primary = self.primaries.admit(&mut connection)?;
                Ok((connection, primary))
            })
        })
    }

    /// Tries other servers first from now on.
    pub(in crate::store) fn distrust_first_server(&self) {
        self.servers.first.fetch_add(1, Ordering::Relaxed);
    }
}

impl Servers {
    fn open<T>(&self, open: impl Fn(&Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let first = self.first.load(Ordering::Relaxed);
        let mut failure = None;
        for position in first..first + self.all.len() {
            match open(&self.all[position % self.all.len()]) {
                Ok(opened) => {
                    self.first.store(position % self.all.len(), Ordering::Relaxed);
                    return Ok(opened);
                }
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.unwrap_or_else(|| StoreError::unavailable("no server is named")))
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
        if Arc::ptr_eq(&primary, &self.primary) { Ok(connection) } else { Err(superseded()) }
    }

    /// Connections are not checked here, see `checkout` in the pool.
    fn is_valid(&self, _: &mut AnyConnection) -> Result<(), StoreError> {
        Ok(())
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        std::thread::panicking() || connection.is_broken()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn the_last_primary_is_tried_first() {
        let path = |name: &str| Database::Sqlite(name.into());
        let servers = Servers { all: ["a", "b", "c"].map(path).into(), first: AtomicUsize::new(0) };
        let tried = |primary: &str| {
            let tried = RefCell::new(String::new());
            let opened = servers.open(|server| {
                let Database::Sqlite(path) = server else { unreachable!() };
                let name = path.to_string_lossy().into_owned();
                tried.borrow_mut().push_str(&name);
                if name == primary { Ok(()) } else { Err(StoreError::unavailable(name)) }
            });
            (tried.take(), opened.err().map(|error| error.to_string()))
        };
        assert_eq!(tried("b"), ("ab".to_owned(), None));
        assert_eq!(tried("a"), ("bca".to_owned(), None));
        let failed = Some("the database is not available: a".to_owned());
        assert_eq!(tried("d"), ("abc".to_owned(), failed));
    }
}
