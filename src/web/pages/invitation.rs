//! The page behind an invitation link, where the user chooses a password.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use serde::Deserialize;

use crate::actions::{AcceptInvitationError, HashingQueue};
use crate::domain::token::TokenDigest;
use crate::http::body::FormBody;
use crate::store::User;
use crate::web::app::error::PageError;
use crate::web::app::query::Query;
use crate::web::app::respond::html_with_secret;
use crate::web::app::session::start::{Browser, continue_sign_in};
use crate::web::app::state::AppState;
use crate::web::components::layout::SignedOutLayout;
use crate::web::paths::INVITATION;
use crate::web::url::with_query;

#[derive(Template)]
#[template(path = "invitation/page.html")]
pub struct InvitationPage {
    pub layout: SignedOutLayout,
    pub email: String,
    /// The link resets the password of a user who has one.
    pub is_reset: bool,
    /// The one-time token from the link.
    pub token: String,
    /// The error of the password field. The password itself is never sent back.
    pub password_error: Option<String>,
}

impl InvitationPage {
    fn title(&self) -> String {
        let error = if self.password_error.is_some() { "Error: " } else { "" };
        format!("{error}{} – {} administration", self.heading(), self.layout.platform)
    }

    fn heading(&self) -> &'static str {
        if self.is_reset { "Choose a new password" } else { "Welcome" }
    }

    fn action(&self) -> String {
        with_query(INVITATION, &[("token", &self.token)])
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PasswordForm {
    password: String,
}

pub async fn show(query: Query, app: Data<AppState>) -> Result<HttpResponse, PageError> {
    let token = query.0.get_or_empty("token")?;
    let user = invited_user(&app, token).await?;
    html_with_secret(StatusCode::OK, &page(&app, &user, token))
}

pub async fn submit(
    query: Query,
    body: FormBody,
    browser: Browser,
    app: Data<AppState>,
) -> Result<HttpResponse, PageError> {
    let token = query.0.get_or_empty("token")?;
    let user = invited_user(&app, token).await?;
    let form: PasswordForm = body.form().await?;
    let permit = app.hashing_permit(HashingQueue::Reserved).await?;
    let (digest, client) = (TokenDigest::of(token), browser.client.clone());
    let accepted = app.perform(move |actions| actions.accept_invitation(&digest, &form.password, &client)).await?;
    drop(permit);
    match accepted {
        Ok(outcome) => continue_sign_in(&app, outcome, None, browser).await,
        Err(AcceptInvitationError::Password(error)) => {
            let page = InvitationPage { password_error: Some(error.to_string()), ..page(&app, &user, token) };
            html_with_secret(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

async fn invited_user(app: &AppState, token: &str) -> Result<User, PageError> {
    let digest = TokenDigest::of(token);
    Ok(app.perform(move |actions| actions.invited_user(&digest)).await??)
}

fn page(app: &AppState, user: &User, token: &str) -> InvitationPage {
    InvitationPage {
        layout: SignedOutLayout::new(app),
        email: user.email.clone(),
        is_reset: user.has_password,
        token: token.to_owned(),
        password_error: None,
    }
}

impl From<AcceptInvitationError> for PageError {
    fn from(error: AcceptInvitationError) -> Self {
        match error {
            AcceptInvitationError::Dead => Self::InvitationExpired,
            AcceptInvitationError::Store(error) => error.into(),
            AcceptInvitationError::Hash(_) | AcceptInvitationError::Password(_) => Self::Internal(error.to_string()),
        }
    }
}
