//! The view of an event, as a key's page, its activity and the audit trail show it.

use crate::domain::actor::Actor;
use crate::domain::ids::UserId;
use crate::domain::key::lifecycle::RevocationReason;
use crate::domain::trail::action::Action;
use crate::domain::trail::event::Event;
use crate::store::{EventListItem, UserNames};
use crate::web::app::time::view::TimeView;
use crate::web::app::time::zone::Zone;
use crate::web::components::event::text::{EventText, Part};
use crate::web::components::people::{ActorView, actor_view};

/// An event as a sentence: “{actor} revoked {name}”.
#[derive(Clone, Debug)]
pub struct EventView {
    pub id: String,
    /// The action as the trail stores it. May be unknown to this version.
    pub action: String,
    /// Set if the event is about a key.
    pub key_id: Option<String>,
    pub preview: Option<String>,
    /// The name of the service account when the event happened; after a rename, the new name.
    pub name: String,
    pub actor: ActorView,
    /// False for events that no actor caused, such as an expiry. Their sentence is complete without an actor.
    pub has_actor: bool,
    /// What follows the actor; the whole sentence if `has_actor` is false.
    pub sentence: Vec<Part>,
    /// Further details, after the sentence.
    pub aside: Vec<Part>,
    pub at: TimeView,
    pub address: Option<String>,
    /// The label of the reason, if the user gave one.
    pub reason: Option<&'static str>,
    pub comment: Option<String>,
}

impl EventView {
    pub fn new(item: &EventListItem, names: &UserNames, zone: &Zone, at: TimeView) -> Self {
        let event = &item.event;
        let action = Action::parse(&event.action);
        let detail = event.detail();
        let text = EventText { event, detail: &detail, names, zone };
        Self {
            id: event.id.clone(),
            action: event.action.clone(),
            key_id: event.key_id.clone(),
            preview: item.key_preview.clone(),
            name: detail.name().unwrap_or_default(),
            actor: actor_view(actor(event), names),
            has_actor: !matches!(
                action,
                Some(Action::ApiKeyExpired | Action::ApiKeyRefusedAfterRevocation | Action::UserSignInRefused)
            ),
            sentence: text.sentence(action),
            aside: text.aside(action),
            at,
            address: event.client_address.clone(),
            reason: RevocationReason::given(event.reason.as_deref()).map(RevocationReason::label),
            comment: event.comment.clone(),
        }
    }

    /// The action. `None` if this version of Keydesk does not know it.
    pub fn known_action(&self) -> Option<Action> {
        Action::parse(&self.action)
    }
}

/// The actor of an event.
pub fn actor(event: &Event) -> Actor {
    Actor::parse(&event.actor_type, event.actor_id.as_deref()).unwrap_or(Actor::System)
}

/// The users who are the actor or the target of an event.
pub fn actor_and_target(event: &Event) -> impl Iterator<Item = UserId> {
    let target = Some(&event.target_id).filter(|_| event.target_type == "user");
    event.actor_id.iter().chain(target).filter_map(|id| UserId::parse(id))
}

/// All users that the text of an event mentions.
pub fn mentioned_users(event: &Event) -> Vec<UserId> {
    actor_and_target(event).chain(event.detail().users()).collect()
}
