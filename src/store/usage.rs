//! How keys are used: what is added every few seconds, and what is dropped after a while. Bookkeeping, no part of the trail.

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::{api_keys, key_clients, key_usage, key_usage_hours};
use super::{Snapshot, Transaction, read_back};
use crate::domain::api_key::KeyEnds;
use crate::domain::ids::{CompanyId, KeyId};
use crate::domain::instant::Instant;
use crate::domain::usage::{CLIENTS_KEPT, KeyUse, Refusals, Seen};

/// A key that has ended, as whoever writes its use down must know it.
#[derive(Clone, Copy, Debug)]
pub struct EndedKey {
    /// The key.
    pub id: KeyId,
    /// The instants that ended it.
    pub ends: KeyEnds,
    /// An instant at which its revocation had been acknowledged, once that is known.
    pub refused_since: Option<Instant>,
}

impl Snapshot<'_> {
    /// Those of the keys that have ended at that instant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn ended_keys(&mut self, ids: &[KeyId], now: Instant) -> Result<Vec<EndedKey>, StoreError> {
        type Row = (String, Option<i64>, Option<i64>, Option<i64>, Option<i64>);
        let rows: Vec<Row> = api_keys::table
            .inner_join(key_usage::table.on(key_usage::key_id.eq(api_keys::id)))
            .filter(api_keys::id.eq_any(ids.iter().map(ToString::to_string)))
            .filter(api_keys::refused_from.le(now.as_micros()))
            .select((
                api_keys::id,
                api_keys::expires_at,
                api_keys::overlap_ends_at,
                api_keys::revoked_at,
                key_usage::refused_since,
            ))
            .load(self.connection)?;
        let ended = rows.into_iter().map(|(id, expires_at, overlap_ends_at, revoked_at, refused_since)| {
            let [expires_at, overlap_ends_at, revoked_at, refused_since] =
                [expires_at, overlap_ends_at, revoked_at, refused_since].map(|at| at.map(Instant::from_micros));
            let id = read_back("key id", KeyId::parse(&id))?;
            Ok(EndedKey { id, ends: KeyEnds { expires_at, overlap_ends_at, revoked_at }, refused_since })
        });
        ended.collect()
    }

    /// Some of the hours of use that lie before that one, by key and hour.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hours_of_use_before(&mut self, hour: i64, limit: i64) -> Result<Vec<(String, i64)>, StoreError> {
        Ok(key_usage_hours::table
            .filter(key_usage_hours::hour.lt(hour))
            .order(key_usage_hours::hour)
            .limit(limit)
            .select((key_usage_hours::key_id, key_usage_hours::hour))
            .load(self.connection)?)
    }
}

