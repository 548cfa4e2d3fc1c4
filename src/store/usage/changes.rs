//! Recording the usage of keys, every few seconds, and dropping old records. It is not in the audit trail.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, KeyId};
use crate::domain::key::lifecycle::KeyEnds;
use crate::domain::key::usage::{LastRequest, MAX_CLIENTS, Refusals, UsageDelta};
use crate::domain::timestamp::Timestamp;
use crate::store::connection::{Columns, columns};
use crate::store::db::{ReadWrite, Usage};
use crate::store::error::StoreError;
use crate::store::keys::EndColumns;
use crate::store::prepared::on_driver;
use crate::store::schema::{api_keys, key_clients, key_usage, key_usage_hours};

/// A key that has ended, as recording its usage needs it.
#[derive(Clone, Copy, Debug, Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub struct EndedKey {
    pub id: KeyId,
    #[diesel(
        select_expression = columns::<EndColumns>(),
        select_expression_type = Columns<EndColumns>,
        deserialize_as = EndColumns,
    )]
    pub ends: KeyEnds,
    /// A time by which the revocation was acknowledged, if known.
    #[diesel(select_expression = key_usage::refused_since)]
    pub refused_since: Option<Timestamp>,
}

impl<A> Usage<'_, A> {
    /// Returns the keys among these that have ended by `now`.
    #[instrument(name = "db.usage.ended_keys", level = "debug", skip_all)]
    pub fn ended_keys(&mut self, ids: &[KeyId], now: Timestamp) -> Result<Vec<EndedKey>, StoreError> {
        Ok(api_keys::table
            .inner_join(key_usage::table.on(key_usage::key_id.eq(api_keys::id)))
            .filter(api_keys::id.eq_any(ids))
            .filter(api_keys::refused_from.le(now))
            .select(EndedKey::as_select())
            .load(self.connection)?)
    }

    /// Returns some of the hourly records before an hour, as pairs of key and hour.
    #[instrument(name = "db.usage.hours_before", level = "debug", skip_all)]
    pub fn hours_before(&mut self, hour: i64, limit: i64) -> Result<Vec<(KeyId, i64)>, StoreError> {
        Ok(key_usage_hours::table
            .filter(key_usage_hours::hour.lt(hour))
            .order(key_usage_hours::hour)
            .limit(limit)
            .select((key_usage_hours::key_id, key_usage_hours::hour))
            .load(self.connection)?)
    }
}

