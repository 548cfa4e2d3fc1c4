//! Keys of a company that have something in common: an owner, an age, an end that nobody wrote down yet.

use std::time::Duration;

use diesel::prelude::*;

use super::error::StoreError;
use super::keys::{KeyRow, StoredKey};
use super::schema::{api_keys, service_accounts};
use super::{Snapshot, read_back};
use crate::domain::ids::{CompanyId, KeyId, ServiceAccountId, UserId};
use crate::domain::instant::Instant;

/// What a company's policy finds too much in a key.
#[derive(Clone, Copy, Debug)]
pub enum KeysBeyond {
    /// It was made before that instant, and nobody has rotated it since.
    Age(Instant),
    /// It lives longer than that, or for ever.
    Lifetime(Duration),
}

impl Snapshot<'_> {
    /// Keys that ended by themselves and of whose end the trail does not speak yet, of all companies.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unrecorded_ends(&mut self, now: Instant, limit: i64) -> Result<Vec<(CompanyId, KeyId)>, StoreError> {
        let rows: Vec<(String, String)> = api_keys::table
            .filter(api_keys::ended_at.le(now.as_micros()))
            .filter(diesel::dsl::not(api_keys::end_recorded))
            .filter(api_keys::revoked_at.is_null())
            .order(api_keys::ended_at)
            .limit(limit)
            .select((api_keys::company_id, api_keys::id))
            .load(self.connection)?;
        let ids = rows.into_iter().map(|(company_id, id)| {
            Ok((read_back("company id", CompanyId::parse(&company_id))?, read_back("key id", KeyId::parse(&id))?))
        });
        ids.collect()
    }

    /// Whether the trail speaks of the end of a key that ended by itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn end_is_recorded(&mut self, company_id: CompanyId, id: KeyId) -> Result<bool, StoreError> {
        Ok(api_keys::table
            .filter(api_keys::company_id.eq(company_id.to_string()))
            .filter(api_keys::id.eq(id.to_string()))
            .select(api_keys::end_recorded)
            .first(self.connection)?)
    }

    /// Active keys of a company that were made before one instant, or end after another or never, the oldest first; and
    /// how many there are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keys_beyond(
        &mut self,
        company_id: CompanyId,
        beyond: KeysBeyond,
        now: Instant,
        limit: i64,
    ) -> Result<(Vec<StoredKey>, i64), StoreError> {
        let active = || {
            let keys = api_keys::table
                .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
                .filter(api_keys::company_id.eq(company_id.to_string()))
                .filter(api_keys::refused_from.gt(now.as_micros()));
            match beyond {
                KeysBeyond::Age(made_before) => keys
                    .filter(api_keys::created_at.lt(made_before.as_micros()))
                    .filter(api_keys::replaced_by.is_null())
                    .into_boxed(),
                KeysBeyond::Lifetime(longest) => {
                    let longest = i64::try_from(longest.as_micros()).unwrap_or(i64::MAX);
                    keys.filter(api_keys::refused_from.gt(api_keys::created_at + longest)).into_boxed()
                }
            }
        };
        let count = active().count().get_result(self.connection)?;
        let rows: Vec<(KeyRow, String)> = active()
            .order((api_keys::created_at, api_keys::id))
            .limit(limit)
            .select((KeyRow::as_select(), service_accounts::name))
            .load(self.connection)?;
        let keys = rows.into_iter().map(|(row, name)| row.into_key(name)).collect::<Result<_, _>>()?;
        Ok((keys, count))
    }

    /// The keys of an owner that are active at that instant, by name; at most so many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn active_keys_of_owner(
        &mut self,
        company_id: CompanyId,
        owner: UserId,
        now: Instant,
        limit: i64,
    ) -> Result<Vec<StoredKey>, StoreError> {
        let rows: Vec<(KeyRow, String)> = api_keys::table
            .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
            .filter(api_keys::company_id.eq(company_id.to_string()))
            .filter(api_keys::owner.eq(owner.to_string()))
            .filter(api_keys::refused_from.gt(now.as_micros()))
            .order((service_accounts::name_folded, api_keys::id))
            .limit(limit)
            .select((KeyRow::as_select(), service_accounts::name))
            .load(self.connection)?;
        rows.into_iter().map(|(row, name)| row.into_key(name)).collect()
    }

    /// How many keys of an owner are active at that instant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn count_active_keys_of_owner(
        &mut self,
        company_id: CompanyId,
        owner: UserId,
        now: Instant,
    ) -> Result<i64, StoreError> {
        Ok(api_keys::table
            .filter(api_keys::company_id.eq(company_id.to_string()))
            .filter(api_keys::owner.eq(owner.to_string()))
            .filter(api_keys::refused_from.gt(now.as_micros()))
            .count()
            .get_result(self.connection)?)
    }

    /// A key of a service account that is active at that instant, where it has one: of two, the one made last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn active_key(
        &mut self,
        company_id: CompanyId,
        service_account_id: ServiceAccountId,
        now: Instant,
    ) -> Result<Option<KeyId>, StoreError> {
        let active: Option<String> = api_keys::table
            .filter(api_keys::company_id.eq(company_id.to_string()))
            .filter(api_keys::service_account_id.eq(service_account_id.to_string()))
            .filter(api_keys::refused_from.gt(now.as_micros()))
            .order((api_keys::created_at.desc(), api_keys::id.desc()))
            .select(api_keys::id)
            .first(self.connection)
            .optional()?;
        active.map(|id| read_back("key id", KeyId::parse(&id))).transpose()
    }
}
