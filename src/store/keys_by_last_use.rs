//! The list of a company's keys in the order of their last use, which is kept beside the keys.

use diesel::dsl::Eq;
use diesel::helper_types::{InnerJoinOn, IntoBoxed};
use diesel::prelude::*;

use super::Snapshot;
use super::connection::AnyBackend;
use super::error::StoreError;
use super::key_list::{KeyListQuery, KeyTab, only_matching};
use super::key_order::{Place, SortKey, SortOrder};
use super::listed_keys::{ListedKey, ListedRow, UseRow};
use super::schema::{api_keys, key_usage, service_accounts};

type Usage = InnerJoinOn<
    InnerJoinOn<key_usage::table, api_keys::table, Eq<api_keys::id, key_usage::key_id>>,
    service_accounts::table,
    Eq<service_accounts::id, api_keys::service_account_id>,
>;
type UsageQuery = IntoBoxed<'static, Usage, AnyBackend>;

impl Snapshot<'_> {
    pub(super) fn keys_by_last_use(
        &mut self,
        query: &KeyListQuery,
        place: Option<&Place>,
        order: SortOrder,
    ) -> Result<Vec<ListedKey>, StoreError> {
        let mut usage = matching_usage(query);
        if let Some(place) = place {
            usage = beyond(usage, place, order);
        }
        usage = match order {
            SortOrder::Ascending => usage.order((key_usage::last_used_at.asc(), key_usage::key_id.asc())),
            SortOrder::Descending => usage.order((key_usage::last_used_at.desc(), key_usage::key_id.desc())),
        };
        let rows: Vec<(ListedRow, String, UseRow)> = usage
            .limit(query.limit())
            .select((ListedRow::as_select(), service_accounts::name, UseRow::as_select()))
            .load(self.connection)?;
        rows.into_iter().map(|(row, name, used)| row.into_key(name, used)).collect()
    }

    pub(super) fn count_by_last_use_before(&mut self, query: &KeyListQuery, place: &Place) -> Result<i64, StoreError> {
        let before = beyond(matching_usage(query), place, query.order.reversed());
        Ok(before.count().get_result(self.connection)?)
    }
}

fn matching_usage(query: &KeyListQuery) -> UsageQuery {
    let usage = key_usage::table
        .inner_join(api_keys::table.on(api_keys::id.eq(key_usage::key_id)))
        .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
        .into_boxed::<AnyBackend>()
        .filter(key_usage::company_id.eq(query.company_id.to_string()));
    only_matching!(usage, query.company_id, query.tab, query.search.as_deref(), query.now)
}

/// What comes strictly after a place in the order.
fn beyond(usage: UsageQuery, place: &Place, order: SortOrder) -> UsageQuery {
    use key_usage::{key_id, last_used_at};
    let SortKey::LastUsed(at) = place.sort_key else { return usage };
    let (at, row) = (at.as_micros(), place.id.to_string());
    match order {
        SortOrder::Ascending => usage.filter(last_used_at.ge(at).and(last_used_at.gt(at).or(key_id.gt(row)))),
        SortOrder::Descending => usage.filter(last_used_at.le(at).and(last_used_at.lt(at).or(key_id.lt(row)))),
    }
}
