//! Sessions behind actix-session: the token in the cookie, its digest in the store, and the guards of the pages.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::time::Duration;

use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_session::{Session, SessionExt};
use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest, web};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::PageError;
use super::{Site, paths};
use crate::actions::SignedInUser;
use crate::clock::Clock;
use crate::domain::event::Actor;
use crate::domain::ids::{CompanyId, SessionId, UserId};
use crate::domain::user::Role;
use crate::edge::caller::Caller;
use crate::random;
use crate::store::{Company, NewSession, Store, StoreError};

/// A session ends when it was not used for so long.
const IDLE: Duration = Duration::from_hours(1);
/// A session ends so long after sign-in.
const OVERALL: Duration = Duration::from_hours(24);
/// A session's use is noted at most so often.
const BETWEEN_TOUCHES: Duration = Duration::from_mins(1);

/// The clocks of two servers may differ by so much; a session from later than that has outlived a clock that went back.
const SKEW: Duration = Duration::from_mins(5);

/// The entry that a loaded session has.
const SIGNED_IN: &str = "signed_in";
/// The entry that makes a session.
const SIGNING_IN: &str = "signing_in";
/// The entry that stands for a store that did not answer.
const UNAVAILABLE: &str = "unavailable";

#[derive(Clone, Serialize, Deserialize)]
struct Loaded {
    session_id: String,
    company_id: String,
    company: String,
    user_id: String,
    name: String,
    role: String,
}

#[derive(Serialize, Deserialize)]
struct Beginning {
    company_id: String,
    user_id: String,
    client_address: Option<String>,
    user_agent: Option<String>,
}

/// A session could not be stored or ended.
#[derive(Debug, thiserror::Error)]
#[error("the session could not be stored: {0}")]
pub struct SessionFailed(String);

impl From<StoreError> for SessionFailed {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

/// Where actix-session keeps sessions.
#[derive(Clone, Debug)]
pub struct StoredSessions {
    store: Store,
    clock: Clock,
}

impl StoredSessions {
    /// Sessions in that store.
    #[must_use]
    pub const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    fn read(&self, token: &str) -> Result<Option<Loaded>, StoreError> {
        let now = self.clock.now();
        let Some(session) = self.store.ask(|questions| questions.session(&digest(token)))? else { return Ok(None) };
        let from_the_future = session.created_at.since(now) > SKEW;
        if from_the_future || now.since(session.last_seen_at) >= IDLE || now.since(session.created_at) >= OVERALL {
            return Ok(None);
        }
        if now.since(session.last_seen_at) >= BETWEEN_TOUCHES
            && let Err(error) = self.store.touch_session(session.id, now)
        {
            tracing::warn!(%error, "a session's use could not be noted");
        }
        Ok(Some(Loaded {
            session_id: session.id.to_string(),
            company_id: session.company.id.to_string(),
            company: session.company.name,
            user_id: session.user_id.to_string(),
            name: session.name,
            role: session.role.as_str().to_owned(),
        }))
    }

