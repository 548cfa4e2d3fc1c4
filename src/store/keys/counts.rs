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

impl KeyCounts {
    pub(super) const fn new(keys: i64, ended: i64) -> Self {
        Self { active: keys - ended, ended }
    }
}

/// The bucket of the current time: keys of the buckets before have ended.
pub(super) struct CountedBuckets {
    pub(super) current: i64,
    /// The beginning of the current bucket.
    pub(super) start: Timestamp,
}

impl CountedBuckets {
    pub(super) const fn at(now: Timestamp) -> Self {
        let current = now.as_micros() >> BUCKET_SHIFT;
        Self { current, start: Timestamp::from_micros(current << BUCKET_SHIFT) }
    }
}

/// The number of keys that ended in the current bucket. They are counted one by one, in the order of an index: what ends
/// a key that is not revoked is its first end.
macro_rules! ended_within {
    ($company_id:expr, $start:expr, $now:expr) => {{
        let ended_keys = diesel::alias!(api_keys as ended_keys);
        ended_keys
            .filter(ended_keys.field(api_keys::company_id).eq($company_id))
            .filter(ended_keys.field(api_keys::ended_at).between($start, $now))
            .filter(ended_keys.field(api_keys::refused_from).ge($start))
            .count()
            .single_value()
    }};
}
pub(super) use ended_within;

impl<A> ApiKeys<'_, A> {
    /// Counts the keys of a company.
    #[instrument(name = "db.keys.count", level = "debug", skip_all)]
    pub fn count(&mut self, company_id: CompanyId, now: Timestamp) -> Result<KeyCounts, StoreError> {
        let CountedBuckets { current, start } = CountedBuckets::at(now);
        let buckets: Vec<(i64, i64, Option<i64>)> = key_counts::table
            .filter(key_counts::company_id.eq(company_id))
            .select((key_counts::stretch, key_counts::keys, ended_within!(company_id, start, now)))
            .load(self.connection)?;
        let keys: i64 = buckets.iter().map(|(_, keys, _)| keys).sum();
        let ended_before: i64 = buckets.iter().filter(|(bucket, ..)| *bucket < current).map(|(_, keys, _)| keys).sum();
        let ended_in_current = buckets.first().and_then(|(_, _, ended)| *ended).unwrap_or(0);
        Ok(KeyCounts::new(keys, ended_before + ended_in_current))
    }
}
