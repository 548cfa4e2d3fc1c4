//! The list of a company's keys: two tabs, counted, searched, sorted and paged by key set.

use diesel::helper_types::{InnerJoinOn, IntoBoxed};
use diesel::prelude::*;

use super::Snapshot;
use super::connection::AnyBackend;
use super::error::StoreError;
use super::keys::{KeyRow, StoredKey};
use super::schema::{api_keys, service_accounts};
use crate::domain::ids::{CompanyId, KeyId};
use crate::domain::instant::Instant;
use crate::domain::text;

/// Which keys are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyTab {
    /// Those that are good now.
    Active,
    /// Those that have ended: revoked or expired.
    Ended,
}

impl KeyTab {
    /// The tab that this is not.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Active => Self::Ended,
            Self::Ended => Self::Active,
        }
    }
}

/// Where a row stands in an order: the value that it is sorted by. One of these also names the order itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// By creation.
    Created(Instant),
    /// By the instant of the end, come or to come.
    Ended(Instant),
    /// By the folded name.
    Name(String),
}

/// What the list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortBy {
    /// Creation.
    Created,
    /// The instant of the end, come or to come.
    Ended,
    /// The name.
    Name,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortOrder {
    /// Oldest or first letter first.
    Ascending,
    /// Newest or last letter first.
    Descending,
}

impl SortOrder {
    const fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// A place between two rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The row's sort key.
    pub sort_key: SortKey,
    /// The row's id, which decides between equal sort keys.
    pub id: KeyId,
}

/// Which page of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paging {
    /// The first.
    First,
    /// The rows that follow this one.
    After(Place),
    /// The rows that come before this one.
    Before(Place),
}

/// What is asked of the list.
#[derive(Clone, Debug)]
pub struct KeyListQuery {
    /// The company.
    pub company_id: CompanyId,
    /// Which keys.
    pub tab: KeyTab,
    /// Only keys whose name or preview contains this.
    pub search: Option<String>,
    /// Sorted by what.
    pub sort_by: SortBy,
    /// Which way.
    pub order: SortOrder,
    /// Which page.
    pub paging: Paging,
    /// Rows to a page.
    pub page_size: usize,
    /// Now: it decides what has ended.
    pub now: Instant,
}

/// One page of the list and what it is a part of.
#[derive(Clone, Debug)]
pub struct KeyPage {
    /// The rows.
    pub keys: Vec<StoredKey>,
    /// How many rows of the same list come before them.
    pub position: i64,
    /// How many rows the list has, all pages together.
    pub total: i64,
}

type Keys = InnerJoinOn<
    api_keys::table,
    service_accounts::table,
    diesel::dsl::And<
        diesel::dsl::Eq<service_accounts::company_id, api_keys::company_id>,
        diesel::dsl::Eq<service_accounts::id, api_keys::service_account_id>,
    >,
>;
type KeysQuery = IntoBoxed<'static, Keys, AnyBackend>;

impl Snapshot<'_> {
    /// How many keys a company has on that tab; with `search`, how many of them match.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn count_keys(
        &mut self,
        company_id: CompanyId,
        tab: KeyTab,
        search: Option<&str>,
        now: Instant,
    ) -> Result<i64, StoreError> {
        let Some(search) = search else {
            let keys = api_keys::table.filter(api_keys::company_id.eq(company_id.to_string()));
            return Ok(match tab {
                KeyTab::Active => {
                    keys.filter(api_keys::refused_from.gt(now.as_micros())).count().get_result(self.connection)
                }
                KeyTab::Ended => {
                    keys.filter(api_keys::refused_from.le(now.as_micros())).count().get_result(self.connection)
                }
            }?);
        };
        Ok(matching(company_id, tab, Some(search), now).count().get_result(self.connection)?)
    }

    /// One page of the list.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn list_keys(&mut self, query: &KeyListQuery) -> Result<KeyPage, StoreError> {
        let total = self.count_keys(query.company_id, query.tab, query.search.as_deref(), query.now)?;
        let (backwards, place) = match &query.paging {
            Paging::First => (false, None),
            Paging::After(place) => (false, Some(place)),
            Paging::Before(place) => (true, Some(place)),
        };
        let order = if backwards { query.order.reversed() } else { query.order };
        let mut rows = sorted(matching_query(query), query.sort_by, order);
        if let Some(place) = place {
            rows = beyond(rows, place, order);
        }
        let rows: Vec<(KeyRow, String)> = rows
            .limit(i64::try_from(query.page_size).unwrap_or(i64::MAX))
            .select((KeyRow::as_select(), service_accounts::name))
            .load(self.connection)?;
        let mut keys = rows.into_iter().map(|(row, name)| row.into_key(name)).collect::<Result<Vec<_>, _>>()?;
        if backwards {
            keys.reverse();
        }
        let position = match keys.first() {
            Some(first) if place.is_some() => self.count_before(query, &place_of(first, query.sort_by))?,
            _ => 0,
        };
        Ok(KeyPage { keys, position, total })
    }

    fn count_before(&mut self, query: &KeyListQuery, place: &Place) -> Result<i64, StoreError> {
        let before = beyond(matching_query(query), place, query.order.reversed());
        Ok(before.count().get_result(self.connection)?)
    }
}

