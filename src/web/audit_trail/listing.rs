//! The Audit Trail page: loads what its address asks for.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};

use super::asked::Asked;
use super::cursor;
use super::detail::EventDetail;
use super::page::{FilteredKey, Filters, TrailPage};
use super::told::{ToldEvent, people};
use super::witnesses;
use crate::domain::ids::{CompanyId, EventId};
use crate::domain::instant::Instant;
use crate::store::{ListedEvent, Names, Snapshot, StoreError, TrailPaging};
use crate::web::error::PageError;
use crate::web::guards::SignedIn;
use crate::web::paging::{self, PAGE_SIZE, Pager, Reached};
use crate::web::request::Query;
use crate::web::time::Zone;
use crate::web::users::listing::people as users;
use crate::web::{Site, blocking, html};

pub(in crate::web) async fn show(
    signed_in: SignedIn,
    query: Query,
    zone: Zone,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let asked = Asked::read(&site, &signed_in, &zone, &query.0).await?;
    let cursor = query.0.given("cursor")?;
    draw(&site, &signed_in, &zone, asked, cursor, None).await
}

pub(in crate::web) async fn show_event(
    signed_in: SignedIn,
    id: Path<String>,
    query: Query,
    zone: Zone,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let id = EventId::parse(&id).ok_or(PageError::NoPage)?;
    let event = EventDetail::load(&site, &signed_in, &zone, id).await?;
    let asked = Asked::read(&site, &signed_in, &zone, &query.0).await?;
    let cursor = query.0.given("cursor")?;
    draw(&site, &signed_in, &zone, asked, cursor, Some(event)).await
}

/// The page as its address asks for it, with what is wrong: without events where it is a date.
pub(super) async fn refuse(
    site: &Data<Site>,
    signed_in: &SignedIn,
    zone: &Zone,
    asked: Asked,
) -> Result<HttpResponse, PageError> {
    draw(site, signed_in, zone, asked, None, None).await
}

async fn draw(
    site: &Data<Site>,
    signed_in: &SignedIn,
    zone: &Zone,
    asked: Asked,
    cursor: Option<&str>,
    overlay: Option<EventDetail>,
) -> Result<HttpResponse, PageError> {
    let paging = cursor.map_or(Some(TrailPaging::Newest), cursor::read).ok_or(PageError::NoPage)?;
    let is_refused = asked.is_refused();
    let since = asked.since.clone();
    let status = if is_refused || since.error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let found = if is_refused { Found::default() } else { load(site, signed_in.company.id, &asked, paging).await? };
    let exact = |listed: &ListedEvent| {
        ToldEvent::of(listed, &found.names, zone, zone.exact(Instant::from_micros(listed.event.at)))
    };
    let page = TrailPage {
        shell: site.shell(signed_in),
        rows: found.events.iter().map(exact).collect(),
        pager: found.pager,
        address: asked.address(),
        cursor: cursor.map(str::to_owned),
        zone: zone.label(site.actions.clock.now()),
        since,
        filters: filters(site, signed_in, asked).await?,
        witnesses: witnesses::load(site, signed_in.company.id, zone).await?,
        overlay: overlay.filter(|_| !is_refused),
    };
    html(status, &page)
}

#[derive(Default)]
struct Found {
    events: Vec<ListedEvent>,
    names: Names,
    pager: Pager,
}

async fn load(
    site: &Data<Site>,
    company_id: CompanyId,
    asked: &Asked,
    mut paging: TrailPaging,
) -> Result<Found, PageError> {
    let (store, filter, address) = (site.actions.store.clone(), asked.filter.clone(), asked.address());
    blocking(move || {
        store.read(|questions| {
            let mut events = questions.filtered_events(company_id, &filter, paging, paging::limit())?;
            if matches!(paging, TrailPaging::After(_)) && events.len() < PAGE_SIZE {
                // Going back reached the newest with less than a page: the newest page is what is meant.
                paging = TrailPaging::Newest;
                events = questions.filtered_events(company_id, &filter, paging, paging::limit())?;
            }
            let reached = match paging {
                TrailPaging::Newest => Reached::First,
                TrailPaging::Before(_) => Reached::Onwards,
                TrailPaging::After(_) => Reached::Backwards,
            };
            let newer = |listed: &ListedEvent| address.page_href(&cursor::newer_than(listed.event.sequence));
            let older = |listed: &ListedEvent| address.page_href(&cursor::older_than(listed.event.sequence));
            let pager = Pager::cut(&mut events, reached, newer, older);
            let names = names(questions, company_id, &events)?;
            Ok::<_, StoreError>(Found { events, names, pager })
        })
    })
    .await
}

pub(super) fn names(
    questions: &mut Snapshot<'_>,
    company_id: CompanyId,
    events: &[ListedEvent],
) -> Result<Names, StoreError> {
    questions.names_of(company_id, events.iter().flat_map(|listed| people(&listed.event)))
}

async fn filters(site: &Data<Site>, signed_in: &SignedIn, asked: Asked) -> Result<Filters, PageError> {
    let mut people: Vec<_> =
        users(site, signed_in).await?.into_iter().map(|user| (user.id.to_string(), user.name)).collect();
    let mut deleted_user = None;
    if let Some(id) = asked.filter.actor.map(|id| id.to_string())
        && people.iter().all(|(known, _)| *known != id)
    {
        match asked.actor_name {
            Some(name) => people.push((id, name)),
            None => deleted_user = Some(id),
        }
    }
    let key = asked.key.map(|key| FilteredKey { id: key.id.to_string(), name: key.name, preview: key.preview });
    Ok(Filters { from: asked.from, to: asked.to, people, deleted_user, key })
}
