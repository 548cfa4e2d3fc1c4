//! The dialog that deletes a user, and hands over or revokes their keys.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;

use super::load;
use crate::actions::{ChangeUserError, DeleteUserError, KeyDisposition};
use crate::domain::ids::UserId;
use crate::domain::user::profile::Role;
use crate::http::body::FormBody;
use crate::store::User;
use crate::web::app::error::PageError;
use crate::web::app::flash::redirect_with_event;
use crate::web::app::guards::Admin;
use crate::web::app::page_context::PageContext;
use crate::web::app::respond::html;
use crate::web::app::text::{pluralized, with_thousands};
use crate::web::components::dialog::Dialog;
use crate::web::components::field::Field;
use crate::web::components::key_use;
use crate::web::components::key_use::view::InUse;
use crate::web::paths::{self, USERS};

const MAX_LISTED_KEYS: i64 = 20;

#[derive(Clone, Debug, Template)]
#[template(path = "users/delete.html")]
pub struct DeleteUser {
    pub user_id: String,
    pub name: String,
    pub is_you: bool,
    /// Says why the user cannot be deleted.
    pub refusal: Option<String>,
    /// The user's active keys, at most [`MAX_LISTED_KEYS`].
    pub keys: Vec<OwnedKey>,
    /// The number of active keys that are not listed.
    pub more_keys: u64,
    /// The keys in use among them.
    pub in_use: Option<InUse>,
    /// The users who can take over the keys.
    pub new_owners: Vec<NewOwner>,
    pub choice: KeysChoice,
    /// Holds the id of the new owner.
    pub new_owner: Field,
}

#[derive(Clone, Debug)]
pub struct OwnedKey {
    pub id: String,
    pub name: String,
    pub preview: String,
}

#[derive(Clone, Debug)]
pub struct NewOwner {
    pub id: String,
    pub name: String,
    pub role: Role,
    pub has_signed_in: bool,
}

impl NewOwner {
    /// “Elif Demir (has not signed in yet)”.
    fn label(&self) -> String {
        if self.has_signed_in { self.name.clone() } else { format!("{} (has not signed in yet)", self.name) }
    }
}

/// The form field `revoke_keys`: `no` or `yes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysChoice {
    HandOver,
    Revoke,
}

impl DeleteUser {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        let has_error = self.refusal.is_some() || self.new_owner.error.is_some();
        Dialog::form(format!("Delete {}", self.name), has_error, self)
    }

    /// The possible new owners: those who can change the keys, and the others under a heading.
    fn owner_groups(&self) -> [(Option<&'static str>, Vec<&NewOwner>); 2] {
        let (admins, others) = self.new_owners.iter().partition(|owner| owner.role == Role::Admin);
        [(None, admins), (Some("Cannot change keys"), others)]
    }

    /// “and 12 more”.
    fn more(&self) -> Option<String> {
        (self.more_keys > 0).then(|| format!("and {} more", with_thousands(self.more_keys)))
    }

    fn hands_over(&self) -> bool {
        self.choice == KeysChoice::HandOver
    }

    /// “1 active key belongs to”, “3 active keys belong to”.
    fn keys_belong(&self) -> String {
        let count = (self.keys.len() as u64).saturating_add(self.more_keys);
        let verb = if count == 1 { "belongs" } else { "belong" };
        format!("{} {verb} to", pluralized(count, "active key", "active keys"))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct DeleteUserForm {
    revoke_keys: String,
    new_owner: String,
}

impl DeleteUserForm {
    fn disposition(&self) -> Result<KeyDisposition, PageError> {
        Ok(match (self.revoke_keys.as_str(), self.new_owner.as_str()) {
            ("yes" | "on", _) => KeyDisposition::Revoke,
            (_, "") => KeyDisposition::Unspecified,
            (_, owner) => KeyDisposition::HandOver(UserId::parse(owner).ok_or(PageError::UserNotFound)?),
        })
    }
}

pub async fn show(Admin(cx): Admin, id: Path<String>) -> Result<HttpResponse, PageError> {
    let user = load::user(&cx, &id).await?;
    let dialog = load_dialog(&cx, &user).await?;
    html(StatusCode::OK, &load::with_dialog(&cx, dialog.into_dialog()).await?)
}

pub async fn submit(Admin(cx): Admin, id: Path<String>, body: FormBody) -> Result<HttpResponse, PageError> {
    let user = load::user(&cx, &id).await?;
    let form: DeleteUserForm = body.form().await?;
    let (user_id, disposition) = (user.id, form.disposition()?);
    match cx.perform(move |actions, context| actions.delete_user(context, user_id, disposition)).await? {
        Ok(event) => Ok(redirect_with_event(USERS, Some(event))),
        Err(DeleteUserError::UnknownOwner | DeleteUserError::Refused(ChangeUserError::Unknown)) => {
            Err(PageError::UserNotFound)
        }
        Err(refusal) => {
            let dialog = load_dialog(&cx, &user).await?.with_error(disposition, &refusal);
            html(StatusCode::UNPROCESSABLE_ENTITY, &load::with_dialog(&cx, dialog.into_dialog()).await?)
        }
    }
}

impl DeleteUser {
    /// The dialog as submitted, with the error sentence.
    fn with_error(mut self, disposition: KeyDisposition, refusal: &DeleteUserError) -> Self {
        match disposition {
            KeyDisposition::HandOver(owner) => self.new_owner.value = owner.to_string(),
            KeyDisposition::Revoke => self.choice = KeysChoice::Revoke,
            KeyDisposition::Unspecified => {}
        }
        let sentence = Some(refusal.to_string());
        match refusal {
            DeleteUserError::Unspecified => self.new_owner.error = sentence,
            _ => self.refusal = sentence,
        }
        self
    }
}

async fn load_dialog(cx: &PageContext, user: &User) -> Result<DeleteUser, PageError> {
    let (company_id, user_id, now) = (cx.company_id(), user.id, cx.now());
    let (keys, count) = cx
        .read(move |db| {
            let keys = db.keys().active_of_owner(company_id, user_id, now, MAX_LISTED_KEYS)?;
            Ok((keys, db.keys().count_active_of_owner(company_id, user_id, now)?))
        })
        .await?;
    let count = u64::try_from(count).unwrap_or(0);
    let colleagues = load::possible_owners(cx).await?.into_iter().filter(|colleague| colleague.id != user_id);
    let new_owner = |user: User| NewOwner {
        id: user.id.to_string(),
        role: user.role,
        has_signed_in: user.last_signed_in_at.is_some(),
        name: user.name,
    };
    Ok(DeleteUser {
        user_id: user_id.to_string(),
        name: user.name.clone(),
        is_you: user_id == cx.user.user_id,
        refusal: None,
        more_keys: count.saturating_sub(keys.len() as u64),
        in_use: key_use::load::of_owner(cx, user_id, count).await?,
        keys: keys
            .into_iter()
            .map(|key| OwnedKey { id: key.id.to_string(), name: key.name, preview: key.preview })
            .collect(),
        new_owners: colleagues.map(new_owner).collect(),
        choice: KeysChoice::HandOver,
        new_owner: Field::default(),
    })
}
