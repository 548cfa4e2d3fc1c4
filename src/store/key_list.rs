//! The list of a company's keys: two tabs, searched, sorted and paged by key set.

use diesel::helper_types::{InnerJoinOn, IntoBoxed};
use diesel::prelude::*;

use super::Snapshot;
use super::connection::AnyBackend;
use super::error::StoreError;
use super::key_counts::KeyCounts;
use super::key_order::{Paging, Place, SortBy, SortKey, SortOrder};
use super::listed_keys::{ListedKey, ListedRow, UseRow};
use super::schema::{api_keys, key_usage, service_accounts};
use crate::domain::ids::CompanyId;
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

/// One page of the list.
#[derive(Clone, Debug, Default)]
pub struct KeyPage {
    /// The rows.
    pub keys: Vec<ListedKey>,
    /// How many rows of the same list come before them.
    pub position: i64,
}

/// Narrows a boxed query of keys and their service accounts, whatever else is joined to them: as a function it would be
/// written once for each join.
macro_rules! only_matching {
    ($keys:expr, $company_id:expr, $tab:expr, $search:expr, $now:expr) => {{
        let mut keys = $keys.filter(api_keys::company_id.eq($company_id.to_string()));
        keys = match $tab {
            KeyTab::Active => keys.filter(api_keys::refused_from.gt($now.as_micros())),
            KeyTab::Ended => keys.filter(api_keys::refused_from.le($now.as_micros())),
        };
        if let Some(search) = $search {
            let pattern = $crate::store::key_list::containing(search);
            let in_name = service_accounts::name_folded.like(pattern.clone()).escape('\\');
            keys = keys.filter(in_name.or(api_keys::preview_folded.like(pattern).escape('\\')));
        }
        keys
    }};
}
pub(super) use only_matching;

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
    /// How many keys of a company a search finds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn count_found(&mut self, company_id: CompanyId, search: &str, now: Instant) -> Result<KeyCounts, StoreError> {
        let mut on = |tab| matching(company_id, tab, Some(search), now).count().get_result(self.connection);
        Ok(KeyCounts { active: on(KeyTab::Active)?, ended: on(KeyTab::Ended)? })
    }

    /// One page of the list.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn list_keys(&mut self, query: &KeyListQuery) -> Result<KeyPage, StoreError> {
        let (backwards, place) = match &query.paging {
            Paging::First => (false, None),
            Paging::After(place) => (false, Some(place)),
            Paging::Before(place) => (true, Some(place)),
        };
        let order = if backwards { query.order.reversed() } else { query.order };
        let mut keys = match query.sort_by {
            SortBy::LastUsed => self.keys_by_last_use(query, place, order)?,
            _ => self.sorted_keys(query, place, order)?,
        };
        if backwards {
            keys.reverse();
        }
        let first = keys.first().filter(|_| place.is_some()).map(|first| first.place(query.sort_by));
        let position = match first {
            None => 0,
            Some(first) if query.sort_by == SortBy::LastUsed => self.count_by_last_use_before(query, &first)?,
            Some(first) => self.count_before(query, &first)?,
        };
        Ok(KeyPage { keys, position })
    }

    fn sorted_keys(
        &mut self,
        query: &KeyListQuery,
        place: Option<&Place>,
        order: SortOrder,
    ) -> Result<Vec<ListedKey>, StoreError> {
        let mut rows = sorted(matching_query(query), query.sort_by, order);
        if let Some(place) = place {
            rows = beyond(rows, place, order);
        }
        // Every key has a row of its use. Joined from the left, that table cannot come first and cost the order.
        let rows: Vec<(ListedRow, String, Option<UseRow>)> = rows
            .left_join(key_usage::table.on(key_usage::key_id.eq(api_keys::id)))
            .limit(query.limit())
            .select((ListedRow::as_select(), service_accounts::name, Option::<UseRow>::as_select()))
            .load(self.connection)?;
        rows.into_iter().map(|(row, name, used)| row.into_key(name, used.unwrap_or_default())).collect()
    }

    fn count_before(&mut self, query: &KeyListQuery, place: &Place) -> Result<i64, StoreError> {
        let before = beyond(matching_query(query), place, query.order.reversed());
        Ok(before.count().get_result(self.connection)?)
    }
}

impl KeyListQuery {
    pub(super) fn limit(&self) -> i64 {
        i64::try_from(self.page_size).unwrap_or(i64::MAX)
    }
}

fn matching_query(query: &KeyListQuery) -> KeysQuery {
    matching(query.company_id, query.tab, query.search.as_deref(), query.now)
}

fn matching(company_id: CompanyId, tab: KeyTab, search: Option<&str>, now: Instant) -> KeysQuery {
    let its_account = service_accounts::company_id
        .eq(api_keys::company_id)
        .and(service_accounts::id.eq(api_keys::service_account_id));
    let keys = api_keys::table.inner_join(service_accounts::table.on(its_account)).into_boxed::<AnyBackend>();
    only_matching!(keys, company_id, tab, search, now)
}

/// The pattern for `LIKE` that finds `search` anywhere in a folded text.
pub(super) fn containing(search: &str) -> String {
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
        // That order is another table's, see `keys_by_last_use`.
        (SortBy::LastUsed, _) => keys,
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
        (SortKey::LastUsed(_), _) => keys,
    }
}
