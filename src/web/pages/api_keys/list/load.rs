//! Loads the key list.

use super::cursor;
use super::view::{Counts, End, KeyListPage, Row};
use crate::domain::key::lifecycle::KeyEnd;
use crate::domain::timestamp::Timestamp;
use crate::store::{
    CursorPosition, Db, KeyCounts, KeyListItem, KeyListPage as LoadedList, KeyListQuery, KeyListSlice, KeyTab,
    PageRequest, SortBy, SortOrder, StoreError, UserNames,
};
use crate::web::app::error::PageError;
use crate::web::app::inline_reader::InlineReader;
use crate::web::app::page_context::PageContext;
use crate::web::app::text::{truncated, with_thousands};
use crate::web::app::time::zone::Zone;
use crate::web::components::dialog::Dialog;
use crate::web::components::layout::PageLayout;
use crate::web::components::paging::{PAGE_SIZE, Pager};
use crate::web::components::people::{ActorView, actor_view};
use crate::web::pages::api_keys::expiry::Expiry;
use crate::web::pages::api_keys::list_address::{Column, KeyListAddress, Search, Tab};
use crate::web::pages::api_keys::usage::load::as_of;

/// No name is longer than this.
const MAX_SEARCH_CHARS: usize = 256;
/// Larger companies use the blocking pool: the query may skip all keys of one tab to find a few of the other.
const MAX_KEYS_INLINE: i64 = 20_000;
/// The list truncates comments. The trail shows them in full.
const SHOWN_COMMENT_CHARS: usize = 80;

/// Loads the first page of active keys, with a dialog over it.
pub async fn with_dialog(cx: &PageContext, dialog: Dialog) -> Result<KeyListPage, PageError> {
    let page = page(cx, None, KeyListAddress::of(Tab::Active), PageRequest::First).await?;
    Ok(KeyListPage { dialog: Some(dialog), ..page })
}

/// Loads one page of the list. With a `reader`, a page at the start of an index is read on this thread.
pub async fn page(
    cx: &PageContext,
    reader: Option<&InlineReader>,
    address: KeyListAddress,
    paging: PageRequest,
) -> Result<KeyListPage, PageError> {
    let now = cx.now();
    let query = list_query(cx, &address, paging, now);
    let matches_nothing = matches_nothing(&address.search);
    let sort_by = query.sort_by;
    // Read before the query, so that the query sees everything recorded until then.
    let recorded_until = cx.app.actions.usage.recorded_until();
    let reader = reader.filter(|_| reads_index_start(&query));
    let loaded = reader.and_then(|reader| reader.read(|db| load_inline(db, &query, matches_nothing)));
    let loaded = if let Some(loaded) = loaded.flatten() {
        loaded
    } else if matches_nothing {
        let total = cx.query(move |db| db.keys().count(query.company_id, query.now)).await?;
        found_nothing(total)
    } else if cx.app.actions.store.is_remote() {
        load_page(cx, query).await?
    } else {
        cx.read(move |db| {
            let total = db.keys().count(query.company_id, query.now)?;
            Ok(load_rows(db, query, total)?)
        })
        .await?
    };
    let (total, found) = (counts(loaded.total), counts(loaded.found));
    let first = count(loaded.slice.position).saturating_add(1);
    let has_next = first + (loaded.slice.keys.len() as u64) <= found.on(address.tab);
    let page_href = |key: Option<&KeyListItem>, cursor: fn(&CursorPosition) -> String| {
        key.map(|key| address.at(Some(&cursor(&key.position(sort_by)))).href())
    };
    let pager = Pager {
        previous: page_href(loaded.slice.keys.first().filter(|_| loaded.slice.position > 0), cursor::before),
        next: page_href(loaded.slice.keys.last().filter(|_| has_next), cursor::after),
    };
    Ok(KeyListPage {
        layout: PageLayout::new(&cx.app, &cx.user),
        rows: loaded.slice.keys.into_iter().map(|key| row(key, &loaded.names, &cx.zone, now)).collect(),
        address,
        total,
        found,
        first,
        pager,
        can_change: cx.can_change(),
        zone: cx.zone.label(now),
        as_of: as_of(recorded_until, &cx.zone, now),
        banner: None,
        dialog: None,
    })
}

