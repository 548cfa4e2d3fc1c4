//! Keys of a company with something in common: an owner, an age, an end that is not in the trail yet.

use std::collections::HashSet;
use std::time::Duration;

use diesel::prelude::*;
use tracing::instrument;

use super::record::KeyRecord;
use crate::domain::ids::{CompanyId, KeyId, ServiceAccountId, UserId};
use crate::domain::key::digest::KeyDigest;
use crate::domain::timestamp::Timestamp;
use crate::store::db::{ApiKeys, Db};
use crate::store::error::StoreError;
use crate::store::schema::{api_keys, key_usage, service_accounts};
use crate::store::usage::RecordedRequest;

/// A rule of a company's policy that a key violates.
#[derive(Clone, Copy, Debug)]
pub enum PolicyViolation {
    /// The key was created before this time and not rotated since.
    Age(Timestamp),
    /// The key lives longer than this, or for ever.
    Lifetime(Duration),
}

/// Since when a key is used, and until when it works.
#[derive(Clone, Copy, Debug, Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub struct KeyLifetime {
    pub created_at: Timestamp,
    pub refused_from: Timestamp,
    /// The epoch, if it was never used.
    #[diesel(select_expression = key_usage::last_used_at)]
    pub last_used_at: Timestamp,
}

/// A page of the keys of a service account, the newest first.
#[derive(Clone, Copy, Debug)]
pub enum AccountKeysRequest {
    Newest,
    OlderThan(KeyId),
    NewerThan(KeyId),
}

