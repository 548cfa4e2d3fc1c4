//! A reading connection that belongs to one thread. For looking keys up it asks for many at once, and on SQLite remembers
//! what it has read for as long as the database, asked first, says that no key has changed since.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, SqliteConnection};

use super::connection::{AnyConnection, Use};
use super::error::StoreError;
use super::gateways::Gateway;
use super::schema::key_epoch;
use super::verifiable_keys::{VerifiableKey, several_verifiable_keys, verifiable_keys};
use super::wal_index::{Head, WalIndex};
use super::{Snapshot, VALUES_AT_ONCE};
use crate::config::Database;
use crate::domain::key_digest::KeyDigest;
use crate::domain::token::TokenDigest;

/// All threads together remember about so many keys; one of them takes some 700 bytes, its answer among them.
const KEYS_REMEMBERED: usize = 256 * 1_024;

/// What fails sooner failed because the connection had gone, not because the database was slow.
const AT_ONCE: Duration = Duration::from_millis(200);

/// Reads for one thread. The connection is opened when it is first asked, and anew after a failure.
pub struct OwnReader {
    database: Database,
    open: Option<Box<Open>>,
    most_remembered: usize,
}

/// Where the answers of a reader come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswersComeFrom {
    /// A file that this process reads.
    ThisProcess,
    /// A server that has to be waited for.
    Elsewhere,
}

struct Open {
    connection: AnyConnection,
    remembered: Remembered,
    /// Of a database in a file, where the system shows in it at once what another connection has committed.
    wal_index: Option<WalIndex>,
}

/// What an answer about a key depends on: the count of changes to keys, and the schema, as whoever puts another table in the
/// place of one takes its triggers along.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Epoch {
    of_keys: i64,
    of_schema: i32,
}

#[derive(QueryableByName)]
struct SchemaVersion {
    #[diesel(sql_type = Integer)]
    schema_version: i32,
}

/// What was read while the database stood at this version. Head and version mean something beside their own connection alone.
#[derive(Default)]
struct Remembered {
    head: Option<Head>,
    data_version: Option<i64>,
    epoch: Option<Epoch>,
    keys: HashMap<KeyDigest, Arc<VerifiableKey>>,
}

