//! Loads the key list.

use std::collections::HashSet;

use super::cursor;
use super::filter_bar::{FilterBar, Owner};
use super::practice_panel::PracticePanel;
use super::view::{Counts, End, KeyListPage, Row, RowOwner};
use crate::domain::actor::Actor;
use crate::domain::ids::{KeyId, UserId};
use crate::domain::key::lifecycle::KeyEnd;
use crate::domain::timestamp::Timestamp;
use crate::store::{
    CursorPosition, Db, KeyCounts, KeyFilter, KeyListItem, KeyListPage as LoadedList, KeyListQuery, KeyListSlice,
    KeyTab, PageRequest, PracticeState, SortBy, SortOrder, StoreError, UserNames,
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
use crate::web::pages::api_keys::assessed::{assess, assess_due};
use crate::web::pages::api_keys::expiry::Expiry;
use crate::web::pages::api_keys::list_address::{Column, KeyListAddress, Search, Tab};
use crate::web::pages::api_keys::list_filters::Filters;
use crate::web::pages::api_keys::usage::load::as_of;
use crate::web::pages::users;

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
    let owner = owner(cx, &address).await?;
    let query = list_query(cx, &address, paging, now);
    let matches_nothing = matches_nothing(&address.search);
    let sort_by = query.sort_by;
    // Read before the query, so that the query sees everything recorded until then.
    let recorded_until = cx.app.actions.usage.recorded_until();
    let reader = reader.filter(|_| reads_index_start(&query));
    let loaded = reader.and_then(|reader| reader.read(|db| load_inline(db, &query, matches_nothing)));
    let loaded = match loaded.flatten() {
        Some(loaded) => loaded,
        None if matches_nothing => {
            let total = cx.query(move |db| db.keys().count(query.company_id, query.now)).await?;
            found_nothing(total)
        }
        None => load_assessed(cx, query).await?,
    };
    let (total, found) = (counts(loaded.total), counts(loaded.found));
    let first = count(loaded.slice.position).saturating_add(1);
    let pager = pager(&address, sort_by, &loaded.slice, first, found.on(address.tab));
    let summary = &loaded.practice.summary;
    let has_panel = address.tab == Tab::Active && address.lists_all() && address.cursor.is_none() && total.active > 0;
    let you = Owner { id: cx.user.user_id.to_string(), name: cx.user.name.clone() };
    Ok(KeyListPage {
        layout: PageLayout::new(&cx.app, &cx.user),
        filters: FilterBar::new(&address, summary, owner.as_ref(), &you),
        practice: has_panel.then(|| PracticePanel::new(summary, total.active, now)),
        rows: rows(loaded.slice.keys, &loaded.names, &cx.zone, now),
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

/// The owner whose keys are listed.
pub(super) async fn owner(cx: &PageContext, address: &KeyListAddress) -> Result<Option<Owner>, PageError> {
    let Some(id) = address.filters.owner else { return Ok(None) };
    let user = users::load::user(cx, &id.to_string()).await?;
    Ok(Some(Owner { id: user.id.to_string(), name: user.name }))
}

fn pager(address: &KeyListAddress, sort_by: SortBy, slice: &KeyListSlice, first: u64, found: u64) -> Pager {
    let has_previous = slice.position > 0;
    let has_next = first + (slice.keys.len() as u64) <= found;
    let href = |cursor: Option<&str>| address.at(cursor).href();
    let beside = |key: Option<&KeyListItem>, cursor: fn(&CursorPosition) -> String| {
        key.map(|key| href(Some(&cursor(&key.position(sort_by)))))
    };
    let is_long = found > 2 * PAGE_SIZE as u64;
    Pager {
        first: (is_long && has_previous).then(|| href(None)),
        previous: beside(slice.keys.first().filter(|_| has_previous), cursor::before),
        next: beside(slice.keys.last().filter(|_| has_next), cursor::after),
        last: (is_long && has_next).then(|| href(Some(cursor::LAST))),
    }
}

pub(super) fn list_query(
    cx: &PageContext,
    address: &KeyListAddress,
    paging: PageRequest,
    now: Timestamp,
) -> KeyListQuery {
    KeyListQuery {
        company_id: cx.company_id(),
        tab: match address.tab {
            Tab::Active => KeyTab::Active,
            Tab::Revoked => KeyTab::Ended,
        },
        filter: KeyFilter {
            search: match &address.search {
                Search::Text(text) => Some(text.clone()),
                Search::None | Search::WholeKey => None,
            },
            owner: address.filters.owner,
            practice: address.filters.practice,
            expiry: address.filters.expiry,
            usage: address.filters.usage,
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
pub(super) fn matches_nothing(search: &Search) -> bool {
    match search {
        Search::Text(text) => text.contains(char::is_control) || text.chars().count() > MAX_SEARCH_CHARS,
        Search::WholeKey => true,
        Search::None => false,
    }
}

/// Returns whether the rows are the first rows of an index.
fn reads_index_start(query: &KeyListQuery) -> bool {
    matches!(query.paging, PageRequest::First) && query.sort_by != SortBy::Name && query.filter.is_empty()
}

/// Loads a page after keys that are due for it have been assessed.
async fn load_assessed(cx: &PageContext, query: KeyListQuery) -> Result<LoadedList, PageError> {
    let company_id = query.company_id;
    let shows_findings = query.tab == KeyTab::Active;
    if cx.app.actions.store.is_remote() {
        let loaded = load_page(cx, query.clone()).await?;
        if !(shows_findings && loaded.practice.is_due) {
            return Ok(loaded);
        }
        assess_due(cx, company_id).await;
        return load_page(cx, query).await;
    }
    if shows_findings {
        assess(cx, company_id).await?;
    }
    cx.read(move |db| {
        let total = db.keys().count(query.company_id, query.now)?;
        Ok(load_rows(db, query, total)?)
    })
    .await
}

/// Loads a page with one statement, which is one round trip.
async fn load_page(cx: &PageContext, query: KeyListQuery) -> Result<LoadedList, PageError> {
    let page = cx.query(move |db| db.keys().list_page(&query)).await?;
    Ok(page.ok_or_else(|| StoreError::unexpected("the database has no list in one statement"))?)
}

/// Loads the rows, or returns `None` if the company has too many keys for this thread, or keys to assess.
fn load_inline(db: &mut Db<'_>, query: &KeyListQuery, matches_nothing: bool) -> Result<Option<LoadedList>, StoreError> {
    let total = db.keys().count(query.company_id, query.now)?;
    if total.active + total.ended > MAX_KEYS_INLINE {
        return Ok(None);
    }
    if matches_nothing {
        return Ok(Some(found_nothing(total)));
    }
    let loaded = load_rows(db, query.clone(), total)?;
    Ok(Some(loaded).filter(|loaded| query.tab == KeyTab::Ended || !loaded.practice.is_due))
}

/// The list of a search that needs no query.
fn found_nothing(total: KeyCounts) -> LoadedList {
    LoadedList {
        slice: KeyListSlice::default(),
        names: UserNames::new(),
        total,
        found: KeyCounts::default(),
        practice: PracticeState::default(),
    }
}

fn load_rows(db: &mut Db<'_>, mut query: KeyListQuery, total: KeyCounts) -> Result<LoadedList, StoreError> {
    let mut slice = db.keys().list(&query)?;
    if slice.is_short_start(&query) {
        query.paging = PageRequest::First;
        slice = db.keys().list(&query)?;
    }
    let found = if query.filter.is_empty() {
        total
    } else {
        db.keys().count_matching(query.company_id, &query.filter, query.now)?
    };
    let names = db.users().names(query.company_id, slice.keys.iter().flat_map(KeyListItem::users))?;
    let practice = match query.tab {
        KeyTab::Active => db.assessments().state(query.company_id, query.now)?,
        KeyTab::Ended => PracticeState::default(),
    };
    Ok(LoadedList { slice, names, total, found, practice })
}

fn counts(counts: KeyCounts) -> Counts {
    Counts { active: count(counts.active), revoked: count(counts.ended) }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn rows(keys: Vec<KeyListItem>, names: &UserNames, zone: &Zone, now: Timestamp) -> Vec<Row> {
    let replacements: HashSet<KeyId> =
        keys.iter().filter(|key| key.is_being_replaced(now)).filter_map(|key| key.replaced_by).collect();
    let rotation = |key: &KeyListItem| {
        if key.is_being_replaced(now) { Some("Old key") } else { replacements.contains(&key.id).then_some("New key") }
    };
    keys.into_iter().map(|key| Row { rotation: rotation(&key), ..row(key, names, zone, now) }).collect()
}

fn row(key: KeyListItem, names: &UserNames, zone: &Zone, now: Timestamp) -> Row {
    let ends = key.ends();
    let refused = key.refused_after_end;
    let refused = (refused > 0).then(|| format!("{} rejected since", with_thousands(refused)));
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
        rotation: None,
        created_by: actor_view(key.created_by, names),
        owner: (key.created_by.user() != Some(key.owner)).then(|| row_owner(key.owner, names)),
        created: zone.date(key.created_at),
        last_used: key.last_used_at.map(|at| zone.ago(at, now)),
        expires: Expiry::of(ends, zone, now),
        name: key.name,
        purpose: key.purpose,
        preview: key.preview,
        end,
    }
}

fn row_owner(owner: UserId, names: &UserNames) -> RowOwner {
    let filters = Filters { owner: Some(owner), ..Filters::NONE };
    RowOwner {
        view: actor_view(Actor::User(owner), names),
        href: names.contains_key(&owner).then(|| KeyListAddress::filtered(filters).href()),
    }
}
