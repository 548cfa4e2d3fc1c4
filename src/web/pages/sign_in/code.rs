//! The second step of signing in: the code from the second factor.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use serde::Deserialize;

use crate::actions::{SignInError, SignInOutcome};
use crate::http::body::FormBody;
use crate::web::app::error::PageError;
use crate::web::app::guards::AwaitingCode;
use crate::web::app::respond::{MAX_LOCKOUT, html, too_many_attempts, wait_minutes};
use crate::web::app::session::start::{Browser, continue_sign_in};
use crate::web::app::state::AppState;
use crate::web::components::layout::SignedOutLayout;
use crate::web::paths::{SIGN_IN, SIGN_IN_CODE};

#[derive(Template)]
#[template(path = "sign_in/code.html")]
pub struct SignInCodePage {
    pub layout: SignedOutLayout,
    pub notice: Option<CodeNotice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeNotice {
    Incorrect,
    Throttled {
        minutes: u64,
    },
    /// Too many failures: only known browsers may still try.
    Blocked,
}

impl SignInCodePage {
    fn title(&self) -> String {
        let error = if self.notice.is_some() { "Error: " } else { "" };
        format!("{error}Enter your code – {} administration", self.layout.platform)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct CodeForm {
    code: String,
}

pub async fn show(_: AwaitingCode, app: Data<AppState>) -> Result<HttpResponse, PageError> {
    html(StatusCode::OK, &SignInCodePage { layout: SignedOutLayout::new(&app), notice: None })
}

pub async fn submit(
    pending: AwaitingCode,
    body: FormBody,
    browser: Browser,
    app: Data<AppState>,
) -> Result<HttpResponse, PageError> {
    let form: CodeForm = body.form().await?;
    let (user, device, client) = (pending.user, browser.device.digest(), browser.client.clone());
    let verified = app.perform(move |actions| actions.verify_code(user, &form.code, device, &client)).await?;
    if let Err(error) = &verified {
        app.sign_ins.record(error.into(), Some(user.user), &browser.client);
    }
    let page = |notice| SignInCodePage { layout: SignedOutLayout::new(&app), notice: Some(notice) };
    match verified {
        Ok(()) => continue_sign_in(&app, SignInOutcome::Complete(user), pending.next, browser).await,
        Err(SignInError::Throttled(wait)) => {
            too_many_attempts(&page(CodeNotice::Throttled { minutes: wait_minutes(wait) }), wait)
        }
        Err(SignInError::Outdated) => Err(PageError::PasswordRequired),
        Err(SignInError::Blocked) => too_many_attempts(&page(CodeNotice::Blocked), MAX_LOCKOUT),
        Err(_) => html(StatusCode::UNPROCESSABLE_ENTITY, &page(CodeNotice::Incorrect)),
    }
}
