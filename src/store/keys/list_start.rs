//! The start of the list, with names and counters, in one statement. On PostgreSQL each statement is a round trip.

use diesel::PgConnection;
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use tracing::instrument;

use super::counts::{CountedBuckets, KeyCounts, ended_within};
use super::list_item::{KeyColumns, KeyListItem, UsageColumns};
use super::list_query::{KeyListQuery, KeyTab, filter_keys, sort_keys};
use super::order::{PageRequest, SortBy, SortOrder};
use crate::store::connection::AnyConnection;
use crate::store::db::ApiKeys;
use crate::store::error::StoreError;
use crate::store::schema::{api_keys, key_counts, key_usage, service_accounts, users};
use crate::store::users::UserNames;

/// The first rows of a list that is not searched, the names of their users, and the numbers of keys on the tabs.
#[derive(Clone, Debug)]
pub struct KeyListStart {
    pub keys: Vec<KeyListItem>,
    pub names: UserNames,
    pub counts: KeyCounts,
}

type Row = (
    KeyColumns,
    Option<UsageColumns>,
    (Option<String>, Option<String>, Option<String>),
    (Option<i64>, Option<i64>, Option<i64>),
);

/// A join with the users of the company whose id is in a column.
macro_rules! named {
    ($users:ident, $id:expr) => {
        $users.on($users
            .field(users::company_id)
            .eq(api_keys::company_id)
            .and($users.field(users::id).nullable().eq($id)))
    };
}

impl<A> ApiKeys<'_, A> {
    /// Returns the start of a list, or `None` if it takes several statements: on SQLite, where one statement for all is
    /// slower, and for a tab without keys, whose rows cannot carry the counters.
    #[instrument(name = "db.keys.list_start", level = "debug", skip_all)]
    pub fn list_start(&mut self, query: &KeyListQuery) -> Result<Option<KeyListStart>, StoreError> {
        let is_start = matches!(query.paging, PageRequest::First) && query.search.is_none();
        match self.connection {
            AnyConnection::Postgres(postgres) if is_start && query.sort_by != SortBy::LastUsed => load(postgres, query),
            _ => Ok(None),
        }
    }
}

fn load(connection: &mut PgConnection, query: &KeyListQuery) -> Result<Option<KeyListStart>, StoreError> {
    let (creators, revokers, rotators) = diesel::alias!(users as creators, users as revokers, users as rotators);
    let buckets = CountedBuckets::at(query.now);
    let company_id = query.company_id;
    let its_account = service_accounts::company_id
        .eq(api_keys::company_id)
        .and(service_accounts::id.eq(api_keys::service_account_id));
    let keys = api_keys::table
        .inner_join(service_accounts::table.on(its_account))
        .left_join(key_usage::table.on(key_usage::key_id.eq(api_keys::id)))
        .left_join(named!(creators, api_keys::created_by.nullable()))
        .left_join(named!(revokers, api_keys::revoked_by))
        .left_join(named!(rotators, api_keys::rotated_by))
        .into_boxed::<Pg>();
    let keys = filter_keys!(keys, company_id, query.tab, None::<&str>, query.now);
    let sum = || key_counts::table.select(sql::<Nullable<BigInt>>("CAST(SUM(key_counts.keys) AS BIGINT)"));
    let of_company = key_counts::company_id.eq(company_id);
    let counts = (
        sum().filter(of_company).single_value(),
        sum().filter(of_company).filter(key_counts::stretch.lt(buckets.current)).single_value(),
        ended_within!(company_id, buckets.start, query.now),
    );
    let names = (
        creators.field(users::name).nullable(),
        revokers.field(users::name).nullable(),
        rotators.field(users::name).nullable(),
    );
    let rows: Vec<Row> = sort_keys!(keys, query.sort_by, query.order)
        .limit(query.limit())
        .select((KeyColumns::as_select(), Option::<UsageColumns>::as_select(), names, counts))
        .load(connection)?;
    Ok(start(rows))
}

fn start(rows: Vec<Row>) -> Option<KeyListStart> {
    let (total, ended_before, ended_in_current) = rows.first()?.3;
    let counts = KeyCounts::new(total.unwrap_or(0), ended_before.unwrap_or(0) + ended_in_current.unwrap_or(0));
    let mut names = UserNames::new();
    let keys = rows
        .into_iter()
        .map(|(key, usage, (creator, revoker, rotator), _)| {
            let key = KeyListItem::new(key, usage.unwrap_or_default());
            let users = key.user_columns().into_iter().zip([creator, revoker, rotator]);
            names.extend(users.filter_map(|(id, name)| id.zip(name)));
            key
        })
        .collect();
    Some(KeyListStart { keys, names, counts })
}
