//! The guards of the pages: whoever is signed in, an admin, a visitor. A handler's signature says which it wants.

use std::future::{Ready, ready};

use actix_session::SessionExt;
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest, web};

use super::error::PageError;
use super::session::{AWAITING_CODE, Loaded, LoadedAwaitingCode, SIGNED_IN, UNAVAILABLE};
use super::{Site, paths};
use crate::actions::{Admission, SignedInUser};
use crate::domain::actor::Actor;
use crate::domain::ids::{CompanyId, SessionId, UserId};
use crate::domain::user::{Role, Theme};
use crate::store::Company;

/// Whoever is signed in, admin or auditor: what is true of them now.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session.
    pub session_id: SessionId,
    /// Their company.
    pub company: Company,
    /// Who they are.
    pub user_id: UserId,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The time zone they chose.
    pub time_zone: Option<String>,
    /// How pages look to them.
    pub theme: Theme,
    owes_second_factor: bool,
}

impl SignedIn {
    /// The actor they are in the trail.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        Actor::User(self.user_id)
    }

    /// Who they are to an action.
    #[must_use]
    pub const fn as_user(&self) -> SignedInUser {
        SignedInUser { user_id: self.user_id, company_id: self.company.id }
    }

    /// Who is signed in; `None` for nobody.
    pub(super) fn find(request: &HttpRequest) -> Result<Option<Self>, PageError> {
        let session = request.get_session();
        if let Ok(Some(cause)) = session.get::<String>(UNAVAILABLE) {
            return Err(PageError::Unavailable(cause));
        }
        let Ok(Some(loaded)) = session.get::<Loaded>(SIGNED_IN) else { return Ok(None) };
        Ok(Self::from_loaded(loaded))
    }

    fn from_loaded(loaded: Loaded) -> Option<Self> {
        Some(Self {
            session_id: SessionId::parse(&loaded.session_id)?,
            company: Company { id: CompanyId::parse(&loaded.company_id)?, name: loaded.company },
            user_id: UserId::parse(&loaded.user_id)?,
            name: loaded.name,
            role: Role::parse(&loaded.role)?,
            time_zone: loaded.time_zone,
            theme: Theme::parse(&loaded.theme)?,
            owes_second_factor: loaded.owes_second_factor,
        })
    }
}

impl FromRequest for SignedIn {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(SessionHolder::from_request(request, payload).into_inner().and_then(|SessionHolder(holder)| {
            if holder.owes_second_factor { Err(PageError::SecondFactorNeeded) } else { Ok(holder) }
        }))
    }
}

/// Whoever has a session, among them the admin who must set a second factor up before anything else: for the few pages
/// that they need for it.
#[derive(Clone, Debug)]
pub struct SessionHolder(pub SignedIn);

impl SessionHolder {
    /// Whether they have to set a second factor up first.
    #[must_use]
    pub const fn owes_second_factor(&self) -> bool {
        self.0.owes_second_factor
    }
}

impl FromRequest for SessionHolder {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = SignedIn::find(request);
        ready(found.and_then(|found| found.map(Self).ok_or_else(|| PageError::SignInNeeded(next_of(request)))))
    }
}

/// An admin who is signed in.
#[derive(Clone, Debug)]
pub struct Admin(pub SignedIn);

impl FromRequest for Admin {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(SignedIn::from_request(request, payload).into_inner().and_then(|signed_in| match signed_in.role {
            Role::Admin => Ok(Self(signed_in)),
            Role::Auditor => Err(PageError::AdminsOnly),
        }))
    }
}

/// Whoever gave a password and has yet to give the code of their second factor. They are not signed in.
#[derive(Clone, Debug)]
pub struct AwaitingCode {
    /// Who they say they are, and since when.
    pub admission: Admission,
    /// Where they wanted to go.
    pub next: Option<String>,
}

impl AwaitingCode {
    fn find(request: &HttpRequest) -> Result<Option<Self>, PageError> {
        let session = request.get_session();
        if let Ok(Some(cause)) = session.get::<String>(UNAVAILABLE) {
            return Err(PageError::Unavailable(cause));
        }
        let Ok(Some(loaded)) = session.get::<LoadedAwaitingCode>(AWAITING_CODE) else { return Ok(None) };
        let ids = UserId::parse(&loaded.user_id).zip(CompanyId::parse(&loaded.company_id));
        Ok(ids.map(|(user_id, company_id)| Self {
            admission: Admission { user: SignedInUser { user_id, company_id }, epoch: loaded.epoch },
            next: loaded.next,
        }))
    }
}

impl FromRequest for AwaitingCode {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::find(request).and_then(|found| found.ok_or(PageError::PasswordNeeded)))
    }
}

/// Whoever opens a page for people who are not signed in yet.
#[derive(Debug)]
pub struct Visitor {
    /// They are signed in all the same.
    pub is_signed_in: bool,
    /// Their browser holds the cookie of a session that is over.
    pub was_signed_out: bool,
}

impl FromRequest for Visitor {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let cookie = request.app_data::<web::Data<Site>>().and_then(|site| request.cookie(site.cookie_name()));
        let found =
            SignedIn::find(request).and_then(|found| Ok((found.is_some(), AwaitingCode::find(request)?.is_some())));
        ready(found.map(|(is_signed_in, awaits_code)| Self {
            is_signed_in,
            was_signed_out: !is_signed_in && !awaits_code && cookie.is_some(),
        }))
    }
}

/// Where somebody goes on after sign-in: to the page they asked for, or to the form that they sent.
fn next_of(request: &HttpRequest) -> String {
    let path = request.path();
    let next = match request.query_string() {
        _ if !matches!(*request.method(), Method::GET | Method::HEAD) => paths::form_page(path).to_owned(),
        "" => path.to_owned(),
        query => format!("{path}?{query}"),
    };
    match request.app_data::<web::Data<Site>>() {
        Some(site) if site.shows_a_key(&next) => paths::API_KEYS.to_owned(),
        _ => next,
    }
}
