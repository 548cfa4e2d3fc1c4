//! A cache of keys on SQLite, which is checked against the database before each use.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer};
use diesel::sqlite::Sqlite;

use super::lookup::{KeyForVerification, find_on_sqlite, is_any_imported, keys_per_statement};
use crate::domain::key::digest::{KeyDigest, PresentedDigests};
use crate::store::error::StoreError;
use crate::store::schema::key_epoch;
use crate::store::sqlite::{WalHeader, WalIndex};

/// How long an unchanged header of the wal-index is trusted before the data version is compared with it.
const CROSS_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The number of wal-indexes that contradicted the data version. None is used from then on.
static CONTRADICTIONS: AtomicU64 = AtomicU64::new(0);

/// Returns how often a wal-index of this process contradicted the data version.
#[must_use]
pub fn wal_index_contradictions() -> u64 {
    CONTRADICTIONS.load(Ordering::Relaxed)
}

/// A wal-index whose unchanged header saves a query, and when the two were last compared.
pub(super) struct TrustedWalIndex {
    wal_index: WalIndex,
    compared_at: Instant,
}

impl TrustedWalIndex {
    /// `None` if there is no such file, or if one has contradicted the data version.
    pub(super) fn of(connection: &mut SqliteConnection) -> Option<Self> {
        let is_trusted = wal_index_contradictions() == 0;
        let wal_index = is_trusted.then(|| WalIndex::of(connection).ok()).flatten()?;
        Some(Self { wal_index, compared_at: Instant::now() })
    }
}

/// The keys that were read at one version of the database. The header and the version are those of one connection.
pub(super) struct KeyCache {
    /// `None` where a commit of another connection does not show in the file at once.
    wal_index: Option<TrustedWalIndex>,
    wal_header: Option<WalHeader>,
    data_version: Option<i64>,
    epoch: Option<Epoch>,
    /// Whether any key was stored by the digest of its SHA-256 at that epoch.
    is_any_imported: bool,
    /// By the digest of the key itself under the active pepper, also if it is stored by another one.
    keys: HashMap<KeyDigest, Arc<KeyForVerification>>,
}

/// The version of the answers about keys: the number of changes to keys, which triggers count, and the version of the
/// schema, which changes when a table is replaced and loses its triggers.
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

impl KeyCache {
    pub(super) fn new(wal_index: Option<TrustedWalIndex>) -> Self {
        Self {
            wal_index,
            wal_header: None,
            data_version: None,
            epoch: None,
            is_any_imported: true,
            keys: HashMap::default(),
        }
    }

    /// Returns the keys with these digests in the order of the digests, as they are after the call began. The cache
    /// holds at most `max_cached` keys.
    pub(super) fn keys(
        &mut self,
        connection: &mut SqliteConnection,
        presented: &[PresentedDigests],
        max_cached: usize,
    ) -> Result<Vec<Option<Arc<KeyForVerification>>>, StoreError> {
        self.revalidate(connection)?;
        let cached = |digests: &PresentedDigests| self.keys.get(&digests.current.of_key).cloned();
        let mut keys: Vec<_> = presented.iter().map(cached).collect();
        let missing: Vec<usize> = (0..presented.len()).filter(|index| keys[*index].is_none()).collect();
        let peppers = missing.iter().map(|index| presented[*index].pairs().count()).max().unwrap_or(1);
        for indexes in missing.chunks(keys_per_statement(peppers)) {
            let batch: Vec<PresentedDigests> = indexes.iter().map(|index| presented[*index].clone()).collect();
            let found = find_on_sqlite(connection, &batch, self.is_any_imported)?;
            if self.keys.len() + batch.len() > max_cached {
                self.keys.clear();
            }
            for index in indexes {
                keys[*index] = found.get(&presented[*index]);
                // Unknown digests are not cached: a flood of them would fill the memory.
                self.keys.extend(keys[*index].clone().map(|key| (presented[*index].current.of_key, key)));
            }
        }
        Ok(keys)
    }

