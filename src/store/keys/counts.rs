//! The numbers of keys on the tabs, from counters: the keys themselves are not read.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::CompanyId;
use crate::domain::timestamp::Timestamp;
use crate::store::db::ApiKeys;
use crate::store::error::StoreError;
use crate::store::schema::{api_keys, key_counts};

/// Keys are counted in buckets of `1 << BUCKET_SHIFT` microseconds, about six days, by their end. The triggers of
/// `key_counts` use the same number.
const BUCKET_SHIFT: u32 = 39;

/// The number of keys on each tab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyCounts {
    pub active: i64,
    /// Revoked and expired keys.
    pub ended: i64,
}

impl<A> ApiKeys<'_, A> {
    /// Counts the keys of a company.
    #[instrument(name = "db.keys.count", level = "debug", skip_all)]
    pub fn count(&mut self, company_id: CompanyId, now: Timestamp) -> Result<KeyCounts, StoreError> {
        let current = now.as_micros() >> BUCKET_SHIFT;
        let start = Timestamp::from_micros(current << BUCKET_SHIFT);
        // The keys that ended in the current bucket are counted one by one, in the order of an index: what ends a key
        // that is not revoked is its first end.
        let ended_in_current = api_keys::table
            .filter(api_keys::company_id.eq(company_id))
            .filter(api_keys::ended_at.between(start, now))
            .filter(api_keys::refused_from.ge(start))
            .count()
            .single_value();
        let buckets: Vec<(i64, i64, Option<i64>)> = key_counts::table
            .filter(key_counts::company_id.eq(company_id))
            .select((key_counts::stretch, key_counts::keys, ended_in_current))
            .load(self.connection)?;
        let keys: i64 = buckets.iter().map(|(_, keys, _)| keys).sum();
        let ended_before: i64 = buckets.iter().filter(|(bucket, ..)| *bucket < current).map(|(_, keys, _)| keys).sum();
        let ended_in_current = buckets.first().and_then(|(_, _, ended)| *ended).unwrap_or(0);
        let ended = ended_before + ended_in_current;
        Ok(KeyCounts { active: keys - ended, ended })
    }
}
