//! The parts of the statement that reads a page of the list on PostgreSQL: tables, filter, positions and counters.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::AstPass;
use diesel::sql_types::{BigInt, Binary, Text};

use super::counts::CountedBuckets;
use super::filter::{self, ExpiryFilter, UsageFilter};
use super::list_query::{KeyListQuery, KeyTab};
use super::order::{CursorPosition, PageRequest, SortBy, SortKey, SortOrder};
use crate::domain::ids::KeyId;
use crate::domain::practice::finding::Findings;
use crate::domain::text::collation;
use crate::domain::timestamp::Timestamp;

/// Rows on one side of the position of a page.
#[derive(Clone, Copy)]
pub(super) enum Position {
    After,
    Before,
    /// Those before, and the row at the position.
    UpTo,
}

/// The values that the statement binds, apart from those of the query.
pub(super) struct Values {
    buckets: CountedBuckets,
    limit: i64,
    text_pattern: Option<String>,
    preview_pattern: Option<String>,
    findings: Option<i64>,
    soon: Timestamp,
    idle_since: Timestamp,
    position: Option<(SortValue, KeyId)>,
}

enum SortValue {
    Time(Timestamp),
    Name(Vec<u8>),
}

impl Values {
    pub(super) fn of(query: &KeyListQuery) -> Self {
        let position = query.paging.position();
        Self {
            buckets: CountedBuckets::at(query.now),
            limit: query.limit(),
            text_pattern: query.filter.search.as_deref().map(filter::text_pattern),
            preview_pattern: query.filter.search.as_deref().and_then(filter::preview_pattern),
            findings: query.filter.practice.map(|practice| Findings::of(practice).bits()),
            soon: filter::soon(query.now),
            idle_since: filter::idle_since(query.now),
            position: position.map(|CursorPosition { sort_key, id }| (SortValue::of(sort_key), *id)),
        }
    }

    pub(super) const fn limit(&self) -> &i64 {
        &self.limit
    }

