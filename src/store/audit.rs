//! The audit trail's rows: heads and events, appended, read in order, looked up.

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::{api_keys, audit_trail_hours, audit_trails, events};
use super::{Snapshot, Transaction};
use crate::domain::event::Event;
use crate::domain::ids::{CompanyId, EventId, KeyId, TrailId};
use crate::domain::merkle::Hash;
use crate::domain::trail_check::TrailHead;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = events)]
pub(super) struct EventRow {
    trail_id: String,
    pub(super) sequence: i64,
    id: String,
    at: i64,
    action: String,
    actor_type: String,
    actor_id: Option<String>,
    key_id: Option<String>,
    target_type: String,
    target_id: String,
    before_json: Option<String>,
    after_json: Option<String>,
    reason: Option<String>,
    comment: Option<String>,
    client_address: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
    leaf_hash: Vec<u8>,
}

/// An event with what the tables say today of the key it concerns.
#[derive(Clone, Debug)]
pub struct ListedEvent {
    /// The event.
    pub event: Event,
    /// The preview of its key.
    pub key_preview: Option<String>,
}

/// Which events of a company's trail the drawer shows.
#[derive(Clone, Copy, Debug)]
pub struct AuditPage {
    /// The company.
    pub company_id: CompanyId,
    /// Only events of this key.
    pub key: Option<KeyId>,
    /// Only events before this place in the trail.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
}

impl Snapshot<'_> {
    /// The head of a trail.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn trail_head(&mut self, trail: TrailId) -> Result<TrailHead, StoreError> {
        let (size, frontier, checkpoint) = audit_trails::table
            .filter(audit_trails::id.eq(trail.to_string()))
            .select((audit_trails::size, audit_trails::frontier, audit_trails::checkpoint))
            .first(self.connection)?;
        Ok(TrailHead { size, frontier, checkpoint })
    }

    /// Events about keys, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn events_about_keys(&mut self, page: &AuditPage) -> Result<Vec<ListedEvent>, StoreError> {
        let mut query = events::table
            .left_join(api_keys::table.on(events::key_id.eq(api_keys::id.nullable())))
            .filter(events::trail_id.eq(page.company_id.to_string()))
            .order(events::sequence.desc())
            .limit(page.limit)
            .select((EventRow::as_select(), api_keys::preview.nullable()))
            .into_boxed();
        query = match page.key {
            None => query.filter(events::about_keys.eq(1)),
            Some(key) => query.filter(events::key_id.eq(key.to_string())),
        };
        if let Some(before) = page.before {
            query = query.filter(events::sequence.lt(before));
        }
        let rows: Vec<(EventRow, Option<String>)> = query.load(self.connection)?;
        Ok(rows.into_iter().map(|(row, key_preview)| ListedEvent { event: row.into_event().0, key_preview }).collect())
    }

    /// One event of a company's trail.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn event(&mut self, company_id: CompanyId, id: EventId) -> Result<Option<Event>, StoreError> {
        let row: Option<EventRow> = events::table
            .filter(events::trail_id.eq(company_id.to_string()))
            .filter(events::id.eq(id.to_string()))
            .select(EventRow::as_select())
            .first(self.connection)
            .optional()?;
        Ok(row.map(|row| row.into_event().0))
    }
}

impl Transaction<'_> {
    /// Begins a trail.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn insert_trail(&mut self, trail: TrailId, head: &TrailHead) -> Result<(), StoreError> {
        diesel::insert_into(audit_trails::table)
            .values((
                audit_trails::id.eq(trail.to_string()),
                audit_trails::size.eq(head.size),
                audit_trails::frontier.eq(&head.frontier),
                audit_trails::checkpoint.eq(&head.checkpoint),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Takes the head of a trail for this transaction: whoever wants to change the same company waits until it ends.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn lock_trail(&mut self, trail: TrailId) -> Result<TrailHead, StoreError> {
        diesel::update(audit_trails::table.filter(audit_trails::id.eq(trail.to_string())))
            .set(audit_trails::size.eq(audit_trails::size))
            .execute(self.connection)?;
        self.trail_head(trail)
    }

    /// Stores the head of a trail after events were appended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn update_trail(&mut self, trail: TrailId, head: &TrailHead) -> Result<(), StoreError> {
        diesel::update(audit_trails::table.filter(audit_trails::id.eq(trail.to_string())))
            .set((
                audit_trails::size.eq(head.size),
                audit_trails::frontier.eq(&head.frontier),
                audit_trails::checkpoint.eq(&head.checkpoint),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Notes that the events of a trail after one place and up to another are of that hour.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_hour(&mut self, trail: TrailId, hour: i64, after: i64, last: i64) -> Result<(), StoreError> {
        if last == after {
            return Ok(());
        }
        let noted = audit_trail_hours::table
            .filter(audit_trail_hours::trail_id.eq(trail.to_string()))
            .filter(audit_trail_hours::hour.eq(hour));
        let known = diesel::update(noted).set(audit_trail_hours::last_sequence.eq(last)).execute(self.connection)?;
        if known == 0 {
            diesel::insert_into(audit_trail_hours::table)
                .values((
                    audit_trail_hours::trail_id.eq(trail.to_string()),
                    audit_trail_hours::hour.eq(hour),
                    audit_trail_hours::first_sequence.eq(after + 1),
                    audit_trail_hours::last_sequence.eq(last),
                ))
                .execute(self.connection)?;
        }
        Ok(())
    }

    /// Appends an event.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn insert_event(&mut self, event: Event, leaf_hash: &Hash) -> Result<(), StoreError> {
        diesel::insert_into(events::table)
            .values(EventRow::from_event(event, leaf_hash.to_vec()))
            .execute(self.connection)?;
        Ok(())
    }
}

impl EventRow {
    fn from_event(event: Event, leaf_hash: Vec<u8>) -> Self {
        Self {
            trail_id: event.trail_id,
            sequence: event.sequence,
            id: event.id,
            at: event.at,
            action: event.action,
            actor_type: event.actor_type,
            actor_id: event.actor_id,
            key_id: event.key_id,
            target_type: event.target_type,
            target_id: event.target_id,
            before_json: event.before,
            after_json: event.after,
            reason: event.reason,
            comment: event.comment,
            client_address: event.client_address,
            user_agent: event.user_agent,
            request_id: event.request_id,
            leaf_hash,
        }
    }

    pub(super) fn into_event(self) -> (Event, Vec<u8>) {
        let event = Event {
            trail_id: self.trail_id,
            sequence: self.sequence,
            id: self.id,
            at: self.at,
            action: self.action,
            actor_type: self.actor_type,
            actor_id: self.actor_id,
            key_id: self.key_id,
            target_type: self.target_type,
            target_id: self.target_id,
            before: self.before_json,
            after: self.after_json,
            reason: self.reason,
            comment: self.comment,
            client_address: self.client_address,
            user_agent: self.user_agent,
            request_id: self.request_id,
        };
        (event, self.leaf_hash)
    }
}
