//! Signing in and out.

use actix_session::Session;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;

use super::device::Device;
use super::error::PageError;
use super::guards::{SessionHolder, Visitor};
use super::request::Query;
use super::{LONGEST_WAIT, Site, blocking, html, minutes, paths, see_other, session, too_many_attempts};
use crate::actions::{SignIn, SignInError};
use crate::domain::actor::Actor;
use crate::domain::password::Password;
use crate::edge::body::FormBody;
use crate::edge::caller::Caller;
use crate::web::page::OutsideShell;

#[derive(Template)]
#[template(path = "sign_in/page.html")]
pub struct SignInPage {
    pub shell: OutsideShell,
    /// Kept after a failure; the password never is.
    pub email: String,
    /// A local path to go on to.
    pub next: Option<String>,
    pub notice: Option<SignInNotice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInNotice {
    /// One message for all causes.
    Incorrect,
    Throttled {
        minutes: u64,
    },
    SignedOut,
    /// No browser that is unknown gets in any more.
    Stopped,
}

impl SignInPage {
    fn title(&self) -> String {
        let error = if self.failed() { "Error: " } else { "" };
        format!("{error}Sign in – {} administration", self.shell.platform)
    }

    fn failed(&self) -> bool {
        matches!(self.notice, Some(SignInNotice::Incorrect | SignInNotice::Throttled { .. } | SignInNotice::Stopped))
    }
}

pub(super) async fn show(visitor: Visitor, query: Query, site: Data<Site>) -> Result<HttpResponse, PageError> {
    if visitor.is_signed_in {
        return Ok(see_other(paths::API_KEYS));
    }
    let notice = visitor.was_signed_out.then_some(SignInNotice::SignedOut);
    let next = local(&site, query.0.one("next")?);
    html(StatusCode::OK, &SignInPage { shell: site.outside_shell(), email: String::new(), next, notice })
}

pub(super) async fn submit(
    body: FormBody,
    caller: Caller,
    device: Device,
    session: Session,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let fields = body.fields().await?;
    let email = fields.one("email")?.to_owned();
    let password = Password::presented(fields.one("password")?);
    let next = local(&site, fields.one("next")?);
    let permit = site.permit_to_hash().await?;
    let (actions, typed, attempter) = (site.actions.clone(), email.clone(), device.as_attempter(&caller));
    let origin = caller.as_origin(Actor::System);
    let accepted = blocking(move || match actions.sign_in(&typed, &password, &attempter, &origin) {
        Err(SignInError::Store(error)) => Err(PageError::from(error)),
        other => Ok(other),
    })
    .await?;
    drop(permit);
    let page = |notice| SignInPage { shell: site.outside_shell(), email, next: next.clone(), notice: Some(notice) };
    match accepted {
        Ok(sign_in) => go_on(sign_in, next, &caller, device, &session, &site).await,
        Err(SignInError::Throttled(wait)) => {
            too_many_attempts(&page(SignInNotice::Throttled { minutes: minutes(wait) }), wait)
        }
        Err(SignInError::Stopped) => too_many_attempts(&page(SignInNotice::Stopped), LONGEST_WAIT),
        Err(_) => html(StatusCode::UNPROCESSABLE_ENTITY, &page(SignInNotice::Incorrect)),
    }
}

/// Begins the session of somebody who is signed in, or asks for the code that is still missing.
pub(super) async fn go_on(
    sign_in: SignIn,
    next: Option<String>,
    caller: &Caller,
    device: Device,
    session: &Session,
    site: &Data<Site>,
) -> Result<HttpResponse, PageError> {
    match sign_in {
        SignIn::Complete(admission) => {
            session::begin(session, admission, caller)?;
            let mut answer = see_other(next.as_deref().unwrap_or(paths::API_KEYS));
            device.remember(site, admission.user, &mut answer).await;
            Ok(answer)
        }
        SignIn::AwaitsCode(admission) => {
            session::await_code(session, admission, next)?;
            Ok(see_other(paths::SIGN_IN_CODE))
        }
    }
}

/// For both roles; whoever is signed out already is led to the same place.
pub(super) async fn sign_out(
    holder: Result<SessionHolder, PageError>,
    caller: Caller,
    session: Session,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let SessionHolder(signed_in) = match holder {
        Ok(holder) => holder,
        Err(PageError::SignInNeeded(_)) => {
            session.purge();
            return Ok(see_other(paths::SIGN_IN));
        }
        Err(error) => return Err(error),
    };
    let (actions, origin) = (site.actions.clone(), caller.as_origin(signed_in.actor()));
    blocking(move || actions.sign_out(signed_in.as_user(), &origin)).await?;
    session.purge();
    Ok(see_other(paths::SIGN_IN))
}

/// A path that may follow sign-in; everything else is ignored.
fn local(site: &Site, next: &str) -> Option<String> {
    (paths::is_local(next) && !site.shows_a_key(next)).then(|| next.to_owned())
}
