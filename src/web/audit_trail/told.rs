//! An event told in a sentence, the same wherever it is drawn: in the drawer, on a key's page, on the Audit Trail page.

use serde_json::Value;

pub use super::sentence::Part;
use super::sentence::Telling;
use crate::domain::action::Action;
use crate::domain::actor::Actor;
use crate::domain::api_key::RevocationReason;
use crate::domain::event::Event;
use crate::domain::ids::UserId;
use crate::store::{ListedEvent, Names};
use crate::web::page::{ShownTime, Who, who};
use crate::web::time::Zone;

/// What happened: “{who} revoked {name}”.
#[derive(Clone, Debug)]
pub struct ToldEvent {
    pub id: String,
    /// Its word in the trail.
    pub action: String,
    /// The key that it happened to, where it happened to one.
    pub key_id: Option<String>,
    pub preview: Option<String>,
    /// The service account's name then; the new one where it was renamed.
    pub name: String,
    pub who: Who,
    /// Somebody did it; it did not come about by itself.
    pub has_actor: bool,
    /// What follows whoever did it; where nobody did, the whole sentence.
    pub sentence: Vec<Part>,
    /// What else is to be said of it.
    pub aside: Vec<Part>,
    pub at: ShownTime,
    pub address: Option<String>,
    /// Why, in words, where a reason was given.
    pub reason: Option<&'static str>,
    pub comment: Option<String>,
}

impl ToldEvent {
    pub(in crate::web) fn of(listed: &ListedEvent, names: &Names, zone: &Zone, at: ShownTime) -> Self {
        let event = &listed.event;
        let action = Action::parse(&event.action);
        let reason = event.reason.as_deref().and_then(RevocationReason::parse);
        let telling = Telling { event, names, zone };
        Self {
            id: event.id.clone(),
            action: event.action.clone(),
            key_id: event.key_id.clone(),
            preview: listed.key_preview.clone(),
            name: event.subject_name().unwrap_or_default(),
            who: who(actor(event), names),
            has_actor: !matches!(
                action,
                Some(Action::ApiKeyExpired | Action::ApiKeyRefusedAfterRevocation | Action::UserSignInRefused)
            ),
            sentence: telling.sentence(action),
            aside: telling.aside(action),
            at,
            address: event.client_address.clone(),
            reason: reason.filter(|reason| *reason != RevocationReason::Unspecified).map(RevocationReason::label),
            comment: event.comment.clone(),
        }
    }

    /// What happened, where this version of Keydesk knows it.
    pub(in crate::web) fn act(&self) -> Option<Action> {
        Action::parse(&self.action)
    }
}

/// Who did it.
pub(in crate::web) fn actor(event: &Event) -> Actor {
    Actor::parse(&event.actor_type, event.actor_id.as_deref()).unwrap_or(Actor::System)
}

/// Who did it, and to whom.
pub(in crate::web) fn actor_and_target(event: &Event) -> impl Iterator<Item = UserId> {
    let target = Some(&event.target_id).filter(|_| event.target_type == "user");
    event.actor_id.iter().chain(target).filter_map(|id| UserId::parse(id))
}

/// The users that an event speaks of.
pub(in crate::web) fn people(event: &Event) -> Vec<UserId> {
    let mut people: Vec<UserId> = actor_and_target(event).collect();
    for json in [&event.before, &event.after].into_iter().flatten() {
        let said: Value = serde_json::from_str(json).unwrap_or_default();
        let ids = ["owner", "new_owner", "rotated_by", "user"].into_iter().filter_map(|name| said.get(name)?.as_str());
        people.extend(ids.filter_map(UserId::parse));
    }
    people
}
