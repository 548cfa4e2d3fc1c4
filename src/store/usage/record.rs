//! The recorded usage of keys.

use std::collections::HashMap;

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, KeyId};
use crate::domain::key::usage::HourlyUsage;
use crate::domain::timestamp::Timestamp;
use crate::store::db::Usage;
use crate::store::error::StoreError;
use crate::store::schema::{key_clients, key_usage, key_usage_hours};

/// A request that presented a key. The address and the name of the client may be unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRequest {
    pub at: Timestamp,
    pub address: Option<String>,
    pub client: Option<String>,
}

/// Requests with a key that were refused because the key had ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalsAfterEnd {
    pub count: u64,
    pub first_at: Timestamp,
    pub last: RecordedRequest,
    /// The request id of the last refusal, as in its response and in the log.
    pub last_request: Option<String>,
}

/// The usage of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyUsage {
    /// The last accepted request.
    pub last_used: Option<RecordedRequest>,
    /// The number of requests that were accepted although the key had ended.
    pub accepted_after_end: u64,
    pub refused: Option<RefusalsAfterEnd>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = key_usage)]
struct UsageRow {
    key_id: KeyId,
    /// 0 for a key that was never used.
    last_used_at: i64,
    last_used_address: Option<String>,
    last_used_client: Option<String>,
    accepted_after_end: i64,
    refused_after_end: i64,
    first_refused_at: Option<Timestamp>,
    last_refused_at: Option<Timestamp>,
    last_refused_address: Option<String>,
    last_refused_client: Option<String>,
    last_refused_request: Option<String>,
}

impl UsageRow {
    fn into_usage(self) -> (KeyId, KeyUsage) {
        let last_used = (self.last_used_at > 0).then_some(RecordedRequest {
            at: Timestamp::from_micros(self.last_used_at),
            address: self.last_used_address,
            client: self.last_used_client,
        });
        let refused = match (u64::try_from(self.refused_after_end), self.first_refused_at, self.last_refused_at) {
            (Ok(count @ 1..), Some(first_at), Some(last_at)) => Some(RefusalsAfterEnd {
                count,
                first_at,
                last: RecordedRequest {
                    at: last_at,
                    address: self.last_refused_address,
                    client: self.last_refused_client,
                },
                last_request: self.last_refused_request,
            }),
            _ => None,
        };
        let accepted_after_end = u64::try_from(self.accepted_after_end).unwrap_or(0);
        (self.key_id, KeyUsage { last_used, accepted_after_end, refused })
    }
}

impl<A> Usage<'_, A> {
    /// Returns the usage of these keys of a company.
    #[instrument(name = "db.usage.of_keys", level = "debug", skip_all)]
    pub fn of_keys(
        &mut self,
        company_id: CompanyId,
        ids: impl IntoIterator<Item = KeyId>,
    ) -> Result<HashMap<KeyId, KeyUsage>, StoreError> {
        let ids: Vec<KeyId> = ids.into_iter().collect();
        let rows: Vec<UsageRow> = key_usage::table
            .filter(key_usage::company_id.eq(company_id))
            .filter(key_usage::key_id.eq_any(ids))
            .select(UsageRow::as_select())
            .load(self.connection)?;
        Ok(rows.into_iter().map(UsageRow::into_usage).collect())
    }

    /// Returns the hourly usage of a key from an hour on, in order. Hours without requests are left out.
    #[instrument(name = "db.usage.hours", level = "debug", skip_all)]
    pub fn hours(&mut self, id: KeyId, from: i64) -> Result<Vec<HourlyUsage>, StoreError> {
        let rows: Vec<(i64, i64, i64)> = key_usage_hours::table
            .filter(key_usage_hours::key_id.eq(id))
            .filter(key_usage_hours::hour.ge(from))
            .order(key_usage_hours::hour)
            .select((key_usage_hours::hour, key_usage_hours::accepted, key_usage_hours::refused))
            .load(self.connection)?;
        Ok(rows.into_iter().map(|(hour, accepted, refused)| HourlyUsage { hour, accepted, refused }).collect())
    }

    /// Returns how many requests with each of these keys were accepted from an hour on. Keys without any are left out.
    #[instrument(name = "db.usage.accepted_since", level = "debug", skip_all)]
    pub fn accepted_since(&mut self, ids: &[KeyId], hour: i64) -> Result<HashMap<KeyId, i64>, StoreError> {
        let hours: Vec<(KeyId, i64)> = key_usage_hours::table
            .filter(key_usage_hours::key_id.eq_any(ids))
            .filter(key_usage_hours::hour.ge(hour))
            .select((key_usage_hours::key_id, key_usage_hours::accepted))
            .load(self.connection)?;
        let mut sums = HashMap::new();
        for (id, accepted) in hours {
            *sums.entry(id).or_default() += accepted;
        }
        Ok(sums)
    }

    /// Returns the last request of each client that used a key since then, the latest first. At most
    /// [`MAX_CLIENTS`](crate::domain::key::usage::MAX_CLIENTS) are stored for a key.
    #[instrument(name = "db.usage.clients", level = "debug", skip_all)]
    pub fn clients(&mut self, id: KeyId, since: Timestamp) -> Result<Vec<RecordedRequest>, StoreError> {
        let rows: Vec<(Timestamp, String, String)> = key_clients::table
            .filter(key_clients::key_id.eq(id))
            .filter(key_clients::last_seen_at.ge(since))
            .order((key_clients::last_seen_at.desc(), key_clients::address, key_clients::client))
            .select((key_clients::last_seen_at, key_clients::address, key_clients::client))
            .load(self.connection)?;
        let known = |text: String| Some(text).filter(|text| !text.is_empty());
        let requests = rows.into_iter().map(|(at, address, client)| RecordedRequest {
            at,
            address: known(address),
            client: known(client),
        });
        Ok(requests.collect())
    }
}
