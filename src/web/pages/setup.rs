//! The set-up page: creates the first company and its first admin.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use serde::Deserialize;

use crate::actions::{HashingQueue, SetupError, SetupFieldErrors, SetupForm, SignInOutcome};
use crate::http::body::FormBody;
use crate::web::app::error::PageError;
use crate::web::app::query::Query;
use crate::web::app::respond::html_with_secret;
use crate::web::app::session::start::{Browser, continue_sign_in};
use crate::web::app::state::{AppState, blocking};
use crate::web::components::field::Field;
use crate::web::components::layout::SignedOutLayout;
use crate::web::paths::SETUP;
use crate::web::url::with_query;

#[derive(Template)]
#[template(path = "setup/page.html")]
pub struct SetupPage {
    pub layout: SignedOutLayout,
    /// The one-time token from the printed link.
    pub token: String,
    pub company_name: Field,
    pub name: Field,
    pub email: Field,
    /// The error of the password field. The password itself is never sent back.
    pub password_error: Option<String>,
}

impl SetupPage {
    fn title(&self) -> String {
        let error = if self.first_error().is_some() { "Error: " } else { "" };
        format!("{error}Set up Keydesk – {} administration", self.layout.platform)
    }

    fn action(&self) -> String {
        with_query(SETUP, &[("token", &self.token)])
    }

    /// The field to focus: the first one with an error, else the first one.
    fn focus(&self) -> &'static str {
        self.first_error().unwrap_or("company_name")
    }

    fn first_error(&self) -> Option<&'static str> {
        let errors = [
            ("company_name", &self.company_name.error),
            ("name", &self.name.error),
            ("email", &self.email.error),
            ("password", &self.password_error),
        ];
        errors.into_iter().find(|(_, error)| error.is_some()).map(|(name, _)| name)
    }

    fn with_errors(self, errors: SetupFieldErrors) -> Self {
        Self {
            company_name: Field { error: errors.company_name, ..self.company_name },
            name: Field { error: errors.name.map(|error| error.to_string()), ..self.name },
            email: Field { error: errors.email.map(|error| error.to_string()), ..self.email },
            password_error: errors.password.map(|error| error.to_string()),
            ..self
        }
    }
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct FirstAdminForm {
    company_name: String,
    name: String,
    email: String,
    password: String,
}

pub async fn show(query: Query, app: Data<AppState>) -> Result<HttpResponse, PageError> {
    let token = require_token(&query, &app).await?;
    html_with_secret(StatusCode::OK, &page(&app, token, &FirstAdminForm::default()))
}

pub async fn submit(
    query: Query,
    body: FormBody,
    browser: Browser,
    app: Data<AppState>,
) -> Result<HttpResponse, PageError> {
    let token = require_token(&query, &app).await?;
    let form: FirstAdminForm = body.form().await?;
    let page = page(&app, token, &form);
    let permit = app.hashing_permit(HashingQueue::Reserved).await?;
    let client = browser.client.clone();
    let set_up = app.perform(move |actions| {
        let FirstAdminForm { company_name, name, email, password } = &form;
        actions.set_up(&SetupForm { company_name, name, email, password }, &client)
    });
    let set_up = set_up.await?;
    drop(permit);
    match set_up {
        Ok(admin) => continue_sign_in(&app, SignInOutcome::Complete(admin), None, browser).await,
        Err(SetupError::Refused(errors)) => {
            html_with_secret(StatusCode::UNPROCESSABLE_ENTITY, &page.with_errors(*errors))
        }
        Err(SetupError::Closed) => Err(PageError::PageNotFound),
        Err(error) => Err(PageError::Internal(error.to_string())),
    }
}

fn page(app: &AppState, token: String, form: &FirstAdminForm) -> SetupPage {
    SetupPage {
        layout: SignedOutLayout::new(app),
        token,
        company_name: Field::new(&form.company_name),
        name: Field::new(&form.name),
        email: Field::new(&form.email),
        password_error: None,
    }
}

/// Returns the token of the set-up link. Fails once a user exists, and for requests without a valid token.
async fn require_token(query: &Query, app: &AppState) -> Result<String, PageError> {
    if app.query(|db| db.users().any_exists()).await? {
        return Err(PageError::PageNotFound);
    }
    let token = query.0.get_or_empty("token")?.to_owned();
    let (actions, presented) = (app.actions.clone(), token.clone());
    let is_valid = blocking(move || actions.is_setup_link(&presented)).await?;
    if is_valid { Ok(token) } else { Err(PageError::SetupTokenRequired) }
}