impl<A> ApiKeys<'_, A> {
    /// Returns keys of a service account, the newest first.
    #[instrument(name = "db.keys.of_account", level = "debug", skip_all)]
    pub fn of_account(
        &mut self,
        company_id: CompanyId,
        service_account_id: ServiceAccountId,
        request: AccountKeysRequest,
        limit: i64,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        let keys = api_keys::table
            .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
            .filter(api_keys::company_id.eq(company_id))
            .filter(api_keys::service_account_id.eq(service_account_id))
            .select(KeyRecord::as_select())
            .limit(limit);
        // Ids begin with the time of creation.
        Ok(match request {
            AccountKeysRequest::Newest => keys.order(api_keys::id.desc()).load(self.connection)?,
            AccountKeysRequest::OlderThan(id) => {
                keys.filter(api_keys::id.lt(id)).order(api_keys::id.desc()).load(self.connection)?
            }
            AccountKeysRequest::NewerThan(id) => {
                let mut keys: Vec<KeyRecord> =
                    keys.filter(api_keys::id.gt(id)).order(api_keys::id.asc()).load(self.connection)?;
                keys.reverse();
                keys
            }
        })
    }

    /// Returns keys of all companies that expired or were superseded, and whose end is not in the trail yet.
    #[instrument(name = "db.keys.unrecorded_ends", level = "debug", skip_all)]
    pub fn unrecorded_ends(&mut self, now: Timestamp, limit: i64) -> Result<Vec<(CompanyId, KeyId)>, StoreError> {
        Ok(api_keys::table
            .filter(api_keys::ended_at.le(now))
            .filter(diesel::dsl::not(api_keys::end_recorded))
            .filter(api_keys::revoked_at.is_null())
            .order(api_keys::ended_at)
            .limit(limit)
            .select((api_keys::company_id, api_keys::id))
            .load(self.connection)?)
    }

    /// Whether the expiry, or the end of the overlap, is in the trail.
    #[instrument(name = "db.keys.is_end_recorded", level = "debug", skip_all)]
    pub fn is_end_recorded(&mut self, company_id: CompanyId, id: KeyId) -> Result<bool, StoreError> {
        Ok(api_keys::table
            .filter(api_keys::company_id.eq(company_id))
            .filter(api_keys::id.eq(id))
            .select(api_keys::end_recorded)
            .first(self.connection)?)
    }

    /// Returns the active keys of a company that violate a rule, the oldest first, and how many there are in total. A key
    /// that is being replaced is on its way out and violates none.
    #[instrument(name = "db.keys.violating_policy", level = "debug", skip_all)]
    pub fn violating_policy(
        &mut self,
        company_id: CompanyId,
        violation: PolicyViolation,
        now: Timestamp,
        limit: i64,
    ) -> Result<(Vec<KeyRecord>, i64), StoreError> {
        let violating = || {
            let keys = api_keys::table
                .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
                .filter(api_keys::company_id.eq(company_id))
                .filter(api_keys::refused_from.gt(now))
                .filter(api_keys::replaced_by.is_null());
            match violation {
                PolicyViolation::Age(created_before) => {
                    keys.filter(api_keys::created_at.lt(created_before)).into_boxed()
                }
                PolicyViolation::Lifetime(maximum) => {
                    let maximum = i64::try_from(maximum.as_micros()).unwrap_or(i64::MAX);
                    keys.filter(api_keys::refused_from.gt(api_keys::created_at + maximum)).into_boxed()
                }
            }
        };
        let count = violating().count().get_result(self.connection)?;
        let keys = violating()
            .order((api_keys::created_at, api_keys::id))
            .limit(limit)
            .select(KeyRecord::as_select())
            .load(self.connection)?;
        Ok((keys, count))
    }

    /// Returns active keys of a company, or this one, that were created before `since` and not used from then on. Keys
    /// that are being replaced are left out.
    #[instrument(name = "db.keys.idle", level = "debug", skip_all)]
    pub fn idle(
        &mut self,
        company_id: CompanyId,
        id: Option<KeyId>,
        since: Timestamp,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<KeyId>, StoreError> {
        let mut idle = api_keys::table
            .inner_join(key_usage::table.on(key_usage::key_id.eq(api_keys::id)))
            .filter(key_usage::company_id.eq(company_id))
            .filter(key_usage::last_used_at.lt(since))
            .filter(api_keys::company_id.eq(company_id))
            .filter(api_keys::refused_from.gt(now))
            .filter(api_keys::created_at.lt(since))
            .filter(api_keys::replaced_by.is_null())
            .select(api_keys::id)
            .limit(limit)
            .into_boxed();
        if let Some(id) = id {
            idle = idle.filter(api_keys::id.eq(id));
        }
        Ok(idle.load(self.connection)?)
    }

    /// Returns the lifetimes of the active keys of a company, except keys that are being replaced.
    #[instrument(name = "db.keys.lifetimes", level = "debug", skip_all)]
    pub fn lifetimes(&mut self, company_id: CompanyId, now: Timestamp) -> Result<Vec<KeyLifetime>, StoreError> {
        Ok(api_keys::table
            .inner_join(key_usage::table.on(key_usage::key_id.eq(api_keys::id)))
            .filter(api_keys::company_id.eq(company_id))
            .filter(api_keys::refused_from.gt(now))
            .filter(api_keys::replaced_by.is_null())
            .select(KeyLifetime::as_select())
            .load(self.connection)?)
    }

    /// Returns the active keys of an owner, by name.
    #[instrument(name = "db.keys.active_of_owner", level = "debug", skip_all)]
    pub fn active_of_owner(
        &mut self,
        company_id: CompanyId,
        owner: UserId,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        Ok(api_keys::table
            .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
            .filter(api_keys::company_id.eq(company_id))
            .filter(api_keys::owner.eq(owner))
            .filter(api_keys::refused_from.gt(now))
            .order((service_accounts::name_sort_key, api_keys::id))
            .limit(limit)
            .select(KeyRecord::as_select())
            .load(self.connection)?)
    }

    /// Returns the active keys of an owner that were used since a time, with their last use, the latest first, and how
    /// many there are in total.
    #[instrument(name = "db.keys.used_of_owner", level = "debug", skip_all)]
    pub fn used_of_owner(
        &mut self,
        company_id: CompanyId,
        owner: UserId,
        now: Timestamp,
        since: Timestamp,
        limit: i64,
    ) -> Result<(Vec<(KeyRecord, RecordedRequest)>, u64), StoreError> {
        let used = || {
            api_keys::table
                .inner_join(key_usage::table.on(key_usage::key_id.eq(api_keys::id)))
                .filter(api_keys::company_id.eq(company_id))
                .filter(api_keys::owner.eq(owner))
                .filter(api_keys::refused_from.gt(now))
                .filter(key_usage::last_used_at.ge(since.as_micros()))
        };
        let count: i64 = used().count().get_result(self.connection)?;
        let ids: Vec<KeyId> = used()
            .order((key_usage::last_used_at.desc(), api_keys::id))
            .limit(limit)
            .select(api_keys::id)
            .load(self.connection)?;
        let mut usage = Db::<A>::new(self.connection).usage().of_keys(company_id, ids.iter().copied())?;
        let mut keys = Vec::with_capacity(ids.len());
        for id in ids {
            let last = usage.remove(&id).and_then(|usage| usage.last_used);
            keys.extend(self.by_id(company_id, id)?.zip(last));
        }
        Ok((keys, u64::try_from(count).unwrap_or(0)))
    }

    #[instrument(name = "db.keys.count_active_of_owner", level = "debug", skip_all)]
    pub fn count_active_of_owner(
        &mut self,
        company_id: CompanyId,
        owner: UserId,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        Ok(api_keys::table
            .filter(api_keys::company_id.eq(company_id))
            .filter(api_keys::owner.eq(owner))
            .filter(api_keys::refused_from.gt(now))
            .count()
            .get_result(self.connection)?)
    }

    /// Returns the service accounts among these that have an active key.
    #[instrument(name = "db.keys.active_accounts", level = "debug", skip_all)]
    pub fn active_accounts(
        &mut self,
        company_id: CompanyId,
        accounts: impl IntoIterator<Item = ServiceAccountId>,
        now: Timestamp,
    ) -> Result<HashSet<ServiceAccountId>, StoreError> {
        let active: Vec<ServiceAccountId> = api_keys::table
            .filter(api_keys::company_id.eq(company_id))
            .filter(api_keys::service_account_id.eq_any(accounts))
            .filter(api_keys::refused_from.gt(now))
            .select(api_keys::service_account_id)
            .load(self.connection)?;
        Ok(active.into_iter().collect())
    }

    /// Returns the digests among these that are stored, in any company.
    #[instrument(name = "db.keys.stored_digests", level = "debug", skip_all)]
    pub fn stored_digests(
        &mut self,
        digests: impl IntoIterator<Item = KeyDigest>,
    ) -> Result<HashSet<KeyDigest>, StoreError> {
        let stored: Vec<KeyDigest> =
            api_keys::table.filter(api_keys::digest.eq_any(digests)).select(api_keys::digest).load(self.connection)?;
        Ok(stored.into_iter().collect())
    }

    /// Returns the active key of a service account, the newest one during an overlap.
    #[instrument(name = "db.keys.active_of_account", level = "debug", skip_all)]
    pub fn active_of_account(
        &mut self,
        company_id: CompanyId,
        service_account_id: ServiceAccountId,
        now: Timestamp,
    ) -> Result<Option<KeyId>, StoreError> {
        Ok(api_keys::table
            .filter(api_keys::company_id.eq(company_id))
            .filter(api_keys::service_account_id.eq(service_account_id))
            .filter(api_keys::refused_from.gt(now))
            .order((api_keys::created_at.desc(), api_keys::id.desc()))
            .select(api_keys::id)
            .first(self.connection)
            .optional()?)
    }
}
