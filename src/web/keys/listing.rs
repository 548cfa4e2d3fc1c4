//! The API Keys page: reads what the address asks for, and loads what is drawn.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

use super::address::{Column, ListAddress, Search, Sort, Tab};
use super::audit_trail::Place as TrailPlace;
use super::expiry::Expiry;
use super::known_use::as_of;
use super::list::{Counts, End, ListBanner, ListPage, Overlay, Row};
use super::{banner, cursor, trail};
use crate::domain::api_key::KeyEnd;
use crate::domain::instant::Instant;
use crate::domain::user::Role;
use crate::edge::body::Fields;
use crate::store::{
    KeyCounts, KeyListQuery, KeyPage, KeyTab, ListedKey, Names, Paging, Place, Snapshot, SortBy, SortOrder, StoreError,
};
use crate::web::at_hand::AtHand;
use crate::web::error::PageError;
use crate::web::guards::SignedIn;
use crate::web::page::{Who, grouped, shortened, who};
use crate::web::paging::{PAGE_SIZE, Pager};
use crate::web::request::Query;
use crate::web::time::Zone;
use crate::web::{Site, blocking, html};

const LONGEST_SEARCH: usize = 256;
/// A company with more keys is listed by threads that may wait: the few keys of a tab can lie behind all those of the other.
const MOST_KEYS_AT_HAND: i64 = 20_000;
/// The list is for finding a key, and the trail has the whole of it.
const COMMENT_IN_A_ROW: usize = 80;

pub(in crate::web) async fn show(
    signed_in: SignedIn,
    query: Query,
    zone: Zone,
    site: Data<Site>,
    at_hand: Data<AtHand>,
) -> Result<HttpResponse, PageError> {
    let (address, paging) = read(&query.0, &site)?;
    let overlay = match query.0.given("audit")? {
        None => Overlay::None,
        Some("open") => {
            let request = trail::Request::read(&query.0, "audit_cursor")?;
            Overlay::AuditTrail(Box::new(
                trail::load(&site, &signed_in, &zone, request, TrailPlace::Drawer(address.clone())).await?,
            ))
        }
        Some(_) => return Err(PageError::NoPage),
    };
    let banner = banner::load(&site, &signed_in, &zone, &query.0).await?;
    let page = load(&site, Some(&at_hand), &signed_in, &zone, address, paging, banner).await?;
    html(StatusCode::OK, &ListPage { overlay, ..page })
}

/// The list as it is reached first, for something to lie over.
pub(super) async fn load_beneath(
    site: &Data<Site>,
    signed_in: &SignedIn,
    zone: &Zone,
    overlay: Overlay,
) -> Result<ListPage, PageError> {
    let page = load(site, None, signed_in, zone, ListAddress::of(Tab::Active), Paging::First, None).await?;
    Ok(ListPage { overlay, ..page })
}

fn read(query: &Fields, site: &Site) -> Result<(ListAddress, Paging), PageError> {
    let tab = query.given("tab")?.map_or(Some(Tab::Active), Tab::parse).ok_or(PageError::NoPage)?;
    let sort = query.given("sort")?;
    let sort = sort.map_or(Some(tab.default_sort()), |sort| Sort::parse(tab, sort)).ok_or(PageError::NoPage)?;
    let search = match query.one("q")?.trim() {
        "" => Search::None,
        text if site.actions.key_format.occurs_in(text) => Search::WholeKey,
        text => Search::Text(text.to_owned()),
    };
    let cursor = query.given("cursor")?;
    let paging = match cursor {
        None => Paging::First,
        Some(cursor) => cursor::read(cursor, sort).ok_or(PageError::NoPage)?,
    };
    Ok((ListAddress { tab, sort, search, cursor: cursor.map(str::to_owned) }, paging))
}

struct Loaded {
    page: KeyPage,
    names: Names,
    total: KeyCounts,
    found: KeyCounts,
}

