//! Reads the pages of a SQLite database as they were at one moment, while others write.

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use diesel::{QueryableByName, SqliteConnection, sql_query};

use crate::config::Database;
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::error::StoreError;
use crate::store::pool::Store;

/// The number of pages, and their size, at the moment that is read.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct PageCount {
    #[diesel(sql_type = BigInt)]
    pages: i64,
    #[diesel(sql_type = BigInt)]
    page_bytes: i64,
}

impl PageCount {
    /// The size of the database.
    #[must_use]
    pub fn bytes(self) -> u64 {
        u64::try_from(self.pages.saturating_mul(self.page_bytes)).unwrap_or(0)
    }
}

#[derive(QueryableByName)]
struct Page {
    #[diesel(sql_type = Binary)]
    data: Vec<u8>,
}

impl Store {
    /// Reads all pages of a SQLite database in order, in one read transaction: they are the database as it was when this
    /// was called. `each` gets a page and the size of the whole. While it runs, the write-ahead log is not emptied.
    ///
    /// # Errors
    /// The error of `each`, or a [`StoreError`] if the database is not SQLite or cannot be read.
    pub fn read_pages<E: From<StoreError>>(
        &self,
        mut each: impl FnMut(&[u8], PageCount) -> Result<(), E>,
    ) -> Result<(), E> {
        let (connection, _) = self.connector().open(ConnectionPurpose::Read)?;
        let AnyConnection::Sqlite(mut sqlite) = connection else {
            return Err(StoreError::unexpected("pages are read from SQLite only").into());
        };
        sqlite.batch_execute("BEGIN").map_err(StoreError::from)?;
        // The first read of the transaction takes the snapshot.
        let size = page_count(&mut sqlite)?;
        let pages = sql_query("SELECT data FROM sqlite_dbpage('main')");
        for page in pages.load_iter::<Page, DefaultLoadingMode>(&mut sqlite).map_err(StoreError::from)? {
            each(&page.map_err(StoreError::from)?.data, size)?;
        }
        Ok(())
    }

    /// Ends the use of a SQLite database that was copied: moves its write-ahead log into the file and removes what SQLite
    /// keeps beside it, so that the file alone is the database. No connection may be open.
    ///
    /// # Errors
    /// [`StoreError`], also if a connection is still open.
    pub fn seal(database: &Database) -> Result<(), StoreError> {
        Ok(AnyConnection::open(database, ConnectionPurpose::Write)?.batch_execute("PRAGMA journal_mode = DELETE")?)
    }
}

fn page_count(sqlite: &mut SqliteConnection) -> Result<PageCount, StoreError> {
    let query = "SELECT page_count AS pages, page_size AS page_bytes FROM pragma_page_count, pragma_page_size";
    Ok(sql_query(query).get_result(sqlite)?)
}
