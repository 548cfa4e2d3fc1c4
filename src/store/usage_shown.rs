//! How keys are used, as pages show it.

use std::collections::HashMap;

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::{key_clients, key_usage, key_usage_hours};
use super::{Snapshot, read_back};
use crate::domain::ids::{CompanyId, KeyId};
use crate::domain::instant::Instant;
use crate::domain::usage::HourOfUse;

/// A request with a key: when, and from where by which program, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRequest {
    /// When it came.
    pub at: Instant,
    /// The address.
    pub address: Option<String>,
    /// What the program calls itself.
    pub client: Option<String>,
}

/// Requests with a key that came after its end and were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedAfterEnd {
    /// How many.
    pub count: u64,
    /// When the first came.
    pub first_at: Instant,
    /// The last.
    pub last: KeyRequest,
    /// The id of the last one's request, as its answer and the log name it.
    pub last_request: Option<String>,
}

/// What is known of a key's use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyUsage {
    /// The last request that was let through.
    pub last_used: Option<KeyRequest>,
    /// How many requests were let through although the key had ended.
    pub accepted_after_end: u64,
    /// What was refused since its end.
    pub refused: Option<RefusedAfterEnd>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = key_usage)]
struct UsageRow {
    key_id: String,
    last_used_at: i64,
    last_used_address: Option<String>,
    last_used_client: Option<String>,
    accepted_after_end: i64,
    refused_after_end: i64,
    first_refused_at: Option<i64>,
    last_refused_at: Option<i64>,
    last_refused_address: Option<String>,
    last_refused_client: Option<String>,
    last_refused_request: Option<String>,
}

impl UsageRow {
    fn into_usage(self) -> Result<(KeyId, KeyUsage), StoreError> {
        let last_used = (self.last_used_at > 0).then_some(KeyRequest {
            at: Instant::from_micros(self.last_used_at),
            address: self.last_used_address,
            client: self.last_used_client,
        });
        let refused = match (u64::try_from(self.refused_after_end), self.first_refused_at, self.last_refused_at) {
            (Ok(count @ 1..), Some(first_at), Some(last_at)) => Some(RefusedAfterEnd {
                count,
                first_at: Instant::from_micros(first_at),
                last: KeyRequest {
                    at: Instant::from_micros(last_at),
                    address: self.last_refused_address,
                    client: self.last_refused_client,
                },
                last_request: self.last_refused_request,
            }),
            _ => None,
        };
        let accepted_after_end = u64::try_from(self.accepted_after_end).unwrap_or(0);
        let id = read_back("key id", KeyId::parse(&self.key_id))?;
        Ok((id, KeyUsage { last_used, accepted_after_end, refused }))
    }
}

impl Snapshot<'_> {
    /// What is known of the use of these keys of a company.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn usage_of_keys(
        &mut self,
        company_id: CompanyId,
        ids: impl IntoIterator<Item = KeyId>,
    ) -> Result<HashMap<KeyId, KeyUsage>, StoreError> {
        let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
        let rows: Vec<UsageRow> = key_usage::table
            .filter(key_usage::company_id.eq(company_id.to_string()))
            .filter(key_usage::key_id.eq_any(ids))
            .select(UsageRow::as_select())
            .load(self.connection)?;
        rows.into_iter().map(UsageRow::into_usage).collect()
    }

    /// The hours of a key's use from that one on, in order; hours without a request are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hours_of_use(&mut self, id: KeyId, from: i64) -> Result<Vec<HourOfUse>, StoreError> {
        let rows: Vec<(i64, i64, i64)> = key_usage_hours::table
            .filter(key_usage_hours::key_id.eq(id.to_string()))
            .filter(key_usage_hours::hour.ge(from))
            .order(key_usage_hours::hour)
            .select((key_usage_hours::hour, key_usage_hours::accepted, key_usage_hours::refused))
            .load(self.connection)?;
        Ok(rows.into_iter().map(|(hour, accepted, refused)| HourOfUse { hour, accepted, refused }).collect())
    }

    /// From where and by which programs a key was used since then, the last first. No more than
    /// [`CLIENTS_KEPT`](crate::domain::usage::CLIENTS_KEPT) are known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn clients_of_key(&mut self, id: KeyId, since: Instant) -> Result<Vec<KeyRequest>, StoreError> {
        let rows: Vec<(i64, String, String)> = key_clients::table
            .filter(key_clients::key_id.eq(id.to_string()))
            .filter(key_clients::last_seen_at.ge(since.as_micros()))
            .order((key_clients::last_seen_at.desc(), key_clients::address, key_clients::client))
            .select((key_clients::last_seen_at, key_clients::address, key_clients::client))
            .load(self.connection)?;
        let known = |text: String| Some(text).filter(|text| !text.is_empty());
        let requests = rows.into_iter().map(|(at, address, client)| KeyRequest {
            at: Instant::from_micros(at),
            address: known(address),
            client: known(client),
        });
        Ok(requests.collect())
    }
}
