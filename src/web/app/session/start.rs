//! Continues a sign-in after the password: begins a session or asks for a code.

use std::future::{Ready, ready};

use actix_session::{Session, SessionExt};
use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};

use super::cookie;
use crate::actions::{AuthenticatedUser, SignInOutcome};
use crate::domain::client::Client;
use crate::web::app::device::Device;
use crate::web::app::error::PageError;
use crate::web::app::respond::see_other;
use crate::web::app::sign_in_outcomes::SignInOutcomeKind;
use crate::web::app::state::{AppState, blocking};
use crate::web::paths;

/// The browser that signs in: its session cookie, its device cookie, and its address and user agent.
pub struct Browser {
    pub session: Session,
    pub device: Device,
    pub client: Client,
}

impl FromRequest for Browser {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let device = Device::from_request(request, payload).into_inner();
        let client = Client::from_request(request, payload).into_inner().unwrap_or_default();
        ready(device.map(|device| Self { session: request.get_session(), device, client }))
    }
}

/// Begins a session and redirects to `next`, or redirects to the form for the code if one is required.
pub async fn continue_sign_in(
    app: &Data<AppState>,
    outcome: SignInOutcome,
    next: Option<String>,
    browser: Browser,
) -> Result<HttpResponse, PageError> {
    match outcome {
        SignInOutcome::Complete(user) => {
            begin_session(app, user, &browser).await?;
            app.sign_ins.record(SignInOutcomeKind::SignedIn, Some(user.user), &browser.client);
            let mut response = see_other(next.as_deref().unwrap_or(paths::API_KEYS));
            browser.device.remember(app, user, &mut response).await;
            Ok(response)
        }
        SignInOutcome::CodeRequired(user) => {
            let sessions = app.sessions();
            let token = blocking(move || sessions.begin_pending(user, next)).await?;
            cookie::set_token(&browser.session, &token)?;
            app.sign_ins.record(SignInOutcomeKind::CodeRequired, Some(user.user), &browser.client);
            Ok(see_other(paths::SIGN_IN_CODE))
        }
    }
}

/// Begins a session with a new token. An earlier session of the browser ends.
pub async fn begin_session(app: &AppState, user: AuthenticatedUser, browser: &Browser) -> Result<(), PageError> {
    let (sessions, client) = (app.sessions(), browser.client.clone());
    let token = blocking(move || sessions.begin(user, &client)).await?;
    cookie::set_token(&browser.session, &token)
}