impl Transaction<'_> {
    /// Begins the record of a new key's use.
    pub(super) fn insert_key_usage(&mut self, company_id: CompanyId, id: KeyId) -> Result<(), StoreError> {
        diesel::insert_into(key_usage::table)
            .values((key_usage::key_id.eq(id.to_string()), key_usage::company_id.eq(company_id.to_string())))
            .execute(self.connection)?;
        Ok(())
    }

    /// Adds to the record of a key's use. Of several servers that add to one, each adds its share.
    ///
    /// # Errors
    /// [`StoreError`]; `Exists` where another server began the same hour at this very moment.
    pub fn add_key_use(&mut self, id: KeyId, used: &KeyUse) -> Result<(), StoreError> {
        let id = id.to_string();
        for hour in &used.hours {
            let counted = key_usage_hours::table
                .filter(key_usage_hours::key_id.eq(&id))
                .filter(key_usage_hours::hour.eq(hour.hour));
            let added = diesel::update(counted)
                .set((
                    key_usage_hours::accepted.eq(key_usage_hours::accepted + hour.accepted),
                    key_usage_hours::refused.eq(key_usage_hours::refused + hour.refused),
                ))
                .execute(self.connection)?;
            if added == 0 {
                diesel::insert_into(key_usage_hours::table)
                    .values((
                        key_usage_hours::key_id.eq(&id),
                        key_usage_hours::hour.eq(hour.hour),
                        key_usage_hours::accepted.eq(hour.accepted),
                        key_usage_hours::refused.eq(hour.refused),
                    ))
                    .execute(self.connection)?;
            }
        }
        if let Some(last) = used.clients.first() {
            let earlier = key_usage::table
                .filter(key_usage::key_id.eq(&id))
                .filter(key_usage::last_used_at.le(last.at.as_micros()));
            diesel::update(earlier)
                .set((
                    key_usage::last_used_at.eq(last.at.as_micros()),
                    key_usage::last_used_address.eq(address(last)),
                    key_usage::last_used_client.eq(client(last)),
                ))
                .execute(self.connection)?;
        }
        self.add_clients(&id, &used.clients)
    }

    fn add_clients(&mut self, id: &str, clients: &[Seen]) -> Result<(), StoreError> {
        let mut is_new = false;
        for seen in clients {
            let (address, at) = (address(seen).unwrap_or_default(), seen.at.as_micros());
            let known = key_clients::table
                .filter(key_clients::key_id.eq(id))
                .filter(key_clients::address.eq(&address))
                .filter(key_clients::client.eq(&*seen.client));
            let earlier = known.filter(key_clients::last_seen_at.le(at));
            let is_known = diesel::update(earlier).set(key_clients::last_seen_at.eq(at)).execute(self.connection)? > 0
                || diesel::select(diesel::dsl::exists(known)).get_result(self.connection)?;
            if !is_known {
                is_new = true;
                diesel::insert_into(key_clients::table)
                    .values((
                        key_clients::key_id.eq(id),
                        key_clients::address.eq(address),
                        key_clients::client.eq(&*seen.client),
                        key_clients::last_seen_at.eq(at),
                    ))
                    .execute(self.connection)?;
            }
        }
        if is_new { self.forget_older_clients(id) } else { Ok(()) }
    }

    fn forget_older_clients(&mut self, id: &str) -> Result<(), StoreError> {
        let too_many: Vec<(String, String)> = key_clients::table
            .filter(key_clients::key_id.eq(id))
            .order((key_clients::last_seen_at.desc(), key_clients::address, key_clients::client))
            .limit(i64::MAX)
            .offset(i64::try_from(CLIENTS_KEPT).unwrap_or(i64::MAX))
            .select((key_clients::address, key_clients::client))
            .load(self.connection)?;
        for (address, client) in too_many {
            let older = key_clients::table
                .filter(key_clients::key_id.eq(id))
                .filter(key_clients::address.eq(address))
                .filter(key_clients::client.eq(client));
            diesel::delete(older).execute(self.connection)?;
        }
        Ok(())
    }

    /// Adds requests that a key let through although it had ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn add_accepted_after_end(&mut self, id: KeyId, count: i64) -> Result<(), StoreError> {
        diesel::update(key_usage::table.filter(key_usage::key_id.eq(id.to_string())))
            .set(key_usage::accepted_after_end.eq(key_usage::accepted_after_end + count))
            .execute(self.connection)?;
        Ok(())
    }

    /// Adds refusals of a key that has ended; `to_report` where the trail is to speak of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn add_refusals(&mut self, id: KeyId, refusals: &Refusals, to_report: bool) -> Result<(), StoreError> {
        let id = id.to_string();
        let of_key = || key_usage::table.filter(key_usage::key_id.eq(&id));
        let reported = if to_report { refusals.count } else { 0 };
        diesel::update(of_key())
            .set((
                key_usage::refused_after_end.eq(key_usage::refused_after_end + refusals.count),
                key_usage::unreported_refusals.eq(key_usage::unreported_refusals + reported),
            ))
            .execute(self.connection)?;
        let at = refusals.last.at.as_micros();
        let is_latest = key_usage::last_refused_at.is_null().or(key_usage::last_refused_at.le(at));
        diesel::update(of_key().filter(is_latest))
            .set((
                key_usage::last_refused_at.eq(at),
                key_usage::last_refused_address.eq(address(&refusals.last)),
                key_usage::last_refused_client.eq(client(&refusals.last)),
                key_usage::last_refused_request.eq(&refusals.last_request),
            ))
            .execute(self.connection)?;
        let at = refusals.first_at.as_micros();
        let is_first = key_usage::first_refused_at.is_null().or(key_usage::first_refused_at.gt(at));
        diesel::update(of_key().filter(is_first)).set(key_usage::first_refused_at.eq(at)).execute(self.connection)?;
        Ok(())
    }

    /// Notes an instant at which a key's revocation had been acknowledged.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_refused_since(&mut self, id: KeyId, at: Instant) -> Result<(), StoreError> {
        let unknown =
            key_usage::table.filter(key_usage::key_id.eq(id.to_string())).filter(key_usage::refused_since.is_null());
        diesel::update(unknown).set(key_usage::refused_since.eq(at.as_micros())).execute(self.connection)?;
        Ok(())
    }

    /// Forgets an hour of a key's use.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget_hour_of_use(&mut self, key_id: &str, hour: i64) -> Result<(), StoreError> {
        let hour =
            key_usage_hours::table.filter(key_usage_hours::key_id.eq(key_id)).filter(key_usage_hours::hour.eq(hour));
        diesel::delete(hour).execute(self.connection)?;
        Ok(())
    }
}

fn address(seen: &Seen) -> Option<String> {
    seen.address.map(|address| address.to_string())
}

fn client(seen: &Seen) -> Option<&str> {
    Some(&*seen.client).filter(|client| !client.is_empty())
}
