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
use crate::web::app::page_context::PageContext;
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

impl ConflictingField {
    #[must_use]
    pub fn new(label: &'static str, saved: impl Into<String>, typed: impl Into<String>) -> Self {
        Self { label, saved: saved.into(), typed: typed.into() }
    }
}

impl VersionedForm {
    /// The form as it is first shown.
    #[must_use]
    pub fn new(version: &FormVersion) -> Self {
        Self { version: version.to_string(), notice: None }
    }

    /// The current form after an error. It keeps the submitted version; if that could not be read, it says so.
    #[must_use]
    pub fn after_error(self, submitted: Option<&FormVersion>) -> Self {
        match submitted {
            Some(submitted) => Self::new(submitted),
            None => Self { notice: Some(FormNotice::Incomplete), ..self },
        }
    }

    /// The current form after a conflict.
    #[must_use]
    pub fn after_conflict(self, conflict: Conflict) -> Self {
        Self { notice: Some(FormNotice::Conflict(conflict)), ..self }
    }
}

/// Returns the fields whose saved and typed values differ. `text` is a value as the user reads it, with its index.
#[must_use]
pub fn conflicting_fields<const N: usize>(
    labels: [&'static str; N],
    saved: [&str; N],
    typed: [&str; N],
    text: impl Fn(usize, &str) -> String,
) -> Vec<ConflictingField> {
    let field = |(index, label)| ConflictingField::new(label, text(index, saved[index]), text(index, typed[index]));
    let fields = labels.into_iter().enumerate().map(field);
    fields.filter(|field| field.saved != field.typed).collect()
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
        Ok(Self { change, fields })
    }
}

fn actor_id(event: &Event) -> Option<UserId> {
    event.actor_id.as_deref().and_then(UserId::parse)
}
