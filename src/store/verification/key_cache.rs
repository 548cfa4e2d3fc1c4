//! A cache of keys on SQLite, which is checked against the database before each use.

use std::sync::Arc;

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer};
use diesel::sqlite::Sqlite;

use super::lookup::{FoundKeys, KeyForVerification, find_on_sqlite};
use crate::domain::key::digest::KeyDigest;
use crate::store::error::StoreError;
use crate::store::in_padded::LOOKUP_BATCH;
use crate::store::schema::key_epoch;
use crate::store::sqlite::{WalHeader, WalIndex};

/// The keys that were read at one version of the database. The header and the version are those of one connection.
#[derive(Default)]
pub(super) struct KeyCache {
    wal_header: Option<WalHeader>,
    data_version: Option<i64>,
    epoch: Option<Epoch>,
    keys: FoundKeys,
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
    /// Returns the keys with these digests in the order of the digests, as they are after the call began. The cache
    /// holds at most `max_cached` keys.
    pub(super) fn keys(
        &mut self,
        connection: &mut SqliteConnection,
        wal_index: Option<WalIndex>,
        digests: &[KeyDigest],
        max_cached: usize,
    ) -> Result<Vec<Option<Arc<KeyForVerification>>>, StoreError> {
        self.revalidate(connection, wal_index)?;
        let mut keys: Vec<_> = digests.iter().map(|digest| self.keys.get(digest).cloned()).collect();
        let missing: Vec<usize> = (0..digests.len()).filter(|index| keys[*index].is_none()).collect();
        for indexes in missing.chunks(LOOKUP_BATCH) {
            let batch: Vec<KeyDigest> = indexes.iter().map(|index| digests[*index]).collect();
            let found = find_on_sqlite(connection, &batch)?;
            for index in indexes {
                keys[*index] = found.get(&digests[*index]).cloned();
            }
            // Unknown digests are not cached: a flood of them would fill the memory.
            if self.keys.len() + found.len() > max_cached {
                self.keys.clear();
            }
            self.keys.extend(found);
        }
        Ok(keys)
    }

    /// Clears the cache if a key may have changed since the last call.
    ///
    /// Every commit of another connection, the recording of usage included, changes the header of the wal-index and
    /// the data version. The epoch, which is read after them, tells whether such a commit changed a key. Reading the
    /// header is a dozen times faster than reading the version, which takes a lock, and most requests find it
    /// unchanged.
    fn revalidate(&mut self, connection: &mut SqliteConnection, wal_index: Option<WalIndex>) -> Result<(), StoreError> {
        let header = wal_index.and_then(WalIndex::header);
        if header.is_some() && self.wal_header == header {
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
        // The header was read before the version: the next call notices a commit in between.
        self.wal_header = header;
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
