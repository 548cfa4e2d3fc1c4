//! Appends events to the trail.

use super::change::Change;
use crate::domain::ids::EventId;
use crate::domain::trail::event::{Event, EventDraft};
use crate::domain::trail::event_detail::DetailJson;
use crate::domain::trail::merkle::{Hash, leaf_hash};
use crate::random;
use crate::store::StoreError;

impl Change<'_, '_> {
    /// Appends an event to the trail and returns its id.
    pub(super) fn append_event(&mut self, draft: EventDraft) -> Result<EventId, StoreError> {
        let (id, event, leaf) = self.next_event(draft);
        self.tx.trails().append(event, &leaf)?;
        Ok(id)
    }

    /// Appends several events to the trail.
    pub(super) fn append_events(&mut self, drafts: impl IntoIterator<Item = EventDraft>) -> Result<(), StoreError> {
        let next = |draft| {
            let (_, event, leaf) = self.next_event(draft);
            (event, leaf)
        };
        let events = drafts.into_iter().map(next).collect();
        self.tx.trails().append_all(events)
    }

    /// Makes a draft the next event, with the hash of its leaf, which the tree holds afterwards.
    fn next_event(&mut self, draft: EventDraft) -> (EventId, Event, Hash) {
        let DetailJson { before, after } = draft.detail.to_json();
        let id = EventId::new(self.now, &random::bytes());
        let event = Event {
            trail_id: self.trail.to_string(),
            sequence: i64::try_from(self.tree.size()).unwrap_or(i64::MAX).saturating_add(1),
            id: id.to_string(),
            at: self.now.as_micros(),
            action: draft.detail.action().to_owned(),
            actor_type: self.actor.kind().to_owned(),
            actor_id: self.actor.user().map(|user| user.to_string()),
            key_id: draft.target.key().map(|key| key.to_string()),
            target_type: draft.target.kind().to_owned(),
            target_id: draft.target.to_string(),
            before,
            after,
            reason: draft.reason.map(|reason| reason.as_str().to_owned()),
            comment: draft.comment.map(|comment| comment.as_str().to_owned()),
            client_address: self.client.address.map(|address| address.to_string()),
            user_agent: self.client.user_agent.clone(),
            request_id: self.client.request_id.clone(),
        };
        let leaf = leaf_hash(&event.canonical_bytes());
        self.tree.push(leaf);
        (id, event, leaf)
    }
}
