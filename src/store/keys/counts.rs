//! The numbers of keys on the tabs, from counters: the keys themselves are not read.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::CompanyId;
use crate::domain::timestamp::Timestamp;
use crate::store::db::ApiKeys;
use crate::store::error::StoreError;
use crate::store::schema::{api_keys, companies, key_counts, key_usage};

/// Keys are counted in buckets of `1 << BUCKET_SHIFT` microseconds, about six days, by their end. The triggers of
/// `key_counts` use the same number.
const BUCKET_SHIFT: u32 = 39;
/// The bucket of revoked keys, which are refused at any time.
const REVOKED_BUCKET: i64 = -i64::MAX >> BUCKET_SHIFT;

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

/// The number of keys in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyStateCounts {
    pub active: i64,
    pub revoked: i64,
    pub expired: i64,
}

impl<A> ApiKeys<'_, A> {
    /// Counts the keys of all companies by their state. Reads one by one only keys that were rotated, and those that
    /// ended within the last days.
    #[instrument(name = "db.keys.count_by_state", level = "debug", skip_all)]
    pub fn count_by_state(&mut self, now: Timestamp) -> Result<KeyStateCounts, StoreError> {
        let (mut active, mut ended) = (0, 0);
        for company in self.companies()? {
            let counts = self.count(company, now)?;
            (active, ended) = (active + counts.active, ended + counts.ended);
        }
        let revoked_rows = key_counts::table.filter(key_counts::stretch.eq(REVOKED_BUCKET)).select(key_counts::keys);
        let revoked_rows: i64 = revoked_rows.load::<i64>(self.connection)?.iter().sum();
        let expired_first = api_keys::expires_at.lt(api_keys::overlap_ends_at);
        let superseded: i64 = api_keys::table
            .filter(api_keys::replaced_by.is_not_null())
            .filter(api_keys::revoked_at.is_null())
            .filter(api_keys::overlap_ends_at.le(now))
            .filter(api_keys::expires_at.is_null().or(diesel::dsl::not(expired_first)))
            .count()
            .get_result(self.connection)?;
        let revoked = revoked_rows + superseded;
        // A key may have ended between two of the queries.
        Ok(KeyStateCounts { active, revoked, expired: (ended - revoked).max(0) })
    }

    /// Counts the active keys of all companies that expire until `until`.
    #[instrument(name = "db.keys.count_expiring", level = "debug", skip_all)]
    pub fn count_expiring(&mut self, now: Timestamp, until: Timestamp) -> Result<i64, StoreError> {
        let mut expiring = 0;
        for company in self.companies()? {
            expiring += api_keys::table
                .filter(api_keys::company_id.eq(company))
                .filter(api_keys::ended_at.gt(now))
                .filter(api_keys::ended_at.le(until))
                .filter(api_keys::refused_from.gt(now))
                .filter(api_keys::expires_at.le(until))
                .count()
                .get_result::<i64>(self.connection)?;
        }
        Ok(expiring)
    }

    /// Counts the active keys of a company that were created between two times, both included.
    #[instrument(name = "db.keys.count_created", level = "debug", skip_all)]
    pub fn count_created(
        &mut self,
        company_id: CompanyId,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        Ok(api_keys::table
            .filter(api_keys::company_id.eq(company_id))
            .filter(api_keys::created_at.between(from, to))
            .filter(api_keys::refused_from.gt(now))
            .count()
            .get_result(self.connection)?)
    }

    /// Counts the active keys of a company that were last used between two times, both included. Keys that were never used
    /// have the time 0.
    #[instrument(name = "db.keys.count_last_used", level = "debug", skip_all)]
    pub fn count_last_used(
        &mut self,
        company_id: CompanyId,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        Ok(key_usage::table
            .inner_join(api_keys::table.on(api_keys::id.eq(key_usage::key_id)))
            .filter(key_usage::company_id.eq(company_id))
            .filter(key_usage::last_used_at.between(from.as_micros(), to.as_micros()))
            .filter(api_keys::refused_from.gt(now))
            .count()
            .get_result(self.connection)?)
    }

    fn companies(&mut self) -> Result<Vec<CompanyId>, StoreError> {
        Ok(companies::table.select(companies::id).load(self.connection)?)
    }

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