    /// Keeps the keys of the company that are on a tab and that the search finds, as `filter_keys` does.
    pub(super) fn push_filter<'b>(
        &'b self,
        mut out: AstPass<'_, 'b, Pg>,
        query: &'b KeyListQuery,
        tab: KeyTab,
    ) -> QueryResult<()> {
        out.push_sql(" WHERE api_keys.company_id = ");
        out.push_bind_param::<Text, _>(&query.company_id)?;
        if query.sort_by == SortBy::LastUsed {
            out.push_sql(" AND key_usage.company_id = ");
            out.push_bind_param::<Text, _>(&query.company_id)?;
        }
        out.push_sql(match tab {
            KeyTab::Active => " AND api_keys.refused_from > ",
            KeyTab::Ended => " AND api_keys.refused_from <= ",
        });
        out.push_bind_param::<BigInt, _>(&query.now)?;
        self.push_search(out.reborrow(), query)?;
        if let Some(owner) = &query.filter.owner {
            out.push_sql(" AND api_keys.owner = ");
            out.push_bind_param::<Text, _>(owner)?;
        }
        if let Some(findings) = &self.findings {
            out.push_sql(
                " AND EXISTS (SELECT 1 FROM key_assessments WHERE key_assessments.key_id = api_keys.id \
                 AND key_assessments.findings & ",
            );
            out.push_bind_param::<BigInt, _>(findings)?;
            out.push_sql(" <> 0)");
        }
        match query.filter.expiry {
            None => {}
            Some(ExpiryFilter::Soon) => {
                out.push_sql(" AND api_keys.expires_at <= ");
                out.push_bind_param::<BigInt, _>(&self.soon)?;
            }
            Some(ExpiryFilter::Never) => out.push_sql(" AND api_keys.expires_at IS NULL"),
        }
        let of_key = " AND EXISTS (SELECT 1 FROM key_usage AS filtered_usage WHERE filtered_usage.key_id = api_keys.id";
        match query.filter.usage {
            None => {}
            Some(UsageFilter::Never) => {
                out.push_sql(of_key);
                out.push_sql(" AND filtered_usage.last_used_at = 0)");
            }
            Some(UsageFilter::Idle) => {
                out.push_sql(of_key);
                out.push_sql(" AND filtered_usage.last_used_at > 0 AND filtered_usage.last_used_at <= ");
                out.push_bind_param::<BigInt, _>(&self.idle_since)?;
                out.push_sql(")");
            }
        }
        Ok(())
    }

    fn push_search<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>, query: &'b KeyListQuery) -> QueryResult<()> {
        let Some(text) = &self.text_pattern else { return Ok(()) };
        out.push_sql(" AND (service_accounts.name_search LIKE ");
        out.push_bind_param::<Text, _>(text)?;
        out.push_sql(" ESCAPE '\\'");
        out.push_sql(" OR service_accounts.purpose_search LIKE ");
        out.push_bind_param::<Text, _>(text)?;
        out.push_sql(" ESCAPE '\\'");
        for column in [" OR api_keys.owner", " OR api_keys.created_by"] {
            out.push_sql(column);
            out.push_sql(" IN (SELECT people.id FROM users AS people WHERE people.company_id = ");
            out.push_bind_param::<Text, _>(&query.company_id)?;
            out.push_sql(" AND people.name_search LIKE ");
            out.push_bind_param::<Text, _>(text)?;
            out.push_sql(" ESCAPE '\\')");
        }
        if let Some(preview) = &self.preview_pattern {
            out.push_sql(" OR api_keys.preview_folded LIKE ");
            out.push_bind_param::<Text, _>(preview)?;
            out.push_sql(" ESCAPE '\\'");
        }
        out.push_sql(")");
        Ok(())
    }

    /// Keeps the rows on one side of the position. The first half of each condition lets the index start there.
    pub(super) fn push_position<'b>(
        &'b self,
        mut out: AstPass<'_, 'b, Pg>,
        query: &KeyListQuery,
        side: Position,
    ) -> QueryResult<()> {
        let Some((value, id)) = &self.position else { return Ok(()) };
        let column = sort_column(query.sort_by);
        let is_greater = matches!(side, Position::After) == (query.order == SortOrder::Ascending);
        let (or_equal, beyond) = if is_greater { (" >= ", " > ") } else { (" <= ", " < ") };
        let id_beyond = match (side, is_greater) {
            (Position::UpTo, true) => " >= ",
            (Position::UpTo, false) => " <= ",
            _ => beyond,
        };
        out.push_sql(" AND ");
        out.push_sql(column);
        out.push_sql(or_equal);
        value.push(out.reborrow())?;
        out.push_sql(" AND (");
        out.push_sql(column);
        out.push_sql(beyond);
        value.push(out.reborrow())?;
        out.push_sql(" OR ");
        out.push_sql(id_column(query.sort_by));
        out.push_sql(id_beyond);
        out.push_bind_param::<Text, _>(id)?;
        out.push_sql(")");
        Ok(())
    }

    /// All keys; those that ended before the current bucket, and in it; those that the filter keeps on each tab; the rows
    /// before the page, or before the position that the page leads to; the findings of the company, and whether some are due.
    pub(super) fn push_counts<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>, query: &'b KeyListQuery) -> QueryResult<()> {
        let sum = "(SELECT CAST(SUM(key_counts.keys) AS BIGINT) FROM key_counts WHERE key_counts.company_id = ";
        out.push_sql(sum);
        out.push_bind_param::<Text, _>(&query.company_id)?;
        out.push_sql("), ");
        out.push_sql(sum);
        out.push_bind_param::<Text, _>(&query.company_id)?;
        out.push_sql(" AND key_counts.stretch < ");
        out.push_bind_param::<BigInt, _>(&self.buckets.current)?;
        out.push_sql("), (SELECT COUNT(*) FROM api_keys AS ended_keys WHERE ended_keys.company_id = ");
        out.push_bind_param::<Text, _>(&query.company_id)?;
        out.push_sql(" AND ended_keys.ended_at BETWEEN ");
        out.push_bind_param::<BigInt, _>(&self.buckets.start)?;
        out.push_sql(" AND ");
        out.push_bind_param::<BigInt, _>(&query.now)?;
        out.push_sql(" AND ended_keys.refused_from >= ");
        out.push_bind_param::<BigInt, _>(&self.buckets.start)?;
        out.push_sql(")");
        for tab in [KeyTab::Active, KeyTab::Ended] {
            out.push_sql(", ");
            if query.filter.is_empty() {
                out.push_sql("CAST(NULL AS BIGINT)");
            } else {
                self.push_count(out.reborrow(), query, tab, None)?;
            }
        }
        out.push_sql(", ");
        match query.paging {
            PageRequest::First => out.push_sql("CAST(0 AS BIGINT)"),
            PageRequest::Last => self.push_count(out.reborrow(), query, query.tab, None)?,
            PageRequest::After(_) => self.push_count(out.reborrow(), query, query.tab, Some(Position::UpTo))?,
            PageRequest::Before(_) => self.push_count(out.reborrow(), query, query.tab, Some(Position::Before))?,
        }
        out.push_sql(
            ", (SELECT practice_summaries.summary FROM practice_summaries WHERE practice_summaries.company_id = ",
        );
        out.push_bind_param::<Text, _>(&query.company_id)?;
        out.push_sql("), EXISTS (SELECT 1 FROM assessment_queue WHERE assessment_queue.company_id = ");
        out.push_bind_param::<Text, _>(&query.company_id)?;
        out.push_sql(") OR EXISTS (SELECT 1 FROM key_assessments AS due WHERE due.company_id = ");
        out.push_bind_param::<Text, _>(&query.company_id)?;
        out.push_sql(" AND due.due_at <= ");
        out.push_bind_param::<BigInt, _>(&query.now)?;
        out.push_sql(")");
        Ok(())
    }

    /// Counts the keys on a tab, all of them or those on one side of the position.
    fn push_count<'b>(
        &'b self,
        mut out: AstPass<'_, 'b, Pg>,
        query: &'b KeyListQuery,
        tab: KeyTab,
        side: Option<Position>,
    ) -> QueryResult<()> {
        out.push_sql("(SELECT COUNT(*) FROM ");
        out.push_sql(tables(query.sort_by));
        self.push_filter(out.reborrow(), query, tab)?;
        if let Some(side) = side {
            self.push_position(out.reborrow(), query, side)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

impl SortValue {
    fn of(key: &SortKey) -> Self {
        match key {
            SortKey::Created(at) | SortKey::Ended(at) | SortKey::LastUsed(at) => Self::Time(*at),
            SortKey::Name(name) => Self::Name(collation::sort_key(name)),
        }
    }

    fn push<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self {
            Self::Time(at) => out.push_bind_param::<BigInt, _>(at),
            Self::Name(key) => out.push_bind_param::<Binary, _>(key),
        }
    }
}

/// The tables that the rows are filtered and sorted by.
fn tables(sort_by: SortBy) -> &'static str {
    match sort_by {
        SortBy::LastUsed => tables_with_usage(sort_by),
        SortBy::Created | SortBy::Ended | SortBy::Name => {
            "api_keys JOIN service_accounts ON service_accounts.company_id = api_keys.company_id \
             AND service_accounts.id = api_keys.service_account_id"
        }
    }
}

