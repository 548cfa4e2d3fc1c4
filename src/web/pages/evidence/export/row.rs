//! The content of an export in any format.

use crate::domain::ids::UserId;
use crate::domain::trail::check::TrailHead;
use crate::domain::trail::event::Event;
use crate::domain::trail::filter::TrailFilter;
use crate::store::{Company, EventListItem, UserNames};
use crate::web::components::event::view::actor;
use crate::web::components::people::{ActorView, actor_view};

/// The facts of an export before its first event.
#[derive(Clone, Debug)]
pub struct Export {
    pub company: Company,
    pub filter: TrailFilter,
    /// The head of the trail right after the event of this export, which is the last event that the export can contain.
    pub head: TrailHead,
    /// The number of events in the export.
    pub count: u64,
}

/// An event with the names that belong to its ids.
#[derive(Clone, Debug)]
pub struct ExportedEvent {
    pub event: Event,
    pub actor_name: String,
    pub key_preview: Option<String>,
    /// A service account's name at the time of the event, but the current name of a user or the company.
    pub target_name: String,
}

impl ExportedEvent {
    pub fn new(item: EventListItem, names: &UserNames, company: &Company) -> Self {
        let EventListItem { event, key_preview } = item;
        let target_name = match (event.target_type.as_str(), UserId::parse(&event.target_id)) {
            ("user", Some(id)) => ActorView::user(names.get(&id).cloned()).text().to_owned(),
            ("company", _) => company.name.clone(),
            _ => event.subject_name().unwrap_or_default(),
        };
        Self { actor_name: actor_view(actor(&event), names).text().to_owned(), key_preview, target_name, event }
    }
}