async fn load(
    site: &Data<Site>,
    at_hand: Option<&AtHand>,
    signed_in: &SignedIn,
    zone: &Zone,
    address: ListAddress,
    paging: Paging,
    banner: Option<ListBanner>,
) -> Result<ListPage, PageError> {
    let now = site.actions.clock.now();
    let query = KeyListQuery {
        company_id: signed_in.company.id,
        tab: match address.tab {
            Tab::Active => KeyTab::Active,
            Tab::Revoked => KeyTab::Ended,
        },
        search: match &address.search {
            Search::Text(text) => Some(text.clone()),
            Search::None | Search::WholeKey => None,
        },
        sort_by: match address.sort.column {
            Column::Name => SortBy::Name,
            Column::Created => SortBy::Created,
            Column::Expires | Column::Revoked => SortBy::Ended,
            Column::LastUsed => SortBy::LastUsed,
        },
        order: if address.sort.descending { SortOrder::Descending } else { SortOrder::Ascending },
        paging,
        page_size: PAGE_SIZE,
        now,
    };
    let finds_nothing = match &address.search {
        // No name is so long, and a control character is part of none.
        Search::Text(text) => text.contains(char::is_control) || text.chars().count() > LONGEST_SEARCH,
        Search::WholeKey => true,
        Search::None => false,
    };
    let sort_by = query.sort_by;
    // Asked before the database is: what was written until then is seen there.
    let recorded_until = site.actions.usage.recorded_until();
    let at_hand = at_hand.filter(|_| begins_an_index(&query));
    let loaded = at_hand.and_then(|at_hand| at_hand.read(|questions| load_at_hand(questions, &query, finds_nothing)));
    let loaded = if let Some(loaded) = loaded.flatten() {
        loaded
    } else {
        let store = site.actions.store.clone();
        let load = move |questions: &mut Snapshot<'_>| {
            let total = questions.count_keys(query.company_id, query.now)?;
            load_rows(questions, query, total, finds_nothing)
        };
        blocking(move || store.read(load)).await?
    };
    let (total, found) = (counts(loaded.total), counts(loaded.found));
    let first = count(loaded.page.position).saturating_add(1);
    let has_next = first + (loaded.page.keys.len() as u64) <= found.on(address.tab);
    let edge = |key: Option<&ListedKey>, cursor: fn(&Place) -> String| {
        key.map(|key| address.at(Some(&cursor(&key.place(sort_by)))).href())
    };
    let pager = Pager {
        previous: edge(loaded.page.keys.first().filter(|_| loaded.page.position > 0), cursor::before),
        next: edge(loaded.page.keys.last().filter(|_| has_next), cursor::after),
    };
    Ok(ListPage {
        shell: site.shell(signed_in),
        rows: loaded.page.keys.into_iter().map(|key| row(key, &loaded.names, zone, now)).collect(),
        address,
        total,
        found,
        first,
        pager,
        can_change: signed_in.role == Role::Admin,
        zone: zone.label(now),
        as_of: as_of(recorded_until, zone, now),
        banner,
        overlay: Overlay::None,
    })
}

/// Whether the rows are the first that some index leads to.
fn begins_an_index(query: &KeyListQuery) -> bool {
    matches!(query.paging, Paging::First) && query.sort_by != SortBy::Name && query.search.is_none()
}

/// The rows, where no more keys lie before them than can be passed over at once.
fn load_at_hand(
    questions: &mut Snapshot<'_>,
    query: &KeyListQuery,
    finds_nothing: bool,
) -> Result<Option<Loaded>, StoreError> {
    let total = questions.count_keys(query.company_id, query.now)?;
    if total.active + total.ended > MOST_KEYS_AT_HAND {
        return Ok(None);
    }
    load_rows(questions, query.clone(), total, finds_nothing).map(Some)
}

fn load_rows(
    questions: &mut Snapshot<'_>,
    mut query: KeyListQuery,
    total: KeyCounts,
    finds_nothing: bool,
) -> Result<Loaded, StoreError> {
    if finds_nothing {
        return Ok(Loaded { page: KeyPage::default(), names: Names::new(), total, found: KeyCounts::default() });
    }
    let mut page = questions.list_keys(&query)?;
    let is_short = page.keys.len() < query.page_size && page.position == 0;
    if matches!(query.paging, Paging::Before(_)) && is_short {
        // Going back reached the beginning with less than a page: the first page is what is meant.
        query.paging = Paging::First;
        page = questions.list_keys(&query)?;
    }
    let found = match &query.search {
        None => total,
        Some(search) => questions.count_found(query.company_id, search, query.now)?,
    };
    let names = questions.names_of(query.company_id, page.keys.iter().flat_map(ListedKey::users))?;
    Ok(Loaded { page, names, total, found })
}

fn counts(counts: KeyCounts) -> Counts {
    Counts { active: count(counts.active), revoked: count(counts.ended) }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn row(key: ListedKey, names: &Names, zone: &Zone, now: Instant) -> Row {
    let ends = key.ends();
    let refused = key.refused_after_end;
    let refused = (refused > 0).then(|| format!("{} refused since", grouped(refused)));
    let end = key.end(now).map(|end| match end {
        KeyEnd::Revoked(revocation) => End {
            by: who(revocation.by, names),
            at: zone.date(revocation.at),
            reason: revocation.reason.label(),
            refused,
            comment: revocation.comment.as_ref().map(|comment| shortened(comment.as_str(), COMMENT_IN_A_ROW)),
        },
        KeyEnd::Expired(at) => {
            End { by: Who::Words("Expired"), at: zone.date(at), reason: "Expired", refused, comment: None }
        }
    });
    Row {
        id: key.id.to_string(),
        status: ends.state(now).as_str(),
        created_by: Who::user(names.get(&key.created_by).cloned()),
        created: zone.date(key.created_at),
        last_used: key.last_used_at.map(|at| zone.ago(at, now)),
        expires: Expiry::of(ends, zone, now),
        name: key.name,
        preview: key.preview,
        end,
    }
}
