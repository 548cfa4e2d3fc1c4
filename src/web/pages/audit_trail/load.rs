//! Loads the Audit Trail page.

use super::cursor;
use super::filters::TrailQuery;
use super::presets::presets;
use super::view::{FilteredKey, Filters, MAX_COUNTED_EVENTS, Neighbours, TrailPage, TrailTotal};
use crate::actions::Actions;
use crate::domain::actor::Actor;
use crate::domain::ids::CompanyId;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::filter::TrailFilter;
use crate::store::{Db, EventListItem, StoreError, TrailPageRequest, UserNames};
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::components::event::view::{EventView, mentioned_users};
use crate::web::components::layout::PageLayout;
use crate::web::components::paging::{self, PAGE_SIZE, PageDirection, Pager};
use crate::web::pages::users;

/// The filter offers the users who were deleted last.
const MAX_DELETED_USERS: i64 = 50;

#[derive(Default)]
struct LoadedEvents {
    events: Vec<EventListItem>,
    names: UserNames,
    pager: Pager,
    total: TrailTotal,
}

/// Brings the trail up to date before it is shown or exported. If that fails, the trail is shown as it is.
pub async fn report_refused_sign_ins(cx: &PageContext) {
    if let Err(error) = cx.app.perform(Actions::report_refused_sign_ins).await {
        tracing::warn!(%error, "refused sign-ins not reported");
    }
}

/// Loads the page, without events if a date has an error.
pub async fn page(cx: &PageContext, query: TrailQuery, cursor: Option<&str>) -> Result<TrailPage, PageError> {
    let paging = cursor.map_or(Some(TrailPageRequest::Newest), cursor::decode).ok_or(PageError::PageNotFound)?;
    let loaded = if query.has_error() { LoadedEvents::default() } else { load_events(cx, &query, paging).await? };
    let row = |item: &EventListItem| {
        EventView::new(item, &loaded.names, &cx.zone, cx.zone.exact(Timestamp::from_micros(item.event.at)))
    };
    Ok(TrailPage {
        layout: PageLayout::new(&cx.app, &cx.user),
        rows: loaded.events.iter().map(row).collect(),
        pager: loaded.pager,
        total: loaded.total,
        presets: presets(&query.address(), cx.zone.day(cx.now())),
        address: query.address(),
        cursor: cursor.map(str::to_owned),
        zone: cx.zone.label(cx.now()),
        filters: filters(cx, query).await?,
        dialog: None,
    })
}

async fn load_events(
    cx: &PageContext,
    query: &TrailQuery,
    mut paging: TrailPageRequest,
) -> Result<LoadedEvents, PageError> {
    let (company_id, filter, address) = (cx.company_id(), query.filter.clone(), query.address());
    cx.read(move |db| {
        let mut events = db.trails().filtered(company_id, &filter, paging, paging::limit())?;
        if matches!(paging, TrailPageRequest::After(_)) && events.len() < PAGE_SIZE {
            // Paging back reached the newest event with less than a full page: show the newest page.
            paging = TrailPageRequest::Newest;
            events = db.trails().filtered(company_id, &filter, paging, paging::limit())?;
        }
        let direction = match paging {
            TrailPageRequest::Newest => PageDirection::First,
            TrailPageRequest::Before(_) => PageDirection::Forward,
            TrailPageRequest::After(_) => PageDirection::Backward,
        };
        let newer = |item: &EventListItem| address.page_href(&cursor::newer_than(item.event.sequence));
        let older = |item: &EventListItem| address.page_href(&cursor::older_than(item.event.sequence));
        let pager = Pager::trim(&mut events, direction, newer, older);
        let names = names(db, company_id, &events)?;
        let total = match direction {
            PageDirection::First if pager.next.is_none() => TrailTotal::Exactly(events.len() as u64),
            _ => count(db, company_id, &filter)?,
        };
        Ok(LoadedEvents { events, names, pager, total })
    })
    .await
}

/// Counts the matching events, as far as that is cheap.
fn count(db: &mut Db<'_>, company_id: CompanyId, filter: &TrailFilter) -> Result<TrailTotal, StoreError> {
    if *filter == TrailFilter::default() {
        let size = db.trails().head(company_id.into())?.size;
        return Ok(TrailTotal::Exactly(size.unsigned_abs()));
    }
    let count = db.trails().count_some(company_id, filter, MAX_COUNTED_EVENTS + 1)?;
    Ok(if count > MAX_COUNTED_EVENTS { TrailTotal::More } else { TrailTotal::Exactly(count.unsigned_abs()) })
}

/// Returns the addresses of the newer and the older matching event.
pub async fn neighbours(
    cx: &PageContext,
    page: &TrailPage,
    filter: TrailFilter,
    sequence: i64,
) -> Result<Neighbours, PageError> {
    let company_id = cx.company_id();
    let (newer, older) = cx
        .read(move |db| {
            let mut next = |paging| db.trails().filtered(company_id, &filter, paging, 1);
            Ok((next(TrailPageRequest::After(sequence))?, next(TrailPageRequest::Before(sequence))?))
        })
        .await?;
    let href = |found: Vec<EventListItem>, cursor: String| {
        let id = found.into_iter().next()?.event.id;
        // The page behind the drawer stays, unless the event is on another one.
        let is_on_page = page.rows.iter().any(|row| row.id == id);
        let cursor = if is_on_page { page.cursor.clone() } else { Some(cursor) };
        Some(page.address.event_href(&id, cursor.as_deref()))
    };
    Ok(Neighbours {
        newer: href(newer, cursor::newer_than(sequence)),
        older: href(older, cursor::older_than(sequence)),
    })
}

/// Loads the names of the users in these events.
pub fn names(db: &mut Db<'_>, company_id: CompanyId, events: &[EventListItem]) -> Result<UserNames, StoreError> {
    db.users().names(company_id, events.iter().flat_map(|item| mentioned_users(&item.event)))
}

async fn filters(cx: &PageContext, query: TrailQuery) -> Result<Filters, PageError> {
    let users = users::load::possible_owners(cx).await?.into_iter();
    let mut people: Vec<_> = users.map(|user| (user.id.to_string(), user.name)).collect();
    let company_id = cx.company_id();
    let deleted = cx.query(move |db| db.users().deleted(company_id, MAX_DELETED_USERS)).await?.into_iter();
    let label = |at| format!("Deleted user, {}", cx.zone.date(at).text);
    let mut deleted: Vec<_> = deleted.map(|(id, at)| (id.to_string(), label(at))).collect();
    if let Some(id) = query.filter.actor.and_then(Actor::user).map(|id| id.to_string())
        && people.iter().chain(&deleted).all(|(user_id, _)| *user_id != id)
    {
        match query.actor_name {
            Some(name) => people.push((id, name)),
            None => deleted.push((id, "Deleted user".to_owned())),
        }
    }
    let key = query.key.map(|key| FilteredKey { id: key.id.to_string(), name: key.name, preview: key.preview });
    Ok(Filters { from: query.from, to: query.to, people, deleted, key })
}
