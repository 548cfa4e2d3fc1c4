//! Events of a company's trail by date, user, action and key. Sequence numbers are looked up first, each kind of
//! event on an index that holds it in order, so that no combination of filters sorts or reads a large trail. The
//! events follow.

use diesel::dsl::{max, min};
use diesel::prelude::*;
use tracing::instrument;

use super::events::{EventListItem, EventRow};
use crate::domain::actor::Actor;
use crate::domain::ids::CompanyId;
use crate::domain::key::usage::hour_of;
use crate::domain::trail::action::Action;
use crate::domain::trail::filter::TrailFilter;
use crate::store::connection::AnyBackend;
use crate::store::db::Trails;
use crate::store::error::StoreError;
use crate::store::schema::{api_keys, audit_trail_hours, events};

/// The page of the matching events that a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrailPageRequest {
    Newest,
    /// The newest events with smaller sequence numbers.
    Before(i64),
    /// The oldest events with larger sequence numbers.
    After(i64),
}

/// Sequence numbers of a trail, both ends included.
#[derive(Clone, Copy)]
struct Span {
    first: i64,
    last: i64,
}

type Query<'a> = events::BoxedQuery<'a, AnyBackend>;

impl<A> Trails<'_, A> {
    /// Returns at most `limit` events of a company that match the filter, the newest first.
    #[instrument(name = "db.trails.filtered", level = "debug", skip_all)]
    pub fn filtered(
        &mut self,
        company_id: CompanyId,
        filter: &TrailFilter,
        paging: TrailPageRequest,
        limit: i64,
    ) -> Result<Vec<EventListItem>, StoreError> {
        let sequences = self.sequences(company_id, filter, paging, limit)?;
        self.by_sequence(company_id, sequences)
    }

    /// Counts the events of a company that match the filter, up to `limit`.
    #[instrument(name = "db.trails.count_some", level = "debug", skip_all)]
    pub fn count_some(&mut self, company_id: CompanyId, filter: &TrailFilter, limit: i64) -> Result<i64, StoreError> {
        let found = self.sequences(company_id, filter, TrailPageRequest::Newest, limit)?;
        Ok(i64::try_from(found.len()).unwrap_or(limit))
    }

    /// Returns the sequence numbers of at most `limit` matching events, in ascending order.
    fn sequences(
        &mut self,
        company_id: CompanyId,
        filter: &TrailFilter,
        paging: TrailPageRequest,
        limit: i64,
    ) -> Result<Vec<i64>, StoreError> {
        let Some(mut span) = self.span(company_id, filter)? else { return Ok(Vec::new()) };
        let mut forward = false;
        match paging {
            TrailPageRequest::Newest => {}
            TrailPageRequest::Before(sequence) => span.last = span.last.min(sequence.saturating_sub(1)),
            TrailPageRequest::After(sequence) => {
                span.first = span.first.max(sequence.saturating_add(1));
                forward = true;
            }
        }
        let mut sequences = self.connection.with_index_order(|connection| {
            let mut sequences = Vec::new();
            for action in action_lists(filter) {
                let query = matching(company_id, filter, action, span).select(events::sequence).limit(limit);
                // PostgreSQL sees no order behind `IS NULL` unless the column is in it.
                let query = match (is_by_no_user(filter), forward) {
                    (false, true) => query.order(events::sequence.asc()),
                    (false, false) => query.order(events::sequence.desc()),
                    (true, true) => query.order((events::actor_id.asc(), events::sequence.asc())),
                    (true, false) => query.order((events::actor_id.desc(), events::sequence.desc())),
                };
                sequences.extend(query.load::<i64>(connection)?);
            }
            Ok(sequences)
        })?;
        sequences.sort_unstable();
        let limit = usize::try_from(limit).unwrap_or(0);
        if forward {
            sequences.truncate(limit);
        } else {
            sequences.drain(..sequences.len().saturating_sub(limit));
        }
        Ok(sequences)
    }

    /// Counts the events of a company that match the filter, up to a sequence number.
    #[instrument(name = "db.trails.count_filtered", level = "debug", skip_all)]
    pub fn count_filtered(
        &mut self,
        company_id: CompanyId,
        filter: &TrailFilter,
        up_to: i64,
    ) -> Result<i64, StoreError> {
        let Some(mut span) = self.span(company_id, filter)? else { return Ok(0) };
        span.last = span.last.min(up_to);
        if *filter == TrailFilter::default() {
            // A trail has no gaps.
            return Ok(span.last);
        }
        let has_only_dates = filter.actor.is_none() && filter.key.is_none() && filter.actions.is_empty();
        let lists = if has_only_dates { every_action() } else { action_lists(filter) };
        let mut total = 0;
        for action in lists {
            let count: i64 = matching(company_id, filter, action, span).count().get_result(self.connection)?;
            total += count;
        }
        Ok(total)
    }

    /// Returns the smallest part of the trail that holds all events of the filter's dates; `None` if there are none.
    fn span(&mut self, company_id: CompanyId, filter: &TrailFilter) -> Result<Option<Span>, StoreError> {
        if filter.from.is_none() && filter.until.is_none() {
            return Ok(Some(Span { first: 1, last: i64::MAX }));
        }
        let (from, until) = (filter.from.map_or(i64::MIN, hour_of), filter.until.map_or(i64::MAX, hour_of));
        let (first, last): (Option<i64>, Option<i64>) = audit_trail_hours::table
            .filter(audit_trail_hours::trail_id.eq(company_id))
            .filter(audit_trail_hours::hour.ge(from))
            .filter(audit_trail_hours::hour.le(until))
            .select((min(audit_trail_hours::first_sequence), max(audit_trail_hours::last_sequence)))
            .first(self.connection)?;
        Ok(first.zip(last).map(|(first, last)| Span { first, last }))
    }

    fn by_sequence(&mut self, company_id: CompanyId, sequences: Vec<i64>) -> Result<Vec<EventListItem>, StoreError> {
        let mut rows: Vec<(EventRow, Option<String>)> = events::table
            .left_join(api_keys::table.on(events::key_id.eq(api_keys::id.nullable())))
            .filter(events::trail_id.eq(company_id))
            .filter(events::sequence.eq_any(sequences))
            .select((EventRow::as_select(), api_keys::preview.nullable()))
            .load(self.connection)?;
        rows.sort_unstable_by_key(|(row, _)| std::cmp::Reverse(row.sequence));
        Ok(rows.into_iter().map(EventListItem::new).collect())
    }
}