/// The same, and the usage. Every key has a row in `key_usage`: a left join keeps the planner from starting there, which
/// would lose the order.
pub(super) fn tables_with_usage(sort_by: SortBy) -> &'static str {
    match sort_by {
        SortBy::LastUsed => {
            "key_usage JOIN api_keys ON api_keys.id = key_usage.key_id \
             JOIN service_accounts ON service_accounts.id = api_keys.service_account_id"
        }
        SortBy::Created | SortBy::Ended | SortBy::Name => {
            "api_keys JOIN service_accounts ON service_accounts.company_id = api_keys.company_id \
             AND service_accounts.id = api_keys.service_account_id \
             LEFT JOIN key_usage ON key_usage.key_id = api_keys.id"
        }
    }
}

pub(super) fn sort_column(sort_by: SortBy) -> &'static str {
    match sort_by {
        SortBy::Created => "api_keys.created_at",
        SortBy::Ended => "api_keys.ended_at",
        SortBy::Name => "service_accounts.name_sort_key",
        SortBy::LastUsed => "key_usage.last_used_at",
    }
}

/// Breaks ties between equal sort keys. The index of the last use ends with the id in `key_usage`.
pub(super) fn id_column(sort_by: SortBy) -> &'static str {
    match sort_by {
        SortBy::LastUsed => "key_usage.key_id",
        SortBy::Created | SortBy::Ended | SortBy::Name => "api_keys.id",
    }
}
