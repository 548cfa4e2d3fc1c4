//! The list of a company's keys: two tabs, with search, sort order and keyset pagination.

use diesel::helper_types::{InnerJoinOn, IntoBoxed};
use diesel::prelude::*;
use tracing::instrument;

use super::counts::KeyCounts;
use super::filter::{KeyFilter, filter_keys};
use super::list_item::{KeyColumns, KeyListItem, UsageColumns};
use super::list_query::{KeyListQuery, KeyTab, sort_keys};
use super::order::{CursorPosition, PageRequest, SortBy, SortKey, SortOrder};
use crate::domain::ids::CompanyId;
use crate::domain::text::collation;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::AnyBackend;
use crate::store::db::ApiKeys;
use crate::store::error::StoreError;
use crate::store::schema::{api_keys, key_usage, service_accounts};

/// Consecutive rows of the list.
#[derive(Clone, Debug, Default)]
pub struct KeyListSlice {
    pub keys: Vec<KeyListItem>,
    /// The number of rows of the list before these.
    pub position: i64,
}

impl KeyListSlice {
    /// Whether paging back reached the start with less than a full page: the first page is shown then.
    #[must_use]
    pub fn is_short_start(&self, query: &KeyListQuery) -> bool {
        query.paging.is_backwards() && self.position == 0 && self.keys.len() < query.page_size
    }
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

impl<A> ApiKeys<'_, A> {
    /// Counts the keys of a company that a filter keeps, on both tabs.
    #[instrument(name = "db.keys.count_matching", level = "debug", skip_all)]
    pub fn count_matching(
        &mut self,
        company_id: CompanyId,
        filter: &KeyFilter,
        now: Timestamp,
    ) -> Result<KeyCounts, StoreError> {
        let mut count = |tab| matching(company_id, tab, filter, now).count().get_result(self.connection);
        Ok(KeyCounts { active: count(KeyTab::Active)?, ended: count(KeyTab::Ended)? })
    }

    /// Returns one page of the list.
    #[instrument(name = "db.keys.list", level = "debug", skip_all)]
    pub fn list(&mut self, query: &KeyListQuery) -> Result<KeyListSlice, StoreError> {
        let (backwards, position) = (query.paging.is_backwards(), query.paging.position());
        let order = if backwards { query.order.reversed() } else { query.order };
        let mut keys = match query.sort_by {
            SortBy::LastUsed => self.by_last_use(query, position, order)?,
            _ => self.load_sorted(query, position, order)?,
        };
        if backwards {
            keys.reverse();
        }
        let first =
            keys.first().filter(|_| query.paging != PageRequest::First).map(|first| first.position(query.sort_by));
        let position = match first {
            None => 0,
            Some(first) if query.sort_by == SortBy::LastUsed => self.count_by_last_use_before(query, &first)?,
            Some(first) => self.count_before(query, &first)?,
        };
        Ok(KeyListSlice { keys, position })
    }

    fn load_sorted(
        &mut self,
        query: &KeyListQuery,
        position: Option<&CursorPosition>,
        order: SortOrder,
    ) -> Result<Vec<KeyListItem>, StoreError> {
        let mut rows = sort_keys!(matching_query(query), query.sort_by, order);
        if let Some(position) = position {
            rows = beyond(rows, position, order);
        }
        // Every key has a row in `key_usage`. A left join keeps the planner from starting there, which would lose the
        // order.
        let rows: Vec<(KeyColumns, Option<UsageColumns>)> = rows
            .left_join(key_usage::table.on(key_usage::key_id.eq(api_keys::id)))
            .limit(query.limit())
            .select((KeyColumns::as_select(), Option::<UsageColumns>::as_select()))
            .load(self.connection)?;
        Ok(rows.into_iter().map(|(key, usage)| KeyListItem::new(key, usage.unwrap_or_default())).collect())
    }

    fn count_before(&mut self, query: &KeyListQuery, position: &CursorPosition) -> Result<i64, StoreError> {
        let before = beyond(matching_query(query), position, query.order.reversed());
        Ok(before.count().get_result(self.connection)?)
    }
}

fn matching_query(query: &KeyListQuery) -> KeysQuery {
    matching(query.company_id, query.tab, &query.filter, query.now)
}

fn matching(company_id: CompanyId, tab: KeyTab, filter: &KeyFilter, now: Timestamp) -> KeysQuery {
    let its_account = service_accounts::company_id
        .eq(api_keys::company_id)
        .and(service_accounts::id.eq(api_keys::service_account_id));
    let keys = api_keys::table.inner_join(service_accounts::table.on(its_account)).into_boxed::<AnyBackend>();
    filter_keys!(keys, company_id, tab, filter, now)
}

/// Keeps the rows after a position. The first half of each condition lets the index start there.
fn beyond(keys: KeysQuery, position: &CursorPosition, order: SortOrder) -> KeysQuery {
    use SortOrder::{Ascending, Descending};
    use api_keys::{created_at, ended_at, id};
    use service_accounts::name_sort_key;
    let row = position.id;
    match (&position.sort_key, order) {
        (&SortKey::Created(at), Ascending) => keys.filter(created_at.ge(at).and(created_at.gt(at).or(id.gt(row)))),
        (&SortKey::Created(at), Descending) => keys.filter(created_at.le(at).and(created_at.lt(at).or(id.lt(row)))),
        (&SortKey::Ended(at), Ascending) => keys.filter(ended_at.ge(at).and(ended_at.gt(at).or(id.gt(row)))),
        (&SortKey::Ended(at), Descending) => keys.filter(ended_at.le(at).and(ended_at.lt(at).or(id.lt(row)))),
        (SortKey::Name(name), Ascending) => {
            let key = collation::sort_key(name);
            keys.filter(name_sort_key.ge(key.clone()).and(name_sort_key.gt(key).or(id.gt(row))))
        }
        (SortKey::Name(name), Descending) => {
            let key = collation::sort_key(name);
            keys.filter(name_sort_key.le(key.clone()).and(name_sort_key.lt(key).or(id.lt(row))))
        }
        (SortKey::LastUsed(_), _) => keys,
    }
}