impl Usage<'_, ReadWrite> {
    /// Inserts the empty record of a new key.
    #[instrument(name = "db.usage.insert", level = "debug", skip_all)]
    pub(in crate::store) fn insert(&mut self, company_id: CompanyId, id: KeyId) -> Result<(), StoreError> {
        let insert = diesel::insert_into(key_usage::table)
            .values((key_usage::key_id.eq(id), key_usage::company_id.eq(company_id)));
        on_driver!(self.connection, |driver| insert.execute(driver))?;
        Ok(())
    }

    /// Adds to the record of a key. Several servers may add to one record.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if another server inserted the same hour at the same time: the caller tries again.
    #[instrument(name = "db.usage.add", level = "debug", skip_all)]
    pub fn add(&mut self, id: KeyId, delta: &UsageDelta) -> Result<(), StoreError> {
        for hour in &delta.hours {
            let row = key_usage_hours::table
                .filter(key_usage_hours::key_id.eq(id))
                .filter(key_usage_hours::hour.eq(hour.hour));
            let updated = diesel::update(row)
                .set((
                    key_usage_hours::accepted.eq(key_usage_hours::accepted + hour.accepted),
                    key_usage_hours::refused.eq(key_usage_hours::refused + hour.refused),
                ))
                .execute(self.connection)?;
            if updated == 0 {
                diesel::insert_into(key_usage_hours::table)
                    .values((
                        key_usage_hours::key_id.eq(id),
                        key_usage_hours::hour.eq(hour.hour),
                        key_usage_hours::accepted.eq(hour.accepted),
                        key_usage_hours::refused.eq(hour.refused),
                    ))
                    .execute(self.connection)?;
            }
        }
        if let Some(last) = delta.clients.first() {
            let not_later =
                key_usage::table.filter(key_usage::key_id.eq(id)).filter(key_usage::last_used_at.le(last.at));
            diesel::update(not_later)
                .set((
                    key_usage::last_used_at.eq(last.at),
                    key_usage::last_used_address.eq(address(last)),
                    key_usage::last_used_client.eq(client(last)),
                ))
                .execute(self.connection)?;
        }
        self.add_clients(id, &delta.clients)
    }

    fn add_clients(&mut self, id: KeyId, clients: &[LastRequest]) -> Result<(), StoreError> {
        let mut is_new = false;
        for seen in clients {
            let address = address(seen).unwrap_or_default();
            let known = key_clients::table
                .filter(key_clients::key_id.eq(id))
                .filter(key_clients::address.eq(&address))
                .filter(key_clients::client.eq(&*seen.client));
            let not_later = known.filter(key_clients::last_seen_at.le(seen.at));
            let is_known =
                diesel::update(not_later).set(key_clients::last_seen_at.eq(seen.at)).execute(self.connection)? > 0
                    || diesel::select(diesel::dsl::exists(known)).get_result(self.connection)?;
            if !is_known {
                is_new = true;
                diesel::insert_into(key_clients::table)
                    .values((
                        key_clients::key_id.eq(id),
                        key_clients::address.eq(address),
                        key_clients::client.eq(&*seen.client),
                        key_clients::last_seen_at.eq(seen.at),
                    ))
                    .execute(self.connection)?;
            }
        }
        if is_new { self.delete_oldest_clients(id) } else { Ok(()) }
    }

    /// Keeps the [`MAX_CLIENTS`] most recent clients of a key.
    fn delete_oldest_clients(&mut self, id: KeyId) -> Result<(), StoreError> {
        let oldest: Vec<(String, String)> = key_clients::table
            .filter(key_clients::key_id.eq(id))
            .order((key_clients::last_seen_at.desc(), key_clients::address, key_clients::client))
            .limit(i64::MAX)
            .offset(i64::try_from(MAX_CLIENTS).unwrap_or(i64::MAX))
            .select((key_clients::address, key_clients::client))
            .load(self.connection)?;
        for (address, client) in oldest {
            let row = key_clients::table
                .filter(key_clients::key_id.eq(id))
                .filter(key_clients::address.eq(address))
                .filter(key_clients::client.eq(client));
            diesel::delete(row).execute(self.connection)?;
        }
        Ok(())
    }

    /// Adds requests that were accepted although the key had ended.
    #[instrument(name = "db.usage.add_accepted_after_end", level = "debug", skip_all)]
    pub fn add_accepted_after_end(&mut self, id: KeyId, count: i64) -> Result<(), StoreError> {
        diesel::update(key_usage::table.filter(key_usage::key_id.eq(id)))
            .set(key_usage::accepted_after_end.eq(key_usage::accepted_after_end + count))
            .execute(self.connection)?;
        Ok(())
    }

    /// Adds refusals of a key that has ended. With `to_report`, they wait for an event in the trail.
    #[instrument(name = "db.usage.add_refusals", level = "debug", skip_all)]
    pub fn add_refusals(&mut self, id: KeyId, refusals: &Refusals, to_report: bool) -> Result<(), StoreError> {
        let of_key = || key_usage::table.filter(key_usage::key_id.eq(id));
        let unreported = if to_report { refusals.count } else { 0 };
        diesel::update(of_key())
            .set((
                key_usage::refused_after_end.eq(key_usage::refused_after_end + refusals.count),
                key_usage::unreported_refusals.eq(key_usage::unreported_refusals + unreported),
            ))
            .execute(self.connection)?;
        let at = refusals.last.at;
        let is_latest = key_usage::last_refused_at.is_null().or(key_usage::last_refused_at.le(at));
        diesel::update(of_key().filter(is_latest))
            .set((
                key_usage::last_refused_at.eq(at),
                key_usage::last_refused_address.eq(address(&refusals.last)),
                key_usage::last_refused_client.eq(client(&refusals.last)),
                key_usage::last_refused_request.eq(&refusals.last_request),
            ))
            .execute(self.connection)?;
        let at = refusals.first_at;
        let is_first = key_usage::first_refused_at.is_null().or(key_usage::first_refused_at.gt(at));
        diesel::update(of_key().filter(is_first)).set(key_usage::first_refused_at.eq(at)).execute(self.connection)?;
        Ok(())
    }

    /// Stores a time by which the revocation of a key was acknowledged, unless one is stored.
    #[instrument(name = "db.usage.set_revocation_acknowledged", level = "debug", skip_all)]
    pub fn set_revocation_acknowledged(&mut self, id: KeyId, at: Timestamp) -> Result<(), StoreError> {
        let unknown = key_usage::table.filter(key_usage::key_id.eq(id)).filter(key_usage::refused_since.is_null());
        diesel::update(unknown).set(key_usage::refused_since.eq(at)).execute(self.connection)?;
        Ok(())
    }

    /// Deletes an hourly record.
    #[instrument(name = "db.usage.delete_hour", level = "debug", skip_all)]
    pub fn delete_hour(&mut self, id: KeyId, hour: i64) -> Result<(), StoreError> {
        let row = key_usage_hours::table.filter(key_usage_hours::key_id.eq(id)).filter(key_usage_hours::hour.eq(hour));
        diesel::delete(row).execute(self.connection)?;
        Ok(())
    }
}

fn address(seen: &LastRequest) -> Option<String> {
    seen.address.map(|address| address.to_string())
}

fn client(seen: &LastRequest) -> Option<&str> {
    Some(&*seen.client).filter(|client| !client.is_empty())
}
