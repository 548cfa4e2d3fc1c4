//! The dialog that edits a key: its name and its owner.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;

use super::show::{self, load::KeyWithNeighbours};
use crate::actions::EditKeyError;
use crate::domain::ids::{KeyId, UserId};
use crate::domain::key::lifecycle::KeyState;
use crate::domain::text::name::ServiceAccountName;
use crate::domain::trail::action::Action;
use crate::domain::trail::filter::TrailFilter;
use crate::http::body::FormBody;
use crate::store::KeyRecord;
use crate::web::app::error::PageError;
use crate::web::app::flash::redirect_with_event;
use crate::web::app::form_version::FormVersion;
use crate::web::app::guards::Admin;
use crate::web::app::page_context::PageContext;
use crate::web::app::respond::html;
use crate::web::components::dialog::Dialog;
use crate::web::components::field::Field;
use crate::web::components::versioned_form::{Conflict, VersionedForm, conflicting_fields};
use crate::web::pages::users;
use crate::web::paths;

#[derive(Clone, Debug, Template)]
#[template(path = "api_keys/edit.html")]
pub struct Edit {
    pub key_id: String,
    pub current_name: String,
    pub name: Field,
    /// Holds the id of a user, possibly a deleted one.
    pub owner: Field,
    /// The id and name of each user who can own the key.
    pub people: Vec<(String, String)>,
    /// The id of the current owner, if that user is deleted.
    pub deleted_owner: Option<String>,
    pub edited: VersionedForm,
}

