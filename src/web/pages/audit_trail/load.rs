//! Loads the Audit Trail page.

use super::cursor;
use super::filters::TrailQuery;
use super::view::{FilteredKey, Filters, TrailPage};
use super::{state_check, witnesses};
use crate::domain::ids::CompanyId;
use crate::domain::timestamp::Timestamp;
use crate::store::{Db, EventListItem, StoreError, TrailPageRequest, UserNames};
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::components::event::view::{EventView, mentioned_users};
use crate::web::components::layout::PageLayout;
use crate::web::components::paging::{self, PAGE_SIZE, PageDirection, Pager};
use crate::web::pages::users;

#[derive(Default)]
struct LoadedEvents {
    events: Vec<EventListItem>,
    names: UserNames,
    pager: Pager,
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
        address: query.address(),
        cursor: cursor.map(str::to_owned),
        zone: cx.zone.label(cx.now()),
        since: query.since.clone(),
        filters: filters(cx, query).await?,
        witnesses: witnesses::load(cx).await?,
        state_check: state_check::load(cx),
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
        Ok(LoadedEvents { events, names, pager })
    })
    .await
}

/// Loads the names of the users in these events.
pub fn names(db: &mut Db<'_>, company_id: CompanyId, events: &[EventListItem]) -> Result<UserNames, StoreError> {
    db.users().names(company_id, events.iter().flat_map(|item| mentioned_users(&item.event)))
}

async fn filters(cx: &PageContext, query: TrailQuery) -> Result<Filters, PageError> {
    let users = users::load::possible_owners(cx).await?.into_iter();
    let mut people: Vec<_> = users.map(|user| (user.id.to_string(), user.name)).collect();
    let mut deleted_user = None;
    if let Some(id) = query.filter.actor.map(|id| id.to_string())
        && people.iter().all(|(user_id, _)| *user_id != id)
    {
        match query.actor_name {
            Some(name) => people.push((id, name)),
            None => deleted_user = Some(id),
        }
    }
    let key = query.key.map(|key| FilteredKey { id: key.id.to_string(), name: key.name, preview: key.preview });
    Ok(Filters { from: query.from, to: query.to, people, deleted_user, key })
}
