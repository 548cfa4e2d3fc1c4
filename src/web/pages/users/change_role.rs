//! The dialog that changes a user's role.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;

use super::load;
use crate::actions::ChangeUserError;
use crate::domain::ids::UserId;
use crate::domain::trail::action::Action;
use crate::domain::trail::filter::TrailFilter;
use crate::domain::user::profile::Role;
use crate::http::body::FormBody;
use crate::store::User;
use crate::web::app::error::PageError;
use crate::web::app::flash::redirect_with_event;
use crate::web::app::form_version::FormVersion;
use crate::web::app::guards::Admin;
use crate::web::app::page_context::PageContext;
use crate::web::app::respond::html;
use crate::web::components::dialog::Dialog;
use crate::web::components::field::Field;
use crate::web::components::versioned_form::{Conflict, VersionedForm, conflicting_fields};
use crate::web::paths::{self, USERS};

#[derive(Clone, Debug, Template)]
#[template(path = "users/change_role.html")]
pub struct ChangeRole {
    pub user_id: String,
    pub name: String,
    /// Holds the form value of a [`Role`].
    pub role: Field,
    pub is_you: bool,
    pub has_signed_in: bool,
    pub edited: VersionedForm,
}

impl ChangeRole {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        Dialog::form(
            format!("Change the role of {}", self.name),
            self.role.error.is_some() || self.edited.notice.is_some(),
            self,
        )
    }

    /// The element to focus: the field with an error, else the safe choice.
    fn focus(&self) -> &'static str {
        if self.role.error.is_some() { "role" } else { "cancel" }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RoleForm {
    role: String,
    version: String,
}

/// What the version of the form belongs to.
fn versioned_thing(id: UserId) -> String {
    format!("role-{id}")
}

fn current_version(user: &User) -> FormVersion {
    FormVersion::new(versioned_thing(user.id), user.role_version, &[user.role.as_str()])
}

pub async fn show(Admin(cx): Admin, id: Path<String>) -> Result<HttpResponse, PageError> {
    let user = load::user(&cx, &id).await?;
    let role = Field::new(user.role.as_str());
    render(StatusCode::OK, &cx, &user, role, VersionedForm::new(&current_version(&user))).await
}

pub async fn submit(Admin(cx): Admin, id: Path<String>, body: FormBody) -> Result<HttpResponse, PageError> {
    let user = load::user(&cx, &id).await?;
    let form: RoleForm = body.form().await?;
    let version = FormVersion::parse(&form.version, &versioned_thing(user.id));
    let edited = VersionedForm::new(&current_version(&user)).after_error(version.as_ref());
    let refuse = |field| render(StatusCode::UNPROCESSABLE_ENTITY, &cx, &user, field, edited);
    let Some(role) = Role::parse(&form.role) else {
        return refuse(Field::invalid(user.role.as_str(), "Select a role")).await;
    };
    let Some(version) = version else { return refuse(Field::new(role.as_str())).await };
    let (user_id, changes) = (user.id, version.changes());
    match cx.perform(move |actions, context| actions.change_role(context, user_id, Some(changes), role)).await? {
        Ok(event) => Ok(redirect_with_event(USERS, event)),
        Err(ChangeUserError::Unknown) => Err(PageError::UserNotFound),
        Err(ChangeUserError::Outdated) => refuse_outdated(&cx, user_id, role, &version).await,
        Err(refusal) => refuse(Field::invalid(role.as_str(), refusal.to_string())).await,
    }
}

/// Shows the saved role and the chosen one, with a form for another try.
async fn refuse_outdated(
    cx: &PageContext,
    id: UserId,
    chosen: Role,
    version: &FormVersion,
) -> Result<HttpResponse, PageError> {
    let user = load::user(cx, &id.to_string()).await?;
    let saved = [user.role.as_str()];
    let [role] = version.merge([chosen.as_str()], saved);
    let label = |_, role: &str| Role::parse(role).map_or("", Role::label).to_owned();
    let fields = conflicting_fields(["Role"], saved, [role], label);
    let filter = TrailFilter { actions: vec![Action::UserRoleChanged], ..TrailFilter::default() };
    let conflict = Conflict::load(cx, filter, id.to_string(), fields).await?;
    let edited = VersionedForm::new(&current_version(&user)).after_conflict(conflict);
    render(StatusCode::CONFLICT, cx, &user, Field::new(role), edited).await
}

async fn render(
    status: StatusCode,
    cx: &PageContext,
    user: &User,
    role: Field,
    edited: VersionedForm,
) -> Result<HttpResponse, PageError> {
    let dialog = ChangeRole {
        user_id: user.id.to_string(),
        name: user.name.clone(),
        role,
        is_you: user.id == cx.user.user_id,
        has_signed_in: user.last_signed_in_at.is_some(),
        edited,
    };
    html(status, &load::with_dialog(cx, dialog.into_dialog()).await?)
}
