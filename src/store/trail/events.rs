//! Events of audit trails: appended, listed, found by id.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, EventId, KeyId};
use crate::domain::trail::action::Action;
use crate::domain::trail::event::Event;
use crate::domain::trail::merkle::Hash;
use crate::store::connection::AnyConnection;
use crate::store::db::{ReadWrite, Trails};
use crate::store::error::StoreError;
use crate::store::prepared::on_driver;
use crate::store::schema::{api_keys, events};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
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

/// An event, with the preview of the key that it concerns.
#[derive(Clone, Debug)]
pub struct EventListItem {
    pub event: Event,
    pub key_preview: Option<String>,
}

impl EventListItem {
    pub(super) fn new((row, key_preview): (EventRow, Option<String>)) -> Self {
        Self { event: row.into_event().0, key_preview }
    }
}

const DIGEST_RENEWED: &str = Action::ApiKeyDigestRenewed.as_str();

/// A query of the events about keys.
#[derive(Clone, Copy, Debug)]
pub struct KeyActivityQuery {
    pub company_id: CompanyId,
    /// Only events about this key.
    pub key: Option<KeyId>,
    /// Only events with a smaller sequence number.
    pub before: Option<i64>,
    pub limit: i64,
}

impl<A> Trails<'_, A> {
    /// Returns events about keys, the newest first.
    #[instrument(name = "db.trails.key_activity", level = "debug", skip_all)]
    pub fn key_activity(&mut self, query: &KeyActivityQuery) -> Result<Vec<EventListItem>, StoreError> {
        let mut events = events::table
            .left_join(api_keys::table.on(events::key_id.eq(api_keys::id.nullable())))
            .filter(events::trail_id.eq(query.company_id))
            // No user renews a digest, and it changes nothing for a holder of the key. The audit trail shows it.
            .filter(events::action.ne(DIGEST_RENEWED))
            .order(events::sequence.desc())
            .limit(query.limit)
            .select((EventRow::as_select(), api_keys::preview.nullable()))
            .into_boxed();
        events = match query.key {
            None => events.filter(events::about_keys.eq(1)),
            Some(key) => events.filter(events::key_id.eq(key)),
        };
        if let Some(before) = query.before {
            events = events.filter(events::sequence.lt(before));
        }
        Ok(events.load(self.connection)?.into_iter().map(EventListItem::new).collect())
    }

    /// Returns an event of a company's trail.
    #[instrument(name = "db.trails.event", level = "debug", skip_all)]
    pub fn event(&mut self, company_id: CompanyId, id: EventId) -> Result<Option<Event>, StoreError> {
        let row: Option<EventRow> = events::table
            .filter(events::trail_id.eq(company_id))
            .filter(events::id.eq(id))
            .select(EventRow::as_select())
            .first(self.connection)
            .optional()?;
        Ok(row.map(|row| row.into_event().0))
    }
}

impl Trails<'_, ReadWrite> {
    /// Appends an event, with the hash of its leaf.
    #[instrument(name = "db.trails.append", level = "debug", skip_all)]
    pub fn append(&mut self, event: Event, leaf_hash: &Hash) -> Result<(), StoreError> {
        let insert = diesel::insert_into(events::table).values(EventRow::from_event(event, leaf_hash.to_vec()));
        on_driver!(self.connection, |driver| insert.execute(driver))?;
        Ok(())
    }

    /// Appends events with the hashes of their leaves, on PostgreSQL with one statement.
    #[instrument(name = "db.trails.append_all", level = "debug", skip_all)]
    pub fn append_all(&mut self, events: Vec<(Event, Hash)>) -> Result<(), StoreError> {
        let AnyConnection::Postgres(postgres) = &mut *self.connection else {
            return events.into_iter().try_for_each(|(event, leaf_hash)| self.append(event, &leaf_hash));
        };
        let row = |(event, leaf_hash): (Event, Hash)| EventRow::from_event(event, leaf_hash.to_vec());
        let rows: Vec<EventRow> = events.into_iter().map(row).collect();
        diesel::insert_into(events::table).values(rows).execute(postgres)?;
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

    /// The event, and the hash of its leaf.
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
