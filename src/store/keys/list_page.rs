//! A page of the list, with names and counters, in one statement. On PostgreSQL each statement is a round trip.

use diesel::PgConnection;
use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use tracing::instrument;

use super::counts::KeyCounts;
use super::list::KeyListSlice;
use super::list_item::{KeyColumns, KeyListItem, UsageColumns};
use super::list_page_sql::{self as page_sql, Position};
use super::list_query::KeyListQuery;
use super::order::{PageRequest, SortOrder};
use crate::store::assessments::PracticeState;
use crate::store::connection::AnyConnection;
use crate::store::db::ApiKeys;
use crate::store::error::StoreError;
use crate::store::users::UserNames;

/// A page of the list, the names of its users, and the numbers of keys.
#[derive(Clone, Debug)]
pub struct KeyListPage {
    pub slice: KeyListSlice,
    pub names: UserNames,
    /// The keys on each tab.
    pub total: KeyCounts,
    /// Those that the filter keeps.
    pub found: KeyCounts,
    pub practice: PracticeState,
}

type Names = (Option<String>, Option<String>, Option<String>, Option<String>);
type CountColumns = (Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>, i64, Option<String>, bool);
type Row = (CountColumns, Option<KeyColumns>, Option<UsageColumns>, Names);

/// The columns that name users, each with the alias of its join.
const USER_COLUMNS: [(&str, &str); 4] =
    [("creators", "created_by"), ("revokers", "revoked_by"), ("rotators", "rotated_by"), ("owners", "owner")];

impl<A> ApiKeys<'_, A> {
    /// Returns a page of the list, or `None` on SQLite, where one statement for all is slower than several.
    #[instrument(name = "db.keys.list_page", level = "debug", skip_all)]
    pub fn list_page(&mut self, query: &KeyListQuery) -> Result<Option<KeyListPage>, StoreError> {
        let AnyConnection::Postgres(postgres) = &mut *self.connection else { return Ok(None) };
        let page = load(postgres, query)?;
        if page.slice.is_short_start(query) {
            return load(postgres, &KeyListQuery { paging: PageRequest::First, ..query.clone() }).map(Some);
        }
        Ok(Some(page))
    }
}

fn load(connection: &mut PgConnection, query: &KeyListQuery) -> Result<KeyListPage, StoreError> {
    let rows: Vec<Row> = PageStatement::new(query).load(connection)?;
    let counts = rows.first().ok_or_else(|| StoreError::unexpected("a list has no counters"))?.0.clone();
    let (total, ended_before, ended_in_current, found_active, found_ended, before, summary, is_due) = counts;
    let total = KeyCounts::new(total.unwrap_or(0), ended_before.unwrap_or(0) + ended_in_current.unwrap_or(0));
    let mut names = UserNames::new();
    let mut keys: Vec<KeyListItem> = rows
        .into_iter()
        .filter_map(|(_, key, usage, (creator, revoker, rotator, owner))| {
            let key = KeyListItem::new(key?, usage.unwrap_or_default());
            let users = key.user_columns().into_iter().zip([creator, revoker, rotator, owner]);
            names.extend(users.filter_map(|(id, name)| id.zip(name)));
            Some(key)
        })
        .collect();
    let read = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    let position = match query.paging {
        PageRequest::Before(_) | PageRequest::Last => before - read,
        _ if keys.is_empty() => 0,
        _ => before,
    };
    if query.paging.is_backwards() {
        keys.reverse();
    }
    let found = if query.filter.is_empty() {
        total
    } else {
        KeyCounts { active: found_active.unwrap_or(0), ended: found_ended.unwrap_or(0) }
    };
    let practice = PracticeState::new(summary.as_deref(), is_due)?;
    Ok(KeyListPage { slice: KeyListSlice { keys, position }, names, total, found, practice })
}

/// The counters, joined with the rows of the page: a page without rows has counters, too.
struct PageStatement {
    query: KeyListQuery,
    sql: page_sql::Values,
    key_columns: AsSelect<Option<KeyColumns>, Pg>,
    usage_columns: AsSelect<Option<UsageColumns>, Pg>,
}

impl PageStatement {
    fn new(query: &KeyListQuery) -> Self {
        Self {
            query: query.clone(),
            sql: page_sql::Values::of(query),
            key_columns: Option::<KeyColumns>::as_select(),
            usage_columns: Option::<UsageColumns>::as_select(),
        }
    }

    fn push_rows<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let query = &self.query;
        out.push_sql("SELECT ");
        self.key_columns.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.usage_columns.walk_ast(out.reborrow())?;
        out.push_sql(", creators.name, revokers.name, rotators.name, owners.name, ");
        out.push_sql(page_sql::sort_column(query.sort_by));
        out.push_sql(" AS sort_key FROM ");
        out.push_sql(page_sql::tables_with_usage(query.sort_by));
        for (alias, column) in USER_COLUMNS {
            out.push_sql(" LEFT JOIN users AS ");
            out.push_sql(alias);
            out.push_sql(" ON ");
            out.push_sql(alias);
            out.push_sql(".company_id = api_keys.company_id AND ");
            out.push_sql(alias);
            out.push_sql(".id = api_keys.");
            out.push_sql(column);
        }
        self.sql.push_filter(out.reborrow(), query, query.tab)?;
        match query.paging {
            PageRequest::First | PageRequest::Last => {}
            PageRequest::After(_) => self.sql.push_position(out.reborrow(), query, Position::After)?,
            PageRequest::Before(_) => self.sql.push_position(out.reborrow(), query, Position::Before)?,
        }
        out.push_sql(" ORDER BY sort_key");
        out.push_sql(direction(query));
        out.push_sql(", ");
        out.push_sql(page_sql::id_column(query.sort_by));
        out.push_sql(direction(query));
        out.push_sql(" LIMIT ");
        out.push_bind_param::<BigInt, _>(self.sql.limit())
    }
}

/// The direction in which the rows are read.
fn direction(query: &KeyListQuery) -> &'static str {
    match if query.paging.is_backwards() { query.order.reversed() } else { query.order } {
        SortOrder::Ascending => " ASC",
        SortOrder::Descending => " DESC",
    }
}

impl QueryId for PageStatement {
    type QueryId = ();
    /// The text of the statement depends on the query, and is the key of the prepared statement.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for PageStatement {
    type SqlType = (
        (
            Nullable<BigInt>,
            Nullable<BigInt>,
            Nullable<BigInt>,
            Nullable<BigInt>,
            Nullable<BigInt>,
            BigInt,
            Nullable<Text>,
            Bool,
        ),
        SqlTypeOf<AsSelect<Option<KeyColumns>, Pg>>,
        SqlTypeOf<AsSelect<Option<UsageColumns>, Pg>>,
        (Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<Text>),
    );
}

impl RunQueryDsl<PgConnection> for PageStatement {}

impl QueryFragment<Pg> for PageStatement {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT counts.*, page.* FROM (SELECT ");
        self.sql.push_counts(out.reborrow(), &self.query)?;
        out.push_sql(") AS counts LEFT JOIN (");
        self.push_rows(out.reborrow())?;
        out.push_sql(") AS page ON TRUE ORDER BY page.sort_key");
        out.push_sql(direction(&self.query));
        out.push_sql(", page.id");
        out.push_sql(direction(&self.query));
        Ok(())
    }
}
