//! The only place where diesel appears: connections, schema, queries, rows to domain and back. It decides nothing.

mod audit;
mod checkpoint_witnesses;
mod companies;
mod connection;
mod error;
mod filtered_events;
mod gateways;
mod installation;
mod invitations;
mod key_changes;
mod key_counts;
mod key_list;
mod key_order;
mod key_selections;
mod keys;
mod keys_by_last_use;
mod known_devices;
mod leaves;
mod listed_keys;
mod migrate;
mod own_reader;
mod refusal_reports;
mod schema;
mod second_factors;
mod service_accounts;
mod sessions;
mod sign_in_failures;
mod sign_ins_awaiting_code;
mod submissions;
mod usage;
mod usage_shown;
mod user_changes;
mod user_list;
mod users;
mod verifiable_keys;
mod wal_index;

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use r2d2::{NopErrorHandler, Pool, PooledConnection};

pub use audit::{AuditPage, ListedEvent};
pub use checkpoint_witnesses::{UnwitnessedCheckpoint, WitnessedCheckpoint};
pub use companies::{Company, CompanySettings};
use connection::{AnyConnection, ConnectionManager, Use};
pub use error::StoreError;
pub use filtered_events::TrailPaging;
pub use gateways::Gateway;
pub use installation::Installation;
pub use invitations::Invitation;
pub use key_counts::KeyCounts;
pub use key_list::{KeyListQuery, KeyPage, KeyTab};
pub use key_order::{Paging, Place, SortBy, SortKey, SortOrder};
pub use key_selections::KeysBeyond;
pub use keys::{KeyToStore, StoredKey};
pub use listed_keys::ListedKey;
pub use migrate::MigrationError;
pub use own_reader::{AnswersComeFrom, OwnReader};
pub use refusal_reports::UnreportedRefusals;
pub use second_factors::SecondFactor;
pub use sessions::{ListedSession, NewSession, Outlived, Session};
pub use sign_in_failures::SignInFailures;
pub use sign_ins_awaiting_code::SignInAwaitingCode;
pub use usage::EndedKey;
pub use usage_shown::{KeyRequest, KeyUsage, RefusedAfterEnd};
pub use user_list::{UserPaging, UserPlace};
pub use users::{Credentials, Names, User, UserToStore};
pub use verifiable_keys::VerifiableKey;

use crate::config::Database;

const READERS: u32 = 8;
const POSTGRES_WRITERS: u32 = 8;
const WAIT_FOR_A_CONNECTION: Duration = Duration::from_secs(2);

/// The database: many readers; writers one at a time on SQLite (sixteen waiting for one connection have a far shorter
/// tail than sixteen contending for the file's lock), several on PostgreSQL.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
    readers: Pool<ConnectionManager>,
    writers: Pool<ConnectionManager>,
}

impl Store {
    /// Connects to a database whose schema is up to date, see [`Store::migrate`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it cannot be reached.
    pub fn connect(database: &Database) -> Result<Self, StoreError> {
        let writers = match database {
            Database::Sqlite(_) => 1,
            Database::Postgres(_) => POSTGRES_WRITERS,
        };
        let pool = |purpose, size| {
            // Connections stay open: on a full disk no new one can be made, and reading must go on.
            Pool::builder()
                .max_size(size)
                .min_idle(Some(1))
                .test_on_check_out(false)
                .idle_timeout(None)
                .max_lifetime(None)
                .connection_timeout(WAIT_FOR_A_CONNECTION)
                .error_handler(Box::new(NopErrorHandler))
                .build(ConnectionManager { database: database.clone(), purpose })
                .map_err(StoreError::unavailable)
        };
        let (writers, readers) = (pool(Use::Write, writers)?, pool(Use::Read, READERS)?);
        Ok(Self { database: database.clone(), readers, writers })
    }

