//! Events of a company's trail by date, user, action and key. Places in the trail are looked for first, each kind of event
//! on the index that has it in order, so that no combination sorts or reads a large trail; the events themselves follow.

use diesel::dsl::{max, min};
use diesel::prelude::*;

use super::Snapshot;
use super::audit::{EventRow, ListedEvent};
use super::connection::AnyBackend;
use super::error::StoreError;
use super::schema::{api_keys, audit_trail_hours, events};
use crate::domain::action::Action;
use crate::domain::ids::CompanyId;
use crate::domain::trail_filter::TrailFilter;
use crate::domain::usage::hour_of;

/// Which part of the events that fit is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrailPaging {
    /// The newest.
    Newest,
    /// The newest of those before a place in the trail.
    Before(i64),
    /// The oldest of those after a place in the trail.
    After(i64),
}

/// A part of a trail, both ends included.
#[derive(Clone, Copy)]
struct Span {
    first: i64,
    last: i64,
}

type Query<'a> = events::BoxedQuery<'a, AnyBackend>;

impl Snapshot<'_> {
    /// At most so many events of a company that fit the filter, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn filtered_events(
        &mut self,
        company_id: CompanyId,
        filter: &TrailFilter,
        paging: TrailPaging,
        limit: i64,
    ) -> Result<Vec<ListedEvent>, StoreError> {
        let trail = company_id.to_string();
        let Some(mut span) = self.span(&trail, filter)? else { return Ok(Vec::new()) };
        let mut forward = false;
        match paging {
            TrailPaging::Newest => {}
            TrailPaging::Before(place) => span.last = span.last.min(place.saturating_sub(1)),
            TrailPaging::After(place) => {
                span.first = span.first.max(place.saturating_add(1));
                forward = true;
            }
        }
        let mut places = self.connection.in_order_of_an_index(|connection| {
            let mut places = Vec::new();
            for action in lists(filter) {
                let query = fitting(&trail, filter, action, span).select(events::sequence).limit(limit);
                let query =
                    if forward { query.order(events::sequence.asc()) } else { query.order(events::sequence.desc()) };
                places.extend(query.load::<i64>(connection)?);
            }
            Ok(places)
        })?;
        places.sort_unstable();
        let wanted = usize::try_from(limit).unwrap_or(0);
        if forward {
            places.truncate(wanted);
        } else {
            places.drain(..places.len().saturating_sub(wanted));
        }
        self.events_at(&trail, places)
    }

    /// How many events of a company, up to a place in its trail, fit the filter.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn count_filtered_events(
        &mut self,
        company_id: CompanyId,
        filter: &TrailFilter,
        up_to: i64,
    ) -> Result<i64, StoreError> {
        let trail = company_id.to_string();
        let Some(mut span) = self.span(&trail, filter)? else { return Ok(0) };
        span.last = span.last.min(up_to);
        if *filter == TrailFilter::default() {
            // A trail has no gaps.
            return Ok(span.last);
        }
        let mut count = 0;
        let dates_alone = filter.actor.is_none() && filter.key.is_none() && filter.actions.is_empty();
        let lists = if dates_alone { every_action() } else { lists(filter) };
        for action in lists {
            let counted: i64 = fitting(&trail, filter, action, span).count().get_result(self.connection)?;
            count += counted;
        }
        Ok(count)
    }

    /// The part of a trail that has all events of these dates; `None` where it has none.
    fn span(&mut self, trail: &str, filter: &TrailFilter) -> Result<Option<Span>, StoreError> {
        if filter.from.is_none() && filter.until.is_none() {
            return Ok(Some(Span { first: 1, last: i64::MAX }));
        }
        let (from, until) = (filter.from.map_or(i64::MIN, hour_of), filter.until.map_or(i64::MAX, hour_of));
        let (first, last): (Option<i64>, Option<i64>) = audit_trail_hours::table
            .filter(audit_trail_hours::trail_id.eq(trail))
            .filter(audit_trail_hours::hour.ge(from))
            .filter(audit_trail_hours::hour.le(until))
            .select((min(audit_trail_hours::first_sequence), max(audit_trail_hours::last_sequence)))
            .first(self.connection)?;
        Ok(first.zip(last).map(|(first, last)| Span { first, last }))
    }

    fn events_at(&mut self, trail: &str, places: Vec<i64>) -> Result<Vec<ListedEvent>, StoreError> {
        let mut rows: Vec<(EventRow, Option<String>)> = events::table
            .left_join(api_keys::table.on(events::key_id.eq(api_keys::id.nullable())))
            .filter(events::trail_id.eq(trail))
            .filter(events::sequence.eq_any(places))
            .select((EventRow::as_select(), api_keys::preview.nullable()))
            .load(self.connection)?;
        rows.sort_unstable_by_key(|(row, _)| std::cmp::Reverse(row.sequence));
        Ok(rows.into_iter().map(|(row, key_preview)| ListedEvent { event: row.into_event().0, key_preview }).collect())
    }
}

/// The lists that, laid together, are what the filter asks for: one of each action where an index has those in order, else
/// a single one.
fn lists(filter: &TrailFilter) -> Vec<Option<Action>> {
    if filter.key.is_some() || (filter.actor.is_none() && filter.actions.is_empty()) {
        vec![None]
    } else if filter.actions.is_empty() {
        every_action()
    } else {
        filter.actions.iter().copied().map(Some).collect()
    }
}

fn every_action() -> Vec<Option<Action>> {
    Action::ALL.iter().copied().map(Some).collect()
}

fn fitting<'a>(trail: &'a str, filter: &TrailFilter, action: Option<Action>, span: Span) -> Query<'a> {
    let mut query = events::table
        .filter(events::trail_id.eq(trail))
        .filter(events::sequence.ge(span.first))
        .filter(events::sequence.le(span.last))
        .into_boxed();
    if let Some(action) = action {
        query = query.filter(events::action.eq(action.as_str()));
    } else if !filter.actions.is_empty() {
        query = query.filter(events::action.eq_any(filter.actions.iter().map(|action| action.as_str())));
    }
    if let Some(actor) = filter.actor {
        query = query.filter(events::actor_id.eq(actor.to_string()));
    }
    if let Some(key) = filter.key {
        query = query.filter(events::key_id.eq(key.to_string()));
    }
    if let Some(from) = filter.from {
        query = query.filter(events::at.ge(from.as_micros()));
    }
    if let Some(until) = filter.until {
        query = query.filter(events::at.le(until.as_micros()));
    }
    query
}
