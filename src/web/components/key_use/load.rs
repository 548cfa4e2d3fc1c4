//! Loads the warning about keys in use.

use std::collections::HashMap;
use std::time::Duration;

use super::view::{AsOf, InUse, KeyInUse, KeyRequest, Sender};
use crate::domain::ids::{KeyId, UserId};
use crate::domain::key::usage::hour_of;
use crate::domain::timestamp::Timestamp;
use crate::store::{KeyRecord, RecordedRequest};
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::text::pluralized;
use crate::web::app::time::zone::Zone;

/// A key counts as in use for this long after its last request.
pub const IN_USE_PERIOD: Duration = Duration::from_hours(7 * 24);
/// The keys of a deleted user that the warning lists.
const MAX_LISTED_KEYS: i64 = 10;

/// Loads the warning about these keys, all of which the change revokes.
pub async fn among(cx: &PageContext, keys: &[KeyRecord]) -> Result<Option<InUse>, PageError> {
    let (company_id, now) = (cx.company_id(), cx.now());
    let until = cx.app.actions.usage.recorded_until();
    let ids: Vec<KeyId> = keys.iter().map(|key| key.id).collect();
    let (mut usage, requests) = cx
        .read(move |db| {
            let usage = db.usage().of_keys(company_id, ids.iter().copied())?;
            Ok((usage, db.usage().accepted_since(&ids, first_hour(now))?))
        })
        .await?;
    let in_use = |key: &KeyRecord| {
        let last = usage.remove(&key.id)?.last_used?;
        (now.since(last.at) <= IN_USE_PERIOD).then(|| (key.clone(), last))
    };
    let in_use: Vec<_> = keys.iter().filter_map(in_use).collect();
    let of = keys.len() as u64;
    Ok(view(cx, in_use, &requests, 0, of, as_of(until, &cx.zone, now)))
}

/// Loads the warning about the `of` active keys of a user.
pub async fn of_owner(cx: &PageContext, owner: UserId, of: u64) -> Result<Option<InUse>, PageError> {
    let (company_id, now) = (cx.company_id(), cx.now());
    let until = cx.app.actions.usage.recorded_until();
    let (keys, count, requests) = cx
        .read(move |db| {
            let since = now - IN_USE_PERIOD;
            let (keys, count) = db.keys().used_of_owner(company_id, owner, now, since, MAX_LISTED_KEYS)?;
            let ids: Vec<KeyId> = keys.iter().map(|(key, _)| key.id).collect();
            let requests = db.usage().accepted_since(&ids, first_hour(now))?;
            Ok((keys, count, requests))
        })
        .await?;
    let more = count.saturating_sub(keys.len() as u64);
    Ok(view(cx, keys, &requests, more, of, as_of(until, &cx.zone, now)))
}

/// The first of the last 24 clock hours, including the current one.
fn first_hour(now: Timestamp) -> i64 {
    hour_of(now) + 1 - 24
}

fn view(
    cx: &PageContext,
    mut keys: Vec<(KeyRecord, RecordedRequest)>,
    requests: &HashMap<KeyId, i64>,
    more: u64,
    of: u64,
    as_of: AsOf,
) -> Option<InUse> {
    keys.sort_by_key(|(_, last)| std::cmp::Reverse(last.at));
    let key = |(key, last): (KeyRecord, RecordedRequest)| {
        let count = requests.get(&key.id).and_then(|count| u64::try_from(*count).ok()).filter(|count| *count > 0);
        KeyInUse {
            id: key.id.to_string(),
            name: key.name,
            preview: key.preview,
            last: recorded_request(&last, &cx.zone, cx.now()),
            requests: count.map(|count| pluralized(count, "request", "requests")),
            recent: None,
        }
    };
    let keys: Vec<KeyInUse> = keys.into_iter().map(key).collect();
    (!keys.is_empty()).then_some(InUse { keys, more, of, as_of })
}

/// The view of the time until which usage is recorded.
pub fn as_of(until: Option<Timestamp>, zone: &Zone, now: Timestamp) -> AsOf {
    until.map(|until| zone.clock_or_date(until, now))
}

/// The view of a recorded request.
pub fn recorded_request(request: &RecordedRequest, zone: &Zone, now: Timestamp) -> KeyRequest {
    KeyRequest { at: zone.date_time(request.at), ago: zone.ago_mid_sentence(request.at, now), sender: sender(request) }
}

pub fn sender(request: &RecordedRequest) -> Sender {
    Sender { address: request.address.clone(), client: request.client.clone() }
}
