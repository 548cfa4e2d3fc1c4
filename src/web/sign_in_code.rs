//! The second step of signing in, for whoever has a second factor.

use actix_session::Session;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;

use super::device::Device;
use super::error::PageError;
use super::guards::AwaitingCode;
use super::{LONGEST_WAIT, Site, blocking, html, minutes, sign_in, too_many_attempts};
use crate::actions::{SignIn, SignInError};
use crate::domain::actor::Actor;
use crate::edge::body::FormBody;
use crate::edge::caller::Caller;
use crate::web::page::OutsideShell;
use crate::web::paths::{SIGN_IN, SIGN_IN_CODE};

#[derive(Template)]
#[template(path = "sign_in_code/page.html")]
pub struct SignInCodePage {
    pub shell: OutsideShell,
    pub notice: Option<CodeNotice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeNotice {
    Incorrect,
    Throttled {
        minutes: u64,
    },
    /// No browser that is unknown gets in any more.
    Stopped,
}

impl SignInCodePage {
    fn title(&self) -> String {
        let error = if self.notice.is_some() { "Error: " } else { "" };
        format!("{error}Enter your code – {} administration", self.shell.platform)
    }
}

pub(super) async fn show(_: AwaitingCode, site: Data<Site>) -> Result<HttpResponse, PageError> {
    html(StatusCode::OK, &SignInCodePage { shell: site.outside_shell(), notice: None })
}

pub(super) async fn submit(
    awaiting: AwaitingCode,
    body: FormBody,
    caller: Caller,
    device: Device,
    session: Session,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let fields = body.fields().await?;
    let typed = fields.one("code")?.to_owned();
    let (actions, attempter) = (site.actions.clone(), device.as_attempter(&caller));
    let origin = caller.as_origin(Actor::System);
    let given = blocking(move || match actions.give_code(awaiting.admission, &typed, &attempter, &origin) {
        Err(SignInError::Store(error)) => Err(PageError::from(error)),
        other => Ok(other),
    })
    .await?;
    let page = |notice| SignInCodePage { shell: site.outside_shell(), notice: Some(notice) };
    match given {
        Ok(()) => {
            sign_in::go_on(SignIn::Complete(awaiting.admission), awaiting.next, &caller, device, &session, &site).await
        }
        Err(SignInError::Throttled(wait)) => {
            too_many_attempts(&page(CodeNotice::Throttled { minutes: minutes(wait) }), wait)
        }
        Err(SignInError::Outdated) => Err(PageError::PasswordNeeded),
        Err(SignInError::Stopped) => too_many_attempts(&page(CodeNotice::Stopped), LONGEST_WAIT),
        Err(_) => html(StatusCode::UNPROCESSABLE_ENTITY, &page(CodeNotice::Incorrect)),
    }
}