    fn begin(&self, beginning: &Beginning) -> Result<String, SessionFailed> {
        let broken = || SessionFailed("it names nobody".to_owned());
        let token = BASE64_URL_SAFE_NO_PAD.encode(random::bytes::<32>());
        let now = self.clock.now();
        let session = NewSession {
            id: SessionId::new(now, &random::bytes()),
            token_digest: digest(&token),
            company_id: CompanyId::parse(&beginning.company_id).ok_or_else(broken)?,
            user_id: UserId::parse(&beginning.user_id).ok_or_else(broken)?,
            created_at: now,
            client_address: beginning.client_address.clone(),
            user_agent: beginning.user_agent.clone(),
        };
        self.store.write(|transaction| {
            transaction.delete_sessions(now - IDLE, now - OVERALL)?;
            transaction.insert_session(&session)
        })?;
        Ok(token)
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

impl SessionStore for StoredSessions {
    /// Answers a store that fails with a session that says so: a guard then draws the page for it, where actix-session
    /// would answer an empty 500.
    async fn load(&self, key: &SessionKey) -> Result<Option<HashMap<String, String>>, LoadError> {
        let (sessions, token) = (self.clone(), key.as_ref().to_owned());
        let loaded = super::blocking(move || sessions.read(&token).map_err(PageError::from)).await;
        let entry = match &loaded {
            Ok(None) => return Ok(None),
            Ok(Some(session)) => (SIGNED_IN, serde_json::to_string(session)),
            Err(error) => (UNAVAILABLE, serde_json::to_string(&error.to_string())),
        };
        let value = entry.1.map_err(|error| LoadError::Deserialization(error.into()))?;
        Ok(Some(HashMap::from([(entry.0.to_owned(), value)])))
    }

    async fn save(&self, state: HashMap<String, String>, _: &CookieDuration) -> Result<SessionKey, SaveError> {
        let beginning = state.get(SIGNING_IN).and_then(|value| serde_json::from_str(value).ok());
        let beginning: Beginning =
            beginning.ok_or_else(|| SaveError::Other(SessionFailed("nobody signs in".to_owned()).into()))?;
        let sessions = self.clone();
        let token = web::block(move || sessions.begin(&beginning)).await;
        let token = token.map_err(|error| SaveError::Other(SessionFailed(error.to_string()).into()))?;
        let token = token.map_err(|error| SaveError::Other(error.into()))?;
        SessionKey::try_from(token).map_err(|error| SaveError::Other(error.into()))
    }

    /// Nothing in a stored session changes, and an ended one is not made again.
    async fn update(
        &self,
        key: SessionKey,
        _: HashMap<String, String>,
        _: &CookieDuration,
    ) -> Result<SessionKey, UpdateError> {
        Ok(key)
    }

    async fn update_ttl(&self, _: &SessionKey, _: &CookieDuration) -> Result<(), anyhow::Error> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        let (store, digest) = (self.store.clone(), digest(key.as_ref()));
        web::block(move || store.end_session(&digest).map_err(SessionFailed::from))
            .await
            .map_err(|error| SessionFailed(error.to_string()))??;
        Ok(())
    }
}

/// Begins a session for whoever just signed in; the token is a new one, and a session they had is ended.
///
/// # Errors
/// [`PageError::Internal`].
pub(super) fn begin(session: &Session, user: SignedInUser, caller: &Caller) -> Result<(), PageError> {
    let beginning = Beginning {
        company_id: user.company_id.to_string(),
        user_id: user.user_id.to_string(),
        client_address: caller.address.map(|address| address.to_string()),
        user_agent: caller.user_agent.clone(),
    };
    session.clear();
    session.insert(SIGNING_IN, beginning).map_err(|error| PageError::Internal(error.to_string()))?;
    session.renew();
    Ok(())
}

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
}

impl SignedIn {
    /// The actor they are in the trail.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        Actor::User(self.user_id)
    }

    /// Who is signed in; `None` for nobody.
    fn find(request: &HttpRequest) -> Result<Option<Self>, PageError> {
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
        })
    }
}

impl FromRequest for SignedIn {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = Self::find(request);
        ready(found.and_then(|found| found.ok_or_else(|| PageError::SignInNeeded(next_of(request)))))
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
        ready(
            SignedIn::find(request).map(|found| Self {
                is_signed_in: found.is_some(),
                was_signed_out: found.is_none() && cookie.is_some(),
            }),
        )
    }
}

/// Where somebody goes on after sign-in: to the page they asked for, or to the form that they sent.
fn next_of(request: &HttpRequest) -> String {
    let path = request.path();
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return paths::form_page(path).to_owned();
    }
    let shows_a_key = |query: &str| {
        let decoded = percent_encoding::percent_decode_str(query).decode_utf8_lossy();
        request.app_data::<web::Data<Site>>().is_some_and(|site| site.actions.key_format.occurs_in(&decoded))
    };
    match request.query_string() {
        "" => path.to_owned(),
        query if shows_a_key(query) => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}