impl OwnReader {
    pub(super) fn new(database: Database) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { database, open: None, most_remembered: KEYS_REMEMBERED / threads }
    }

    /// The keys with these fingerprints, as they are after this was called; in their order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keys(&mut self, digests: &[KeyDigest]) -> Result<Vec<Option<Arc<VerifiableKey>>>, StoreError> {
        let most = self.most_remembered;
        self.attempt(|open| open.keys(digests, most))
    }

    /// The gateways with these credentials that may ask, as they are after this was called; in their order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn gateways(&mut self, credentials: &[TokenDigest]) -> Result<Vec<Option<Gateway>>, StoreError> {
        self.ask(|questions| {
            let mut found = HashMap::new();
            for credential in credentials {
                // Many requests come from few gateways.
                if let Entry::Vacant(unknown) = found.entry(*credential) {
                    unknown.insert(questions.gateway_by_credential(credential)?);
                }
            }
            Ok(credentials.iter().map(|credential| found[credential].clone()).collect())
        })
    }

    /// Asks one question, as [`Store::ask`](super::Store::ask) does.
    ///
    /// # Errors
    /// What `question` answers, and [`StoreError::Unavailable`].
    pub fn ask<T>(&mut self, question: impl Fn(&mut Snapshot<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.attempt(|open| question(&mut Snapshot { connection: &mut open.connection }))
    }

    /// Asks several questions of one and the same state of the database, as [`Store::read`](super::Store::read) does.
    ///
    /// # Errors
    /// What `questions` answers, and [`StoreError::Unavailable`].
    pub fn read<T>(&mut self, questions: impl Fn(&mut Snapshot<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.attempt(|open| {
            open.connection.begin(Use::LookUp)?;
            let answer = questions(&mut Snapshot { connection: &mut open.connection });
            open.connection.roll_back();
            answer
        })
    }

    /// A connection that has failed is given up, and so is one that was left in the middle of something. One that failed at
    /// once may have been cut long before, by whoever restarted the database, and says nothing of the state of now: a new one
    /// is asked.
    fn attempt<T>(&mut self, question: impl Fn(&mut Open) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let began = Instant::now();
        if let Some(open) = self.open.take() {
            let answer = self.try_on(open, &question);
            if answer.is_ok() || began.elapsed() > AT_ONCE {
                return answer;
            }
        }
        let open = Box::new(Open::new(&self.database)?);
        self.try_on(open, &question)
    }

    /// Keeps the connection where it has answered, and nowhere else.
    fn try_on<T>(
        &mut self,
        mut open: Box<Open>,
        question: impl Fn(&mut Open) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let answer = question(&mut open)?;
        self.open = Some(open);
        Ok(answer)
    }
}

impl Open {
    fn new(database: &Database) -> Result<Self, StoreError> {
        let connection = AnyConnection::open(database, Use::LookUp)?;
        let wal_index = match database {
            // A file that is mapped and one that is read are the same there, in the same memory.
            Database::Sqlite(path) if cfg!(target_os = "linux") => WalIndex::of(path).ok(),
            Database::Sqlite(_) | Database::Postgres(_) => None,
        };
        Ok(Self { connection, remembered: Remembered::default(), wal_index })
    }

    fn keys(&mut self, digests: &[KeyDigest], most: usize) -> Result<Vec<Option<Arc<VerifiableKey>>>, StoreError> {
        match &mut self.connection {
            AnyConnection::Sqlite(sqlite) => self.remembered.keys(sqlite, self.wal_index, digests, most),
            AnyConnection::Postgres(postgres) => {
                let found = verifiable_keys(postgres, digests)?;
                Ok(digests.iter().map(|digest| found.get(digest).cloned()).collect())
            }
        }
    }
}

impl Remembered {
    fn keys(
        &mut self,
        connection: &mut SqliteConnection,
        wal_index: Option<WalIndex>,
        digests: &[KeyDigest],
        most: usize,
    ) -> Result<Vec<Option<Arc<VerifiableKey>>>, StoreError> {
        self.forget_what_may_have_changed(connection, wal_index)?;
        let mut found: Vec<_> = digests.iter().map(|digest| self.keys.get(digest).cloned()).collect();
        let unknown: Vec<usize> = (0..digests.len()).filter(|place| found[*place].is_none()).collect();
        for places in unknown.chunks(VALUES_AT_ONCE) {
            let asked: Vec<KeyDigest> = places.iter().map(|place| digests[*place]).collect();
            let read = several_verifiable_keys(connection, &asked)?;
            for place in places {
                found[*place] = read.get(&digests[*place]).cloned();
            }
            // Those that do not exist are not remembered: a flood of them would fill the memory.
            if self.keys.len() + read.len() > most {
                self.keys.clear();
            }
            self.keys.extend(read);
        }
        Ok(found)
    }

    /// Any commit by another connection changes the head of the wal-index and moves the version, the writing down of usage
    /// too; the epoch, read after them, says whether one of them may have changed a key. The head alone is read a dozen times
    /// faster than the version, which takes a lock, and most requests find it unchanged.
    fn forget_what_may_have_changed(
        &mut self,
        connection: &mut SqliteConnection,
        wal_index: Option<WalIndex>,
    ) -> Result<(), StoreError> {
        let head = wal_index.and_then(WalIndex::head);
        if head.is_some() && self.head == head {
            return Ok(());
        }
        let version = DataVersion.get_result::<i64>(connection)?;
        if self.data_version != Some(version) {
            let of_keys = key_epoch::table.select(key_epoch::epoch).get_result(connection)?;
            let schema: SchemaVersion = diesel::sql_query("PRAGMA schema_version").get_result(connection)?;
            let epoch = Epoch { of_keys, of_schema: schema.schema_version };
            if self.epoch != Some(epoch) {
                self.keys.clear();
            }
            (self.data_version, self.epoch) = (Some(version), Some(epoch));
        }
        // It was read before the version: what was committed in between will be found next time.
        self.head = head;
        Ok(())
    }
}

/// `PRAGMA data_version`, as a statement that is prepared once.
#[derive(Clone, Copy, QueryId)]
struct DataVersion;

impl Query for DataVersion {
    type SqlType = BigInt;
}

impl RunQueryDsl<SqliteConnection> for DataVersion {}

impl QueryFragment<Sqlite> for DataVersion {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("PRAGMA data_version");
        Ok(())
    }
}
