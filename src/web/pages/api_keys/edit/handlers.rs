//! Shows and submits the form that edits a key.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;

use super::fields::{EditFields, EditKeyForm, LABELS, stored_values};
use super::view::Edit;
use crate::actions::{EditKeyError, KeyEdit};
use crate::domain::ids::KeyId;
use crate::domain::key::lifecycle::KeyState;
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
use crate::web::components::field::Field;
use crate::web::components::versioned_form::{Conflict, VersionedForm, conflicting_fields};
use crate::web::pages::api_keys::expiry::{self, ExpiryField};
use crate::web::pages::api_keys::show::{self, load::KeyWithNeighbours};
use crate::web::pages::users;
use crate::web::paths;

/// The events of this form.
const EDITS: [Action; 4] =
    [Action::ApiKeyRenamed, Action::ApiKeyHandedOver, Action::ApiKeyDetailsChanged, Action::ApiKeyExpiryChanged];

/// What the version of the form belongs to.
fn versioned_thing(id: KeyId) -> String {
    format!("key-{id}")
}

fn current_version(key: &KeyRecord) -> FormVersion {
    let owner = key.owner.to_string();
    FormVersion::new(versioned_thing(key.id), key.version, &stored_values(key, &owner))
}

pub async fn show(Admin(cx): Admin, id: Path<String>) -> Result<HttpResponse, PageError> {
    let found = load_editable(&cx, &id).await?;
    let owner = found.key.owner.to_string();
    let fields = EditFields::of(stored_values(&found.key, &owner), offered_expiry(&cx, &found.key).await?);
    let edited = VersionedForm::new(&current_version(&found.key));
    render(StatusCode::OK, &cx, &found, fields, edited).await
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
    let offered = offered_expiry(&cx, &found.key).await?;
    let refuse = |fields| render(StatusCode::UNPROCESSABLE_ENTITY, &cx, &found, fields, edited);
    let edit = match form.parse(&cx.app.actions.key_format, &cx.zone, &found.key, offered.clone()) {
        Ok(edit) => edit,
        Err(fields) => return refuse(*fields).await,
    };
    let filled = form.filled(&found.key, offered);
    let Some(version) = version else { return refuse(filled).await };
    let edit = KeyEdit { version: Some(version.changes()), owner, ..edit };
    match cx.perform(move |actions, context| actions.edit_key(context, key_id, &edit)).await? {
        Ok(events) => Ok(redirect_with_event(&paths::api_key(&key_id.to_string()), events.first().copied())),
        Err(EditKeyError::UnknownOwner) => Err(PageError::UserNotFound),
        Err(EditKeyError::Unknown) => Err(PageError::KeyNotFound),
        Err(ended @ (EditKeyError::Revoked | EditKeyError::Expired)) => {
            Err(PageError::KeyStateConflict(key_id, ended.to_string()))
        }
        Err(EditKeyError::Outdated) => refuse_outdated(&cx, key_id, &form, &version).await,
        Err(EditKeyError::Expiry(error)) => {
            let expiry = filled.expiry.map(|field| field.with_error(error));
            refuse(EditFields { expiry, ..filled }).await
        }
        Err(error) => refuse(EditFields { name: Field::invalid(&form.name, error.to_string()), ..filled }).await,
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
    let saved = stored_values(&found.key, &owner);
    let merged = version.merge(form.values(&saved), saved);
    let people = users::load::possible_owners(cx).await?;
    let offered = offered_expiry(cx, &found.key).await?;
    let text = |index: usize, value: &str| match LABELS[index] {
        "Owner" => {
            let known = people.iter().find(|user| user.id.to_string() == value);
            known.map_or_else(|| "Deleted user".to_owned(), |user| user.name.clone())
        }
        "Expires" => offered.as_ref().map_or_else(String::new, |field| field.label_of(value)),
        _ => value.to_owned(),
    };
    let fields = conflicting_fields(LABELS, saved, merged, text);
    let filter = TrailFilter { key: Some(key_id), actions: EDITS.into(), ..TrailFilter::default() };
    let conflict = Conflict::load(cx, filter, key_id.to_string(), fields).await?;
    let edited = VersionedForm::new(&current_version(&found.key)).after_conflict(conflict);
    render(StatusCode::CONFLICT, cx, &found, EditFields::of(merged, offered), edited).await
}

/// The choices of the expiry. `None` for an expired key, which stays expired.
async fn offered_expiry(cx: &PageContext, key: &KeyRecord) -> Result<Option<ExpiryField>, PageError> {
    if key.state(cx.now()) != KeyState::Active {
        return Ok(None);
    }
    expiry::offered_for(cx, key).await.map(Some)
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
    fields: EditFields,
    edited: VersionedForm,
) -> Result<HttpResponse, PageError> {
    let people = users::load::possible_owners(cx).await?.into_iter();
    let current_owner = found.key.owner.to_string();
    let dialog = Edit {
        key_id: found.key.id.to_string(),
        current_name: found.key.name.clone(),
        fields,
        people: people.map(|user| (user.id.to_string(), user.name)).collect(),
        deleted_owner: Some(current_owner).filter(|_| !found.names.contains_key(&found.key.owner)),
        edited,
    };
    html(status, &show::load::with_dialog(cx, found, dialog.into_dialog()).await?)
}
