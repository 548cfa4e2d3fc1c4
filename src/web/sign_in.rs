//! Signing in and out.

use actix_session::Session;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;

use super::error::PageError;
use super::guards::{SignedIn, Visitor};
use super::request::Query;
use super::{Site, blocking, html, paths, see_other, session};
use crate::actions::{SignInError, SignedInUser};
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
}

impl SignInPage {
    fn title(&self) -> String {
        let error = if self.failed() { "Error: " } else { "" };
        format!("{error}Sign in – {} administration", self.shell.platform)
    }

    fn failed(&self) -> bool {
        matches!(self.notice, Some(SignInNotice::Incorrect | SignInNotice::Throttled { .. }))
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
    session: Session,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let fields = body.fields().await?;
    let email = fields.one("email")?.to_owned();
    let password = Password::presented(fields.one("password")?);
    let next = local(&site, fields.one("next")?);
    let permit = site.permit_to_hash().await?;
    let (actions, typed, client) = (site.actions.clone(), email.clone(), caller.address);
    let origin = caller.as_origin(Actor::System);
    let signed_in = blocking(move || match actions.sign_in(&typed, &password, client, &origin) {
        Err(SignInError::Store(error)) => Err(PageError::from(error)),
        other => Ok(other),
    })
    .await?;
    drop(permit);
    let page = |notice| SignInPage { shell: site.outside_shell(), email, next: next.clone(), notice: Some(notice) };
    match signed_in {
        Ok(user) => {
            session::begin(&session, user, &caller)?;
            Ok(see_other(next.as_deref().unwrap_or(paths::API_KEYS)))
        }
        Err(SignInError::Throttled(wait)) => {
            let seconds = wait.as_millis().div_ceil(1_000);
            let minutes = u64::try_from(seconds.div_ceil(60)).unwrap_or(u64::MAX);
            let mut answer = html(StatusCode::TOO_MANY_REQUESTS, &page(SignInNotice::Throttled { minutes }))?;
            let seconds = actix_web::http::header::HeaderValue::from_str(&seconds.to_string());
            if let Ok(seconds) = seconds {
                answer.headers_mut().insert(actix_web::http::header::RETRY_AFTER, seconds);
            }
            Ok(answer)
        }
        Err(_) => html(StatusCode::UNPROCESSABLE_ENTITY, &page(SignInNotice::Incorrect)),
    }
}

/// For both roles; whoever is signed out already is led to the same place.
pub(super) async fn sign_out(
    signed_in: Result<SignedIn, PageError>,
    caller: Caller,
    session: Session,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let signed_in = match signed_in {
        Ok(signed_in) => signed_in,
        Err(PageError::SignInNeeded(_)) => return Ok(see_other(paths::SIGN_IN)),
        Err(error) => return Err(error),
    };
    let user = SignedInUser { user_id: signed_in.user_id, company_id: signed_in.company.id };
    let (actions, origin) = (site.actions.clone(), caller.as_origin(signed_in.actor()));
    blocking(move || actions.sign_out(user, &origin)).await?;
    session.purge();
    Ok(see_other(paths::SIGN_IN))
}

/// A path that may follow sign-in; everything else is ignored.
fn local(site: &Site, next: &str) -> Option<String> {
    (paths::is_local(next) && !site.shows_a_key(next)).then(|| next.to_owned())
}
