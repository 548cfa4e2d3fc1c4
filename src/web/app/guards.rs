//! Extractors that guard handlers: `PageContext` requires a signed-in user, `Admin` an admin, `EnrollmentContext` a
//! user who may still have to set up a second factor, `AwaitingCode` a password. `Visitor` requires nothing.

use actix_session::{Session, SessionExt};
use actix_web::cookie::Cookie;
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::{FutureExt, LocalBoxFuture};

use super::error::PageError;
use super::inline_reader::InlineReader;
use super::page_context::{CurrentUser, PageContext};
use super::session::cookie;
use super::session::store::SessionState;
use super::state::{AppState, blocking};
use super::time::zone::Zone;
use crate::actions::{AuthenticatedUser, SignedInUser};
use crate::domain::client::Client;
use crate::domain::token::TokenDigest;
use crate::domain::user::profile::Role;
use crate::http::request_user::RequestUser;
use crate::web::paths;

impl FromRequest for PageContext {
    type Error = PageError;
    type Future = LocalBoxFuture<'static, Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let context = EnrollmentContext::from_request(request, payload);
        async move {
            let EnrollmentContext(context) = context.await?;
            if context.user.must_enroll_second_factor {
                return Err(PageError::SecondFactorRequired);
            }
            Ok(Self { admits_unenrolled: false, ..context })
        }
        .boxed_local()
    }
}

/// The context of a request by an admin.
#[derive(Clone)]
pub struct Admin(pub PageContext);

impl FromRequest for Admin {
    type Error = PageError;
    type Future = LocalBoxFuture<'static, Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let context = PageContext::from_request(request, payload);
        async move {
            match context.await? {
                context if context.user.role == Role::Admin => Ok(Self(context)),
                _ => Err(PageError::AdminsOnly),
            }
        }
        .boxed_local()
    }
}

/// A [`PageContext`] that also admits an admin who must still set up a second factor.
#[derive(Clone)]
pub struct EnrollmentContext(pub PageContext);

impl EnrollmentContext {
    /// Whether this admin must set up a second factor before opening any other page.
    #[must_use]
    pub const fn must_enroll_second_factor(&self) -> bool {
        self.0.user.must_enroll_second_factor
    }
}

impl FromRequest for EnrollmentContext {
    type Error = PageError;
    type Future = LocalBoxFuture<'static, Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let client = Client::from_request(request, payload).into_inner();
        let request = request.clone();
        async move {
            let app = app_state(&request)?;
            let Some(SessionState::SignedIn(session)) = find_session(&request, &app).await? else {
                return Err(PageError::SignInRequired(page_after_sign_in(&request, &app)));
            };
            let user = CurrentUser::from(session);
            RequestUser { user_id: user.user_id, company_id: user.company.id }.set(&request);
            let zone = user.time_zone.as_deref().and_then(Zone::named);
            let zone = zone.unwrap_or_else(|| Zone::from_cookie(request.cookie("tz").as_ref().map(Cookie::value)));
            let client = client.unwrap_or_default();
            let after_sign_in = page_after_sign_in(&request, &app);
            let is_submission = *request.method() == Method::POST;
            Ok(Self(PageContext { user, zone, client, app, after_sign_in, is_submission, admits_unenrolled: true }))
        }
        .boxed_local()
    }
}

/// A user who entered the right password but no code yet. The user is not signed in.
#[derive(Clone, Debug)]
pub struct AwaitingCode {
    pub user: AuthenticatedUser,
    /// The page to go to after sign-in.
    pub next: Option<String>,
}

impl FromRequest for AwaitingCode {
    type Error = PageError;
    type Future = LocalBoxFuture<'static, Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move {
            match find_session(&request, app_state(&request)?.get_ref()).await? {
                Some(SessionState::AwaitingCode(pending)) => {
                    let user = SignedInUser { user_id: pending.user_id, company_id: pending.company_id };
                    Ok(Self { user: AuthenticatedUser { user, epoch: pending.epoch }, next: pending.next })
                }
                _ => Err(PageError::PasswordRequired),
            }
        }
        .boxed_local()
    }
}

/// The session state of a client, for pages that do not require sign-in.
#[derive(Debug)]
pub enum Visitor {
    SignedIn,
    AwaitingCode,
    /// The client has a cookie, but no session.
    SignedOut,
    New,
}

impl FromRequest for Visitor {
    type Error = PageError;
    type Future = LocalBoxFuture<'static, Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move {
            let app = app_state(&request)?;
            Ok(match find_session(&request, &app).await? {
                Some(SessionState::SignedIn(_)) => Self::SignedIn,
                Some(SessionState::AwaitingCode(_)) => Self::AwaitingCode,
                None if request.cookie(app.cookie_name()).is_some() => Self::SignedOut,
                None => Self::New,
            })
        }
        .boxed_local()
    }
}

fn app_state(request: &HttpRequest) -> Result<Data<AppState>, PageError> {
    let state = request.app_data::<Data<AppState>>().cloned();
    state.ok_or_else(|| PageError::Internal("the routes have no state".to_owned()))
}

/// Finds the session of the cookie's token. On SQLite, the common case is one short query on this thread.
async fn find_session(request: &HttpRequest, app: &AppState) -> Result<Option<SessionState>, PageError> {
    let session: Session = request.get_session();
    let Some(token) = cookie::token(&session) else { return Ok(None) };
    let (sessions, digest) = (app.sessions(), TokenDigest::of(&token));
    let reader = request.app_data::<Data<InlineReader>>();
    if let Some(session) = reader.and_then(|reader| sessions.find_inline(reader, &digest)) {
        return Ok(Some(SessionState::SignedIn(session)));
    }
    blocking(move || sessions.find(&digest)).await
}

/// The page to go to after sign-in: the requested page, or the page with the submitted form.
fn page_after_sign_in(request: &HttpRequest, app: &AppState) -> String {
    let path = request.path();
    let next = match request.query_string() {
        _ if !matches!(*request.method(), Method::GET | Method::HEAD) => paths::form_page(path).to_owned(),
        "" => path.to_owned(),
        query => format!("{path}?{query}"),
    };
    if app.contains_api_key(&next) { paths::API_KEYS.to_owned() } else { next }
}
