//! The sign-in page and signing out.

use actix_session::Session;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use serde::Deserialize;

use crate::actions::{SignInError, SignInOutcome};
use crate::domain::user::password::Password;
use crate::http::body::FormBody;
use crate::web::app::error::PageError;
use crate::web::app::guards::{AwaitingCode, EnrollmentContext, Visitor};
use crate::web::app::query::Query;
use crate::web::app::respond::{MAX_LOCKOUT, html, see_other, too_many_attempts, wait_minutes};
use crate::web::app::session::start::{Browser, continue_sign_in};
use crate::web::app::state::AppState;
use crate::web::components::layout::SignedOutLayout;
use crate::web::paths;

#[derive(Template)]
#[template(path = "sign_in/password.html")]
pub struct SignInPage {
    pub layout: SignedOutLayout,
    /// Sent back after a failed attempt. The password never is.
    pub email: String,
    /// The local path to open after sign-in.
    pub next: Option<String>,
    pub notice: Option<SignInNotice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInNotice {
    /// One message for every cause, so that it does not reveal which accounts exist.
    Incorrect,
    Throttled {
        minutes: u64,
    },
    SignedOut,
    /// Too many failures: only known browsers may still try.
    Blocked,
}

impl SignInPage {
    fn title(&self) -> String {
        let error = if self.has_error() { "Error: " } else { "" };
        format!("{error}Sign in – {} administration", self.layout.platform)
    }

    fn has_error(&self) -> bool {
        matches!(self.notice, Some(SignInNotice::Incorrect | SignInNotice::Throttled { .. } | SignInNotice::Blocked))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SignInForm {
    email: String,
    password: String,
    next: String,
}

pub async fn show(visitor: Visitor, query: Query, app: Data<AppState>) -> Result<HttpResponse, PageError> {
    let notice = match visitor {
        Visitor::SignedIn => return Ok(see_other(paths::API_KEYS)),
        Visitor::SignedOut => Some(SignInNotice::SignedOut),
        Visitor::AwaitingCode | Visitor::New => None,
    };
    let next = local_path(&app, query.0.get_or_empty("next")?);
    html(StatusCode::OK, &SignInPage { layout: SignedOutLayout::new(&app), email: String::new(), next, notice })
}

pub async fn submit(body: FormBody, browser: Browser, app: Data<AppState>) -> Result<HttpResponse, PageError> {
    let form: SignInForm = body.form().await?;
    let next = local_path(&app, &form.next);
    match sign_in(&app, &form, &browser).await? {
        Ok(outcome) => continue_sign_in(&app, outcome, next, browser).await,
        Err(error) => {
            app.sign_ins.record((&error).into(), None, &browser.client);
            refuse(&app, form.email, next, &error)
        }
    }
}

/// Waits for a turn to verify the password, unless the sign-in must wait for longer.
async fn sign_in(
    app: &AppState,
    form: &SignInForm,
    browser: &Browser,
) -> Result<Result<SignInOutcome, SignInError>, PageError> {
    let (email, device, client) = (form.email.clone(), browser.device.digest(), browser.client.clone());
    let queue = match app.perform(move |actions| actions.admit_sign_in(&email, device, &client)).await? {
        Ok(queue) => queue,
        Err(error) => return Ok(Err(error)),
    };
    let _permit = app.hashing_permit(queue).await?;
    let (email, password) = (form.email.clone(), Password::presented(&form.password));
    let client = browser.client.clone();
    app.perform(move |actions| actions.sign_in(&email, &password, device, &client)).await
}

fn refuse(app: &AppState, email: String, next: Option<String>, error: &SignInError) -> Result<HttpResponse, PageError> {
    // A key that was typed here by mistake is not shown again.
    let email = if app.contains_api_key(&email) { String::new() } else { email };
    let page = |notice| SignInPage { layout: SignedOutLayout::new(app), email, next, notice: Some(notice) };
    match error {
        SignInError::Throttled(wait) => {
            too_many_attempts(&page(SignInNotice::Throttled { minutes: wait_minutes(*wait) }), *wait)
        }
        SignInError::Blocked => too_many_attempts(&page(SignInNotice::Blocked), MAX_LOCKOUT),
        _ => html(StatusCode::UNPROCESSABLE_ENTITY, &page(SignInNotice::Incorrect)),
    }
}

/// Signs the user out. A client without a session gets the same redirect.
pub async fn sign_out(
    user: Result<EnrollmentContext, PageError>,
    pending: Result<AwaitingCode, PageError>,
    session: Session,
) -> Result<HttpResponse, PageError> {
    match user {
        Ok(EnrollmentContext(cx)) => {
            let id = cx.user.session_id;
            cx.perform(move |actions, context| actions.sign_out(context, id)).await??;
            session.purge();
        }
        Err(PageError::SignInRequired(_)) if pending.is_ok() => session.purge(),
        Err(PageError::SignInRequired(_)) => {}
        Err(error) => return Err(error),
    }
    Ok(see_other(paths::SIGN_IN))
}

/// Returns `next` if it is a local path that contains no API key.
fn local_path(app: &AppState, next: &str) -> Option<String> {
    (paths::is_local(next) && !app.contains_api_key(next)).then(|| next.to_owned())
}
