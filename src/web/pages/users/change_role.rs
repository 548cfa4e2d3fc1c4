//! The dialog that changes a user's role.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;

use super::load;
use crate::actions::ChangeUserError;
use crate::domain::user::profile::Role;
use crate::http::body::FormBody;
use crate::store::User;
use crate::web::app::error::PageError;
use crate::web::app::flash::redirect_with_event;
use crate::web::app::guards::{Admin, PageContext};
use crate::web::app::respond::html;
use crate::web::components::dialog::Dialog;
use crate::web::components::field::Field;
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
}

impl ChangeRole {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        Dialog::form(format!("Change the role of {}", self.name), self.role.error.is_some(), self)
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
}

pub async fn show(Admin(cx): Admin, id: Path<String>) -> Result<HttpResponse, PageError> {
    let user = load::user(&cx, &id).await?;
    let role = Field::new(user.role.as_str());
    render(StatusCode::OK, &cx, &user, role).await
}

pub async fn submit(Admin(cx): Admin, id: Path<String>, body: FormBody) -> Result<HttpResponse, PageError> {
    let user = load::user(&cx, &id).await?;
    let form: RoleForm = body.form().await?;
    let Some(role) = Role::parse(&form.role) else {
        let field = Field::invalid(user.role.as_str(), "Choose one of the roles");
        return render(StatusCode::UNPROCESSABLE_ENTITY, &cx, &user, field).await;
    };
    let user_id = user.id;
    match cx.perform(move |actions, context| actions.change_role(context, user_id, role)).await? {
        Ok(event) => Ok(redirect_with_event(USERS, event)),
        Err(ChangeUserError::Unknown) => Err(PageError::UserNotFound),
        Err(refusal) => {
            let field = Field::invalid(role.as_str(), refusal.to_string());
            render(StatusCode::UNPROCESSABLE_ENTITY, &cx, &user, field).await
        }
    }
}

async fn render(status: StatusCode, cx: &PageContext, user: &User, role: Field) -> Result<HttpResponse, PageError> {
    let dialog = ChangeRole {
        user_id: user.id.to_string(),
        name: user.name.clone(),
        role,
        is_you: user.id == cx.user.user_id,
        has_signed_in: user.last_signed_in_at.is_some(),
    };
    html(status, &load::with_dialog(cx, dialog.into_dialog()).await?)
}
