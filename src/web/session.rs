//! Sessions behind actix-session: the token in the cookie, its digest in the store.

use std::collections::HashMap;
use std::time::Duration;

use actix_session::Session;
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::web;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::PageError;
use crate::actions::SignedInUser;
use crate::clock::Clock;
use crate::domain::ids::{CompanyId, SessionId, UserId};
use crate::edge::caller::Caller;
use crate::random;
use crate::store::{NewSession, Store, StoreError};

/// A session ends when it was not used for so long.
const IDLE: Duration = Duration::from_hours(1);
/// A session ends so long after sign-in.
const OVERALL: Duration = Duration::from_hours(24);
/// A session's use is noted at most so often.
const BETWEEN_TOUCHES: Duration = Duration::from_mins(1);

/// The clocks of two servers may differ by so much; a session from later than that has outlived a clock that went back.
const SKEW: Duration = Duration::from_mins(5);

/// The entry that a loaded session has.
pub(super) const SIGNED_IN: &str = "signed_in";
/// The entry that makes a session.
const SIGNING_IN: &str = "signing_in";
/// The entry that stands for a store that did not answer.
pub(super) const UNAVAILABLE: &str = "unavailable";

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Loaded {
    pub(super) session_id: String,
    pub(super) company_id: String,
    pub(super) company: String,
    pub(super) user_id: String,
    pub(super) name: String,
    pub(super) role: String,
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