    /// Clears the cache if a key may have changed since the last call.
    ///
    /// Every commit of another connection, the recording of usage included, changes the header of the wal-index and
    /// the data version. The epoch, which is read after them, tells whether such a commit changed a key. Reading the
    /// header is a dozen times faster than reading the version, which takes a lock, and most requests find it
    /// unchanged.
    ///
    /// Once a second, the version is read even so. If it changed and the header did not, the file is not the one that
    /// SQLite writes, and it is never used again.
    fn revalidate(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let header = self.wal_index.as_ref().and_then(|trusted| trusted.wal_index.header());
        let is_unchanged = header.is_some() && self.wal_header == header;
        if is_unchanged && !self.is_comparison_due() {
            return Ok(());
        }
        let version = DataVersion.get_result::<i64>(connection)?;
        if is_unchanged && self.data_version != Some(version) {
            self.distrust_unless_changed(header);
        }
        if self.data_version != Some(version) {
            let of_keys = key_epoch::table.select(key_epoch::epoch).get_result(connection)?;
            let schema: SchemaVersion = diesel::sql_query("PRAGMA schema_version").get_result(connection)?;
            let epoch = Epoch { of_keys, of_schema: schema.schema_version };
            if self.epoch != Some(epoch) {
                self.keys.clear();
                // The epoch moves when the first one is stored.
                self.is_any_imported = is_any_imported(connection)?;
            }
            (self.data_version, self.epoch) = (Some(version), Some(epoch));
        }
        // The header was read before the version: the next call notices a commit in between.
        self.wal_header = header.filter(|_| self.wal_index.is_some());
        Ok(())
    }

    fn is_comparison_due(&mut self) -> bool {
        let now = Instant::now();
        self.wal_index.as_mut().is_some_and(|trusted| {
            let is_due = now.duration_since(trusted.compared_at) >= CROSS_CHECK_INTERVAL;
            if is_due {
                trusted.compared_at = now;
            }
            is_due
        })
    }

    /// Gives up the wal-index if its header is still the same, although the version has changed. Otherwise a commit
    /// came between the two reads.
    fn distrust_unless_changed(&mut self, header: Option<WalHeader>) {
        if self.wal_index.as_ref().is_some_and(|trusted| trusted.wal_index.header() == header) {
            tracing::error!("the wal-index does not follow the database; it is no longer used");
            CONTRADICTIONS.fetch_add(1, Ordering::Relaxed);
            self.wal_index = None;
        }
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

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;

    use super::*;
    use crate::config::Database;
    use crate::domain::key::digest::DigestPair;
    use crate::store::Store;
    use crate::store::connection::{AnyConnection, ConnectionPurpose};

    fn open(database: &Database, purpose: ConnectionPurpose) -> SqliteConnection {
        match AnyConnection::open(database, purpose).unwrap() {
            AnyConnection::Sqlite(sqlite) => sqlite,
            AnyConnection::Postgres(_) => unreachable!("the database is a file"),
        }
    }

    fn database(folder: &tempfile::TempDir, name: &str) -> Database {
        let database = Database::Sqlite(folder.path().join(name));
        Store::migrate(&database).unwrap();
        database
    }

    #[test]
    fn a_wal_index_that_does_not_follow_the_database_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let (own, foreign) = (database(&folder, "keydesk.db"), database(&folder, "foreign.db"));
        let mut writer = open(&own, ConnectionPurpose::Write);
        let mut connection = open(&own, ConnectionPurpose::Lookup);
        let mut foreign = open(&foreign, ConnectionPurpose::Lookup);
        foreign.batch_execute("SELECT count(*) FROM api_keys").unwrap();
        let wal_index = WalIndex::of(&mut foreign).unwrap();
        let mut cache = KeyCache::new(Some(TrustedWalIndex { wal_index, compared_at: Instant::now() }));
        let [of_key, of_sha256] = [7, 8].map(|byte| KeyDigest::from_stored(&[byte; 32]).unwrap());
        let unknown = PresentedDigests::from(DigestPair { of_key, of_sha256 });
        let mut look_up = || {
            cache.keys(&mut connection, std::slice::from_ref(&unknown), 10).map(|_| cache.wal_index.is_some()).unwrap()
        };
        assert!(look_up());
        writer.batch_execute("UPDATE key_epoch SET epoch = epoch + 1").unwrap();
        let started = Instant::now();
        while look_up() {
            assert!(started.elapsed() < CROSS_CHECK_INTERVAL * 20, "the contradiction was not noticed");
            std::thread::yield_now();
        }
        assert!(wal_index_contradictions() > 0);
        assert!(TrustedWalIndex::of(&mut connection).is_none(), "no other connection trusts one again");
    }
}
