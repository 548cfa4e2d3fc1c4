//! The list of keys in the order of the last use, which is a column of `key_usage`.

use diesel::dsl::Eq;
use diesel::helper_types::{InnerJoinOn, IntoBoxed};
use diesel::prelude::*;

use super::filter::filter_keys;
use super::list_item::{KeyColumns, KeyListItem, UsageColumns};
use super::list_query::{KeyListQuery, KeyTab};
use super::order::{CursorPosition, SortKey, SortOrder};
use crate::store::connection::AnyBackend;
use crate::store::db::ApiKeys;
use crate::store::error::StoreError;
use crate::store::schema::{api_keys, key_usage, service_accounts};

type Usage = InnerJoinOn<
    InnerJoinOn<key_usage::table, api_keys::table, Eq<api_keys::id, key_usage::key_id>>,
    service_accounts::table,
    Eq<service_accounts::id, api_keys::service_account_id>,
>;
type UsageQuery = IntoBoxed<'static, Usage, AnyBackend>;

impl<A> ApiKeys<'_, A> {
    pub(super) fn by_last_use(
        &mut self,
        query: &KeyListQuery,
        position: Option<&CursorPosition>,
        order: SortOrder,
    ) -> Result<Vec<KeyListItem>, StoreError> {
        let mut usage = matching_usage(query);
        if let Some(position) = position {
            usage = beyond(usage, position, order);
        }
        usage = match order {
            SortOrder::Ascending => usage.order((key_usage::last_used_at.asc(), key_usage::key_id.asc())),
            SortOrder::Descending => usage.order((key_usage::last_used_at.desc(), key_usage::key_id.desc())),
        };
        let rows: Vec<(KeyColumns, UsageColumns)> = usage
            .limit(query.limit())
            .select((KeyColumns::as_select(), UsageColumns::as_select()))
            .load(self.connection)?;
        Ok(rows.into_iter().map(|(key, usage)| KeyListItem::new(key, usage)).collect())
    }

    pub(super) fn count_by_last_use_before(
        &mut self,
        query: &KeyListQuery,
        position: &CursorPosition,
    ) -> Result<i64, StoreError> {
        let before = beyond(matching_usage(query), position, query.order.reversed());
        Ok(before.count().get_result(self.connection)?)
    }
}

fn matching_usage(query: &KeyListQuery) -> UsageQuery {
    let usage = key_usage::table
        .inner_join(api_keys::table.on(api_keys::id.eq(key_usage::key_id)))
        .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
        .into_boxed::<AnyBackend>()
        .filter(key_usage::company_id.eq(query.company_id));
    filter_keys!(usage, query.company_id, query.tab, &query.filter, query.now)
}

/// Keeps the rows after a position.
fn beyond(usage: UsageQuery, position: &CursorPosition, order: SortOrder) -> UsageQuery {
    use key_usage::{key_id, last_used_at};
    let SortKey::LastUsed(at) = position.sort_key else { return usage };
    let row = position.id;
    match order {
        SortOrder::Ascending => usage.filter(last_used_at.ge(at).and(last_used_at.gt(at).or(key_id.gt(row)))),
        SortOrder::Descending => usage.filter(last_used_at.le(at).and(last_used_at.lt(at).or(key_id.lt(row)))),
    }
}