/// Whether the index of actors is searched for events of an actor that is not a user.
fn is_by_no_user(filter: &TrailFilter) -> bool {
    filter.key.is_none() && filter.actor.is_some_and(|actor| actor.user().is_none())
}

/// Splits a filter into queries that an index answers in order: one for each action where an index leads with the
/// action, a single one otherwise.
fn action_lists(filter: &TrailFilter) -> Vec<Option<Action>> {
    if filter.key.is_some() || (filter.actor.is_none() && filter.actions.is_empty()) {
        return vec![None];
    }
    let actions = if filter.actions.is_empty() { Action::ALL } else { &filter.actions };
    actions.iter().copied().filter(|action| may_cause(filter.actor, *action)).map(Some).collect()
}

/// Whether the actor can cause events of this action. Without it, a filter for the command line would read every event
/// that Keydesk itself recorded: the index does not hold the types of actors that are not users.
fn may_cause(actor: Option<Actor>, action: Action) -> bool {
    match actor {
        Some(Actor::System) => action.is_automatic() || action == Action::ApiKeyRevoked,
        Some(Actor::KeyHolder | Actor::LeakReport) => action == Action::ApiKeyRevoked,
        Some(Actor::CommandLine) => !action.is_automatic(),
        Some(Actor::User(_)) | None => true,
    }
}

fn every_action() -> Vec<Option<Action>> {
    Action::ALL.iter().copied().map(Some).collect()
}

fn matching<'a>(company_id: CompanyId, filter: &TrailFilter, action: Option<Action>, span: Span) -> Query<'a> {
    let mut query = events::table
        .filter(events::trail_id.eq(company_id))
        .filter(events::sequence.ge(span.first))
        .filter(events::sequence.le(span.last))
        .into_boxed();
    if let Some(action) = action {
        query = query.filter(events::action.eq(action));
    } else if !filter.actions.is_empty() {
        query = query.filter(events::action.eq_any(filter.actions.clone()));
    }
    match filter.actor {
        Some(Actor::User(id)) => query = query.filter(events::actor_id.eq(id)),
        Some(other) => query = query.filter(events::actor_id.is_null()).filter(events::actor_type.eq(other.kind())),
        None => {}
    }
    if let Some(key) = filter.key {
        query = query.filter(events::key_id.eq(key));
    }
    if let Some(from) = filter.from {
        query = query.filter(events::at.ge(from));
    }
    if let Some(until) = filter.until {
        query = query.filter(events::at.le(until));
    }
    query
}