impl Edit {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        let has_error = self.name.error.is_some() || self.owner.error.is_some() || self.edited.notice.is_some();
        Dialog::form("Edit", has_error, self)
    }

    /// The field to focus: the first one with an error, else the first one.
    fn focus(&self) -> &'static str {
        if self.name.error.is_none() && self.owner.error.is_some() { "owner" } else { "name" }
    }

    fn is_owner(&self, id: &str) -> bool {
        self.owner.value == id
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct EditKeyForm {
    name: String,
    owner: String,
    version: String,
}

impl EditKeyForm {
    /// The new owner. `None` keeps the current one.
    fn owner(&self) -> Result<Option<UserId>, PageError> {
        match self.owner.as_str() {
            "" => Ok(None),
            id => UserId::parse(id).map(Some).ok_or(PageError::UserNotFound),
        }
    }
}

/// The form as it is drawn: its fields and its version.
struct FilledForm {
    name: Field,
    owner: Field,
    edited: VersionedForm,
}

impl FilledForm {
    /// The stored values.
    fn stored(key: &KeyRecord) -> Self {
        Self {
            name: Field::new(&key.name),
            owner: Field::new(key.owner.to_string()),
            edited: VersionedForm::new(&current_version(key)),
        }
    }
}

/// What the version of the form belongs to.
fn versioned_thing(id: KeyId) -> String {
    format!("key-{id}")
}

fn current_version(key: &KeyRecord) -> FormVersion {
    FormVersion::new(versioned_thing(key.id), key.version, &[&key.name, &key.owner.to_string()])
}

pub async fn show(Admin(cx): Admin, id: Path<String>) -> Result<HttpResponse, PageError> {
    let found = load_editable(&cx, &id).await?;
    render(StatusCode::OK, &cx, &found, FilledForm::stored(&found.key)).await
}

pub async fn submit(Admin(cx): Admin, id: Path<String>, body: FormBody) -> Result<HttpResponse, PageError> {
    let found = load_editable(&cx, &id).await?;
    let form: EditKeyForm = body.form().await?;
    let owner = form.owner()?;
    // Checked before the name, so that an unknown user is a 404 for any name.
    if let Some(new_owner) = owner.filter(|owner| *owner != found.key.owner) {
        users::load::user(&cx, &new_owner.to_string()).await?;
    }
    let key_id = found.key.id;
    let version = FormVersion::parse(&form.version, &versioned_thing(key_id));
    let edited = VersionedForm::new(&current_version(&found.key)).after_error(version.as_ref());
    let refuse = |name| {
        let filled = FilledForm { name, owner: Field::new(&form.owner), edited };
        render(StatusCode::UNPROCESSABLE_ENTITY, &cx, &found, filled)
    };
    let name = match Field::parse(&cx.app.actions.key_format, &form.name, ServiceAccountName::parse) {
        Ok(name) => name,
        Err(field) => return refuse(field).await,
    };
    let Some(version) = version else { return refuse(Field::new(&form.name)).await };
    let changes = version.changes();
    match cx.perform(move |actions, context| actions.edit_key(context, key_id, Some(changes), &name, owner)).await? {
        Ok(events) => Ok(redirect_with_event(&paths::api_key(&key_id.to_string()), events.first().copied())),
        Err(EditKeyError::UnknownOwner) => Err(PageError::UserNotFound),
        Err(EditKeyError::Unknown) => Err(PageError::KeyNotFound),
        Err(revoked @ EditKeyError::Revoked) => Err(PageError::KeyStateConflict(key_id, revoked.to_string())),
        Err(EditKeyError::Outdated) => refuse_outdated(&cx, key_id, &form, &version).await,
        Err(error) => refuse(Field::invalid(&form.name, error.to_string())).await,
    }
}

/// Shows the saved values and the typed ones, with a form for another try.
async fn refuse_outdated(
    cx: &PageContext,
    key_id: KeyId,
    form: &EditKeyForm,
    version: &FormVersion,
) -> Result<HttpResponse, PageError> {
    let found = load_editable(cx, &key_id.to_string()).await?;
    let owner = found.key.owner.to_string();
    let saved = [found.key.name.as_str(), owner.as_str()];
    let merged = version.merge([&form.name, &form.owner], saved);
    let people = users::load::possible_owners(cx).await?;
    let person = |id: &str| {
        let known = people.iter().find(|user| user.id.to_string() == id);
        known.map_or_else(|| "Deleted user".to_owned(), |user| user.name.clone())
    };
    let text = |index: usize, value: &str| if index == 1 { person(value) } else { value.to_owned() };
    let fields = conflicting_fields(["Service account name", "Owner"], saved, merged, text);
    let actions = vec![Action::ApiKeyRenamed, Action::ApiKeyHandedOver];
    let filter = TrailFilter { key: Some(key_id), actions, ..TrailFilter::default() };
    let conflict = Conflict::load(cx, filter, key_id.to_string(), fields).await?;
    let edited = VersionedForm::new(&current_version(&found.key)).after_conflict(conflict);
    let [name, owner] = merged.map(Field::new);
    let filled = FilledForm { name, owner, edited };
    render(StatusCode::CONFLICT, cx, &found, filled).await
}

async fn load_editable(cx: &PageContext, id: &str) -> Result<KeyWithNeighbours, PageError> {
    let found = show::load::key_with_neighbours(cx, id).await?;
    if found.key.state(cx.now()) == KeyState::Revoked {
        return Err(PageError::KeyStateConflict(found.key.id, EditKeyError::Revoked.to_string()));
    }
    Ok(found)
}

async fn render(
    status: StatusCode,
    cx: &PageContext,
    found: &KeyWithNeighbours,
    filled: FilledForm,
) -> Result<HttpResponse, PageError> {
    let people = users::load::possible_owners(cx).await?.into_iter();
    let current_owner = found.key.owner.to_string();
    let FilledForm { name, owner, edited } = filled;
    let dialog = Edit {
        key_id: found.key.id.to_string(),
        current_name: found.key.name.clone(),
        name,
        owner,
        people: people.map(|user| (user.id.to_string(), user.name)).collect(),
        deleted_owner: Some(current_owner).filter(|_| !found.names.contains_key(&found.key.owner)),
        edited,
    };
    html(status, &show::load::with_dialog(cx, found, dialog.into_dialog()).await?)
}