fn list_query(cx: &PageContext, address: &KeyListAddress, paging: PageRequest, now: Timestamp) -> KeyListQuery {
    KeyListQuery {
        company_id: cx.company_id(),
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
    }
}

/// Returns whether a search needs no query. No name is that long or has control characters, and whole keys are not
/// searched.
fn matches_nothing(search: &Search) -> bool {
    match search {
        Search::Text(text) => text.contains(char::is_control) || text.chars().count() > MAX_SEARCH_CHARS,
        Search::WholeKey => true,
        Search::None => false,
    }
}

/// Returns whether the rows are the first rows of an index.
fn reads_index_start(query: &KeyListQuery) -> bool {
    matches!(query.paging, PageRequest::First) && query.sort_by != SortBy::Name && query.search.is_none()
}

/// Loads a page with one statement, which is one round trip.
async fn load_page(cx: &PageContext, query: KeyListQuery) -> Result<LoadedList, PageError> {
    let page = cx.query(move |db| db.keys().list_page(&query)).await?;
    Ok(page.ok_or_else(|| StoreError::unexpected("the database has no list in one statement"))?)
}

/// Loads the rows, or returns `None` if the company has too many keys for this thread.
fn load_inline(db: &mut Db<'_>, query: &KeyListQuery, matches_nothing: bool) -> Result<Option<LoadedList>, StoreError> {
    let total = db.keys().count(query.company_id, query.now)?;
    if total.active + total.ended > MAX_KEYS_INLINE {
        return Ok(None);
    }
    if matches_nothing {
        return Ok(Some(found_nothing(total)));
    }
    load_rows(db, query.clone(), total).map(Some)
}

/// The list of a search that needs no query.
fn found_nothing(total: KeyCounts) -> LoadedList {
    LoadedList { slice: KeyListSlice::default(), names: UserNames::new(), total, found: KeyCounts::default() }
}

fn load_rows(db: &mut Db<'_>, mut query: KeyListQuery, total: KeyCounts) -> Result<LoadedList, StoreError> {
    let mut slice = db.keys().list(&query)?;
    if slice.is_short_start(&query) {
        query.paging = PageRequest::First;
        slice = db.keys().list(&query)?;
    }
    let found = match &query.search {
        None => total,
        Some(search) => db.keys().count_matching(query.company_id, search, query.now)?,
    };
    let names = db.users().names(query.company_id, slice.keys.iter().flat_map(KeyListItem::users))?;
    Ok(LoadedList { slice, names, total, found })
}

fn counts(counts: KeyCounts) -> Counts {
    Counts { active: count(counts.active), revoked: count(counts.ended) }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn row(key: KeyListItem, names: &UserNames, zone: &Zone, now: Timestamp) -> Row {
    let ends = key.ends();
    let refused = key.refused_after_end;
    let refused = (refused > 0).then(|| format!("{} refused since", with_thousands(refused)));
    let end = key.end(now).map(|end| match end {
        KeyEnd::Revoked(revocation) => End {
            by: actor_view(revocation.by, names),
            at: zone.date(revocation.at),
            reason: revocation.reason.label(),
            refused,
            comment: revocation.comment.as_ref().map(|comment| truncated(comment.as_str(), SHOWN_COMMENT_CHARS)),
        },
        KeyEnd::Expired(at) => {
            End { by: ActorView::Label("Expired"), at: zone.date(at), reason: "Expired", refused, comment: None }
        }
    });
    Row {
        id: key.id.to_string(),
        status: ends.state(now).as_str(),
        created_by: actor_view(key.created_by, names),
        created: zone.date(key.created_at),
        last_used: key.last_used_at.map(|at| zone.ago(at, now)),
        expires: Expiry::of(ends, zone, now),
        name: key.name,
        preview: key.preview,
        end,
    }
}
