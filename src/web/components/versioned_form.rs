//! Forms that edit something: the version they carry, and the report of a change that was made in the meantime.

use askama::Template;

use crate::domain::actor::Actor;
use crate::domain::ids::UserId;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::event::Event;
use crate::domain::trail::filter::TrailFilter;
use crate::store::TrailPageRequest;
use crate::web::app::error::PageError;
use crate::web::app::form_version::FormVersion;
use crate::web::app::guards::PageContext;
use crate::web::app::time::view::TimeView;
use crate::web::components::people::{ActorView, actor_view};

/// The events that are searched for the change that caused a conflict.
const SEARCHED_EVENTS: i64 = 50;

/// The version that a form carries, and a notice above its fields.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "components/versioned_form.html")]
pub struct VersionedForm {
    /// The value of the hidden field.
    pub version: String,
    pub notice: Option<FormNotice>,
}

#[derive(Clone, Debug)]
pub enum FormNotice {
    /// The version was missing or unreadable.
    Incomplete,
    /// Someone changed the thing after the form was opened.
    Conflict(Conflict),
}

/// A change that was made after the form was opened.
#[derive(Clone, Debug)]
pub struct Conflict {
    pub change: Option<ConflictingChange>,
    /// The fields whose typed value differs from the saved one.
    pub fields: Vec<ConflictingField>,
}

#[derive(Clone, Debug)]
pub struct ConflictingChange {
    pub by: ActorView,
    /// The change was made by the user who submitted the form, for example in another window.
    pub is_you: bool,
    pub at: TimeView,
}

/// A field with its two values, as the user reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConflictingField {
    pub label: &'static str,
    pub saved: String,
    pub typed: String,
}

impl VersionedForm {
    /// The form as it is first shown, or after an error in its fields.
    #[must_use]
    pub fn new(version: &FormVersion) -> Self {
        Self { version: version.to_string(), notice: None }
    }

    /// The form after a submission whose version could not be read.
    #[must_use]
    pub fn incomplete(version: &FormVersion) -> Self {
        Self { version: version.to_string(), notice: Some(FormNotice::Incomplete) }
    }

    /// The form after a conflict, with the current version.
    #[must_use]
    pub fn conflicting(version: &FormVersion, conflict: Conflict) -> Self {
        Self { version: version.to_string(), notice: Some(FormNotice::Conflict(conflict)) }
    }
}

impl Conflict {
    /// Finds the latest change that matches `filter` and `target`, for the fields that conflict with it.
    pub async fn load(
        cx: &PageContext,
        filter: TrailFilter,
        target: String,
        fields: Vec<ConflictingField>,
    ) -> Result<Self, PageError> {
        let company_id = cx.company_id();
        let found = cx
            .read(move |db| {
                let events = db.trails().filtered(company_id, &filter, TrailPageRequest::Newest, SEARCHED_EVENTS)?;
                let event = events.into_iter().map(|item| item.event).find(|event| event.target_id == target);
                let names = db.users().names(company_id, event.iter().filter_map(actor_id))?;
                Ok(event.map(|event| (event, names)))
            })
            .await?;
        let change = found.map(|(event, names)| {
            let actor = Actor::parse(&event.actor_type, event.actor_id.as_deref()).unwrap_or(Actor::System);
            ConflictingChange {
                by: actor_view(actor, &names),
                is_you: actor.user() == Some(cx.user.user_id),
                at: cx.zone.ago_mid_sentence(Timestamp::from_micros(event.at), cx.now()),
            }
        });
        let fields = fields.into_iter().filter(|field| field.saved != field.typed).collect();
        Ok(Self { change, fields })
    }
}

fn actor_id(event: &Event) -> Option<UserId> {
    event.actor_id.as_deref().and_then(UserId::parse)
}
