//! Loads key activity.

use super::cursor;
use super::summary::KeyHistorySummary;
use super::view::{Day, KeyActivity, KeyHistory, Placement};
use crate::domain::ids::KeyId;
use crate::domain::timestamp::Timestamp;
use crate::http::body::Fields;
use crate::store::{EventListItem, KeyActivityQuery, UserNames};
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::time::zone::Zone;
use crate::web::components::event::view::{EventView, mentioned_users};
use crate::web::pages::api_keys::usage::load::UsageSnapshot;

const PAGE_SIZE: usize = 50;

/// The key and the cursor in an address.
#[derive(Clone, Copy, Debug)]
pub struct ActivityRequest {
    key: Option<KeyId>,
    before: Option<i64>,
}

impl ActivityRequest {
    /// The history of one key, on that key's page.
    ///
    /// # Errors
    /// [`PageError::PageNotFound`] for an invalid cursor.
    pub fn of_key(key: KeyId, query: &Fields) -> Result<Self, PageError> {
        Ok(Self { key: Some(key), ..Self::parse(query, "cursor")? })
    }

    /// Parses the parameter `key`, and the cursor in the parameter named `cursor`.
    ///
    /// # Errors
    /// [`PageError::KeyNotFound`] for an invalid id, [`PageError::PageNotFound`] for an invalid cursor.
    pub fn parse(query: &Fields, cursor: &str) -> Result<Self, PageError> {
        let key = query.get("key")?.map(|id| KeyId::parse(id).ok_or(PageError::KeyNotFound)).transpose()?;
        let before = query.get(cursor)?.map(|cursor| cursor::decode(cursor).ok_or(PageError::PageNotFound));
        Ok(Self { key, before: before.transpose()? })
    }
}

/// Loads the events, and the summary of the key if the request names one.
pub async fn load(cx: &PageContext, request: ActivityRequest, placement: Placement) -> Result<KeyActivity, PageError> {
    let (company_id, now, zone) = (cx.company_id(), cx.now(), cx.zone.clone());
    let limit = i64::try_from(PAGE_SIZE + 1).unwrap_or(i64::MAX);
    let query = KeyActivityQuery { company_id, key: request.key, before: request.before, limit };
    let (mut key, mut events, names) = cx
        .read(move |db| {
            let history = match request.key {
                Some(id) => {
                    let key = db.keys().by_id(company_id, id)?.ok_or(PageError::KeyNotFound)?;
                    let summary = KeyHistorySummary::load(db, company_id, &key, &zone, now)?;
                    Some(KeyHistory { key_id: key.id.to_string(), name: key.name, summary })
                }
                None => None,
            };
            let events = db.trails().key_activity(&query)?;
            let names = db.users().names(company_id, events.iter().flat_map(|item| mentioned_users(&item.event)))?;
            Ok((history, events, names))
        })
        .await?;
    let has_older = events.len() > PAGE_SIZE;
    events.truncate(PAGE_SIZE);
    let older = events.last().filter(|_| has_older).map(|last| cursor::older_than(last.event.sequence));
    if let (Some(history), Some(id)) = (&mut key, request.key)
        && history.summary.end.is_some()
        && !matches!(placement, Placement::Key(_))
    {
        history.summary.since_end = Some(UsageSnapshot::load(cx, id).await?.since_end());
    }
    Ok(KeyActivity {
        placement,
        zone: cx.zone.label(now),
        key,
        days: days(&events, &names, &cx.zone, now),
        continued: request.before.is_some(),
        older,
    })
}

fn days(events: &[EventListItem], names: &UserNames, zone: &Zone, now: Timestamp) -> Vec<Day> {
    let at = |item: &EventListItem| Timestamp::from_micros(item.event.at);
    let same_day = |a: &EventListItem, b: &EventListItem| zone.day(at(a)) == zone.day(at(b));
    let view = |item: &EventListItem| EventView::new(item, names, zone, zone.clock(at(item)));
    let day = |events: &[EventListItem]| {
        let heading = events.first().map(|first| zone.day_heading(at(first), now)).unwrap_or_default();
        Day { heading, events: events.iter().map(view).collect() }
    };
    events.chunk_by(same_day).map(day).collect()
}