    /// Asks several questions of one and the same state of the database.
    ///
    /// # Errors
    /// What `questions` answers, and [`StoreError::Unavailable`].
    pub fn read<T, E: From<StoreError>>(
        &self,
        questions: impl FnOnce(&mut Snapshot<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (mut connection, ()) = standing(&self.readers, |connection| connection.begin(Use::Read))?;
        let answer = questions(&mut Snapshot { connection: &mut connection });
        connection.roll_back();
        answer
    }

    /// Asks one question outside a transaction: the cheapest way to the state of now.
    ///
    /// # Errors
    /// What `question` answers, and [`StoreError::Unavailable`].
    pub fn ask<T>(
        &self,
        mut question: impl FnMut(&mut Snapshot<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (_, answer) = standing(&self.readers, |connection| question(&mut Snapshot { connection }))?;
        Ok(answer)
    }

    /// A reading connection for one thread, and where that thread should be: on PostgreSQL not one that serves others, which
    /// must not wait for an answer; on SQLite that very one, as handing a question over takes longer than answering it.
    #[must_use]
    pub fn own_reader(&self) -> (OwnReader, AnswersComeFrom) {
        let place = match &self.database {
            Database::Sqlite(_) => AnswersComeFrom::ThisProcess,
            Database::Postgres(_) => AnswersComeFrom::Elsewhere,
        };
        (OwnReader::new(self.database.clone()), place)
    }

    /// Makes several changes, all of them or none; they are durable when this has answered `Ok`.
    ///
    /// # Errors
    /// What `changes` answers (then nothing is changed), and [`StoreError::Unavailable`].
    pub fn write<T, E: From<StoreError>>(
        &self,
        changes: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (mut connection, ()) = standing(&self.writers, |connection| connection.begin(Use::Write))?;
        let done = changes(&mut Transaction(Snapshot { connection: &mut connection }));
        match done {
            Ok(done) => match connection.commit() {
                Ok(()) => Ok(done),
                Err(error) => {
                    connection.roll_back();
                    Err(error.into())
                }
            },
            Err(error) => {
                connection.roll_back();
                Err(error)
            }
        }
    }

    /// Empties SQLite's log of changes, in which what was erased would stand for a while. Where somebody still reads from
    /// it, that waits for the next time. PostgreSQL's log is its operator's.
    pub fn empty_change_log(&self) {
        if let Database::Sqlite(_) = &self.database
            && let Err(error) = standing(&self.writers, AnyConnection::empty_change_log)
        {
            tracing::warn!(%error, "the database's log of changes could not be emptied");
        }
    }
}

/// A connection, with the answer to what it is asked first. One that was cut while nobody used it fails then, and another is
/// taken: to ask each beforehand whether it still stands would cost every answer a wait.
fn standing<T>(
    pool: &Pool<ConnectionManager>,
    mut first: impl FnMut(&mut AnyConnection) -> Result<T, StoreError>,
) -> Result<(PooledConnection<ConnectionManager>, T), StoreError> {
    let mut others = pool.max_size();
    loop {
        let mut connection = pool.get().map_err(StoreError::unavailable)?;
        match first(&mut connection) {
            Ok(answer) => return Ok((connection, answer)),
            Err(_) if others > 0 && !connection.stands() => others -= 1,
            Err(error) => return Err(error),
        }
    }
}

/// Where questions are asked. Each file of the store adds its own.
pub struct Snapshot<'connection> {
    connection: &'connection mut AnyConnection,
}

/// Where changes are made; every question can be asked here, too.
pub struct Transaction<'connection>(Snapshot<'connection>);

impl<'connection> Deref for Transaction<'connection> {
    type Target = Snapshot<'connection>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Transaction<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// So many values are looked for by one statement.
const VALUES_AT_ONCE: usize = 8;

/// Whether a column is one of these values, of which there is one at least and at most [`VALUES_AT_ONCE`]. The statement is the same
/// for however many, so that it is prepared once.
macro_rules! is_one_of {
    ($column:expr, $values:expr) => {{
        let is = |place: usize| $column.eq($values[place.min($values.len() - 1)].clone());
        is(0).or(is(1)).or(is(2)).or(is(3)).or(is(4)).or(is(5)).or(is(6)).or(is(7))
    }};
}
use is_one_of;

/// A stored word or id, read back as what it stands for.
fn read_back<T>(what: &str, value: Option<T>) -> Result<T, StoreError> {
    value.ok_or_else(|| StoreError::Unexpected(format!("a stored {what} cannot be read")))
}
