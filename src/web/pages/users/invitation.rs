//! The dialog that asks before a user gets a new link: to reset the password, or as another invitation.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::invite::show_link;
use super::load;
use crate::actions::ChangeUserError;
use crate::http::body::FormBody;
use crate::store::User;
use crate::web::app::error::PageError;
use crate::web::app::guards::Admin;
use crate::web::app::page_context::PageContext;
use crate::web::app::respond::html;
use crate::web::components::dialog::Dialog;
use crate::web::paths::{self, ACCOUNT, USERS};

#[derive(Clone, Debug, Template)]
#[template(path = "users/invitation.html")]
pub struct NewLink {
    pub user_id: String,
    pub name: String,
    /// The link resets a password. Otherwise it repeats an invitation.
    pub has_signed_in: bool,
    pub has_second_factor: bool,
    /// This is the signed-in user, who changes the password on the account page instead.
    pub is_you: bool,
    /// Says why there is no link.
    pub refusal: Option<String>,
}

impl NewLink {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        let title = if self.has_signed_in { "Reset the password of" } else { "Resend the invitation of" };
        Dialog::form(format!("{title} {}", self.name), self.refusal.is_some(), self)
    }
}

pub async fn show(Admin(cx): Admin, id: Path<String>) -> Result<HttpResponse, PageError> {
    let user = load::user(&cx, &id).await?;
    render(StatusCode::OK, &cx, &user, None).await
}

/// Creates a new link for a user who lost the old link or the password.
pub async fn submit(Admin(cx): Admin, id: Path<String>, body: FormBody) -> Result<HttpResponse, PageError> {
    let user = load::user(&cx, &id).await?;
    body.discard().await?;
    let user_id = user.id;
    match cx.perform(move |actions, context| actions.renew_invitation(context, user_id)).await? {
        Ok(invitation) => show_link(&cx, &invitation, &user.email).await,
        Err(ChangeUserError::Unknown) => Err(PageError::UserNotFound),
        Err(refusal) => render(StatusCode::UNPROCESSABLE_ENTITY, &cx, &user, Some(refusal.to_string())).await,
    }
}

async fn render(
    status: StatusCode,
    cx: &PageContext,
    user: &User,
    refusal: Option<String>,
) -> Result<HttpResponse, PageError> {
    let dialog = NewLink {
        user_id: user.id.to_string(),
        name: user.name.clone(),
        has_signed_in: user.last_signed_in_at.is_some(),
        has_second_factor: user.has_second_factor,
        is_you: user.id == cx.user.user_id,
        refusal,
    };
    html(status, &load::with_dialog(cx, dialog.into_dialog()).await?)
}
