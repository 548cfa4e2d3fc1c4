//! How many keys a company has on either tab, without a look at each of them.

use diesel::prelude::*;

use super::Snapshot;
use super::error::StoreError;
use super::schema::{api_keys, key_counts};
use crate::domain::ids::CompanyId;
use crate::domain::instant::Instant;

/// A stretch of time, as keys are counted by, is two to this power of microseconds. The triggers that count say the same.
const STRETCH: u32 = 39;

/// How many keys are good and how many have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyCounts {
    /// Those that are good.
    pub active: i64,
    /// Those that have ended: revoked or expired.
    pub ended: i64,
}

impl Snapshot<'_> {
    /// How many keys a company has at that instant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn count_keys(&mut self, company_id: CompanyId, now: Instant) -> Result<KeyCounts, StoreError> {
        let company_id = company_id.to_string();
        let now = now.as_micros();
        let running = now >> STRETCH;
        let start = running << STRETCH;
        // What ends a key that nobody has revoked is the first of its ends, which an index has in order.
        let ended_in_running = api_keys::table
            .filter(api_keys::company_id.eq(&company_id))
            .filter(api_keys::ended_at.between(start, now))
            .filter(api_keys::refused_from.ge(start))
            .count()
            .single_value();
        let counted: Vec<(i64, i64, Option<i64>)> = key_counts::table
            .filter(key_counts::company_id.eq(&company_id))
            .select((key_counts::stretch, key_counts::keys, ended_in_running))
            .load(self.connection)?;
        let keys: i64 = counted.iter().map(|(_, keys, _)| keys).sum();
        let ended_before: i64 =
            counted.iter().filter(|(stretch, ..)| *stretch < running).map(|(_, keys, _)| keys).sum();
        let ended_in_running = counted.first().and_then(|(_, _, ended)| *ended).unwrap_or(0);
        let ended = ended_before + ended_in_running;
        Ok(KeyCounts { active: keys - ended, ended })
    }
}
