//! The empty database that is filled: on PostgreSQL in one transaction, on SQLite in a file that gets its name at the end.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::error::CopyError;
use super::row::{Rows, rows_of};
use super::source::count;
use super::tables::Table;
use crate::config::{Database, sqlite_companions};
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::inspect::Inspection;
use crate::store::migrate::Schema;
use crate::store::pool::Store;
use crate::store::serving_lock;

const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

/// A database that is being filled. Dropping it before [`finish`](Self::finish) leaves the database as it was.
pub(super) struct Target {
    pub(super) connection: AnyConnection,
    /// On SQLite, the file that is filled.
    partial: Option<PartialFile>,
}

struct PartialFile {
    path: PathBuf,
    partial: PathBuf,
    /// Holds the lock on the file.
    _file: File,
}

impl Target {
    /// Creates the tables, and begins the transaction. Fails unless all tables are empty.
    pub(super) fn create(database: &Database, tables: &[Table]) -> Result<Self, CopyError> {
        let (location, partial) = match database {
            Database::Sqlite(path) => {
                let partial = PartialFile::create(path)?;
                (Database::Sqlite(partial.partial.clone()), Some(partial))
            }
            Database::Postgres(_) => {
                ensure_no_installation(database)?;
                (database.clone(), None)
            }
        };
        Store::migrate(&location).map_err(CopyError::TargetSchema)?;
        let opened = AnyConnection::open(&location, ConnectionPurpose::CopyTarget).map_err(CopyError::Target)?;
        let mut target = Self { connection: opened, partial };
        if !serving_lock::take_alone(&mut target.connection).map_err(CopyError::Target)? {
            return Err(CopyError::TargetInUse);
        }
        target.connection.begin(ConnectionPurpose::CopyTarget).map_err(CopyError::Target)?;
        for table in tables.iter().filter(|table| !table.is_filled_by_migrations()) {
            if count(&mut target.connection, &table.name).map_err(CopyError::Target)? > 0 {
                return Err(CopyError::TargetNotEmpty(table.name.clone()));
            }
        }
        Ok(target)
    }

    /// Runs a statement.
    pub(super) fn execute(&mut self, statement: &str) -> Result<(), CopyError> {
        self.connection.batch_execute(statement).map_err(|error| CopyError::Target(error.into()))
    }

    /// Returns the rows of a table in the order of its key.
    pub(super) fn rows(&mut self, table: &Table) -> Result<Rows<'_>, CopyError> {
        rows_of(&mut self.connection, table).map_err(CopyError::Target)
    }

    /// Commits, durably.
    pub(super) fn finish(mut self, tables: &[Table]) -> Result<(), CopyError> {
        self.ensure_references()?;
        self.connection.commit().map_err(CopyError::Target)?;
        match self.partial {
            None => {
                // Until then, PostgreSQL plans queries for empty tables. A role that does not own them gets a warning.
                for table in tables {
                    let analyze = format!("ANALYZE {}", table.name);
                    self.connection.batch_execute(&analyze).map_err(|error| CopyError::Target(error.into()))?;
                }
                Ok(())
            }
            Some(partial) => {
                let set_mode = self.connection.batch_execute("PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL");
                set_mode.map_err(|error| CopyError::Target(error.into()))?;
                drop(self.connection);
                partial.persist()
            }
        }
    }

    /// PostgreSQL checks each reference when a row is inserted.
    fn ensure_references(&mut self) -> Result<(), CopyError> {
        #[derive(QueryableByName)]
        struct Broken {
            #[diesel(sql_type = Text)]
            table_name: String,
        }
        let AnyConnection::Sqlite(sqlite) = &mut self.connection else { return Ok(()) };
        let query = "SELECT \"table\" AS table_name FROM pragma_foreign_key_check LIMIT 1";
        let broken: Option<Broken> =
            diesel::sql_query(query).get_result(sqlite).optional().map_err(|error| CopyError::Target(error.into()))?;
        broken.map_or(Ok(()), |broken| Err(CopyError::BrokenReference(broken.table_name)))
    }
}

fn ensure_no_installation(database: &Database) -> Result<(), CopyError> {
    let Inspection { schema, has_installation, .. } = Store::inspect(database).map_err(CopyError::TargetInspection)?;
    if let newer @ Schema::Newer(_) = schema {
        return newer.require_current().map_err(CopyError::TargetSchema);
    }
    if has_installation { Err(CopyError::TargetNotEmpty("installation".to_owned())) } else { Ok(()) }
}

impl PartialFile {
    /// Creates the file that is filled. One that a copy left behind is used again.
    fn create(path: &Path) -> Result<Self, CopyError> {
        // SQLite would take the log of a former database for one of the new database.
        for existing in sqlite_companions(path).into_iter().chain([path.to_owned()]) {
            if fs::symlink_metadata(&existing).is_ok() {
                return Err(CopyError::TargetExists(existing));
            }
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let failed = CopyError::of_file(&partial);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&partial);
        let mut file = open.map_err(&failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(CopyError::PartialInUse(partial)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut start = Vec::new();
        file.by_ref().take(SQLITE_MAGIC.len() as u64).read_to_end(&mut start).map_err(&failed)?;
        if !start.is_empty() && start != SQLITE_MAGIC {
            return Err(CopyError::PartialIsOther(partial));
        }
        file.set_len(0).map_err(&failed)?;
        let created = Self { path: path.to_owned(), partial, _file: file };
        created.remove_companions();
        Ok(created)
    }

    /// Makes the file durable, and gives it its name. No file is replaced.
    fn persist(self) -> Result<(), CopyError> {
        let failed = CopyError::of_file(&self.path);
        File::open(&self.partial).and_then(|file| file.sync_all()).map_err(&failed)?;
        fs::hard_link(&self.partial, &self.path).map_err(&failed)?;
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(&failed)
    }

    fn remove_companions(&self) {
        for file in sqlite_companions(&self.partial) {
            // Usually there is none.
            let _ = fs::remove_file(file);
        }
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.partial);
        self.remove_companions();
    }
}
