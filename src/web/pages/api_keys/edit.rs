//! The dialog that edits a key: its name and its owner.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;

use super::show::{self, load::KeyWithNeighbours};
use crate::actions::EditKeyError;
use crate::domain::ids::UserId;
use crate::domain::key::lifecycle::KeyState;
use crate::domain::text::name::ServiceAccountName;
use crate::http::body::FormBody;
use crate::web::app::error::PageError;
use crate::web::app::flash::redirect_with_event;
use crate::web::app::guards::{Admin, PageContext};
use crate::web::app::respond::html;
use crate::web::components::dialog::Dialog;
use crate::web::components::field::Field;
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
}

impl Edit {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        Dialog::form("Edit", self.name.error.is_some() || self.owner.error.is_some(), self)
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

pub async fn show(Admin(cx): Admin, id: Path<String>) -> Result<HttpResponse, PageError> {
    let found = load_editable(&cx, &id).await?;
    let (name, owner) = (Field::new(&found.key.name), Field::new(found.key.owner.to_string()));
    render(StatusCode::OK, &cx, &found, name, owner).await
}

pub async fn submit(Admin(cx): Admin, id: Path<String>, body: FormBody) -> Result<HttpResponse, PageError> {
    let found = load_editable(&cx, &id).await?;
    let form: EditKeyForm = body.form().await?;
    let owner = form.owner()?;
    // Checked before the name, so that an unknown user is a 404 for any name.
    if let Some(new_owner) = owner.filter(|owner| *owner != found.key.owner) {
        users::load::user(&cx, &new_owner.to_string()).await?;
    }
    let refuse = |name| render(StatusCode::UNPROCESSABLE_ENTITY, &cx, &found, name, Field::new(&form.owner));
    let name = match Field::parse(&cx.app.actions.key_format, &form.name, ServiceAccountName::parse) {
        Ok(name) => name,
        Err(field) => return refuse(field).await,
    };
    let key_id = found.key.id;
    match cx.perform(move |actions, context| actions.edit_key(context, key_id, &name, owner)).await? {
        Ok(events) => Ok(redirect_with_event(&paths::api_key(&key_id.to_string()), events.first().copied())),
        Err(EditKeyError::UnknownOwner) => Err(PageError::UserNotFound),
        Err(EditKeyError::Unknown) => Err(PageError::KeyNotFound),
        Err(revoked @ EditKeyError::Revoked) => Err(PageError::KeyStateConflict(key_id, revoked.to_string())),
        Err(error) => refuse(Field::invalid(&form.name, error.to_string())).await,
    }
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
    name: Field,
    owner: Field,
) -> Result<HttpResponse, PageError> {
    let people = users::load::possible_owners(cx).await?.into_iter();
    let current_owner = found.key.owner.to_string();
    let dialog = Edit {
        key_id: found.key.id.to_string(),
        current_name: found.key.name.clone(),
        name,
        owner,
        people: people.map(|user| (user.id.to_string(), user.name)).collect(),
        deleted_owner: Some(current_owner).filter(|_| !found.names.contains_key(&found.key.owner)),
    };
    html(status, &show::load::with_dialog(cx, found, dialog.into_dialog()).await?)
}