fn matching_query(query: &KeyListQuery) -> KeysQuery {
    matching(query.company_id, query.tab, query.search.as_deref(), query.now)
}

/// The place of a row in an order.
#[must_use]
pub fn place_of(key: &StoredKey, sort_by: SortBy) -> Place {
    let ended = key.ends().first();
    let sort_key = match sort_by {
        SortBy::Created => SortKey::Created(key.created_at),
        SortBy::Ended => SortKey::Ended(ended.unwrap_or(Instant::from_micros(i64::MAX))),
        SortBy::Name => SortKey::Name(text::folded(&key.name)),
    };
    Place { sort_key, id: key.id }
}

fn matching(company_id: CompanyId, tab: KeyTab, search: Option<&str>, now: Instant) -> KeysQuery {
    let its_account = service_accounts::company_id
        .eq(api_keys::company_id)
        .and(service_accounts::id.eq(api_keys::service_account_id));
    let mut keys = api_keys::table
        .inner_join(service_accounts::table.on(its_account))
        .into_boxed::<AnyBackend>()
        .filter(api_keys::company_id.eq(company_id.to_string()));
    keys = match tab {
        KeyTab::Active => keys.filter(api_keys::refused_from.gt(now.as_micros())),
        KeyTab::Ended => keys.filter(api_keys::refused_from.le(now.as_micros())),
    };
    if let Some(search) = search {
        let pattern = containing(search);
        let in_name = service_accounts::name_folded.like(pattern.clone()).escape('\\');
        keys = keys.filter(in_name.or(api_keys::preview_folded.like(pattern).escape('\\')));
    }
    keys
}

/// The pattern for `LIKE` that finds `search` anywhere in a folded text.
fn containing(search: &str) -> String {
    let mut pattern = String::from("%");
    for character in text::folded(search).chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

fn sorted(keys: KeysQuery, sort_by: SortBy, order: SortOrder) -> KeysQuery {
    match (sort_by, order) {
        (SortBy::Created, SortOrder::Ascending) => keys.order((api_keys::created_at.asc(), api_keys::id.asc())),
        (SortBy::Created, SortOrder::Descending) => keys.order((api_keys::created_at.desc(), api_keys::id.desc())),
        (SortBy::Ended, SortOrder::Ascending) => keys.order((api_keys::ended_at.asc(), api_keys::id.asc())),
        (SortBy::Ended, SortOrder::Descending) => keys.order((api_keys::ended_at.desc(), api_keys::id.desc())),
        (SortBy::Name, SortOrder::Ascending) => keys.order((service_accounts::name_folded.asc(), api_keys::id.asc())),
        (SortBy::Name, SortOrder::Descending) => {
            keys.order((service_accounts::name_folded.desc(), api_keys::id.desc()))
        }
    }
}

/// What comes strictly after a place in an order. The first half of each condition is what an index can start from.
fn beyond(keys: KeysQuery, place: &Place, order: SortOrder) -> KeysQuery {
    use SortOrder::{Ascending, Descending};
    use api_keys::{created_at, ended_at, id};
    use service_accounts::name_folded;
    let row = place.id.to_string();
    match (&place.sort_key, order) {
        (SortKey::Created(at), Ascending) => {
            let at = at.as_micros();
            keys.filter(created_at.ge(at).and(created_at.gt(at).or(id.gt(row))))
        }
        (SortKey::Created(at), Descending) => {
            let at = at.as_micros();
            keys.filter(created_at.le(at).and(created_at.lt(at).or(id.lt(row))))
        }
        (SortKey::Ended(at), Ascending) => {
            let at = at.as_micros();
            keys.filter(ended_at.ge(at).and(ended_at.gt(at).or(id.gt(row))))
        }
        (SortKey::Ended(at), Descending) => {
            let at = at.as_micros();
            keys.filter(ended_at.le(at).and(ended_at.lt(at).or(id.lt(row))))
        }
        (SortKey::Name(name), Ascending) => {
            keys.filter(name_folded.ge(name.clone()).and(name_folded.gt(name.clone()).or(id.gt(row))))
        }
        (SortKey::Name(name), Descending) => {
            keys.filter(name_folded.le(name.clone()).and(name_folded.lt(name.clone()).or(id.lt(row))))
        }
    }
}
