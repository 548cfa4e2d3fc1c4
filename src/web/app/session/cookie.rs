//! The session cookie. actix-session signs, sets and removes it. Its state is only the token; the guards read the row
//! of the session.

use std::collections::HashMap;
use std::fmt::Display;

use actix_session::Session;
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_web::cookie::time::Duration;

use crate::domain::token::{Token, TokenDigest};
use crate::http::blocking;
use crate::store::Store;
use crate::web::app::change_outcome::BegunChange;
use crate::web::app::error::PageError;

/// The only entry in the session state.
const TOKEN_ENTRY: &str = "token";

#[derive(Debug, thiserror::Error)]
#[error("the session could not be stored: {0}")]
pub struct SessionError(String);

impl SessionError {
    fn new(cause: impl Display) -> Self {
        Self(cause.to_string())
    }
}

/// The token of the request's cookie. The session of the token may have ended.
pub fn token(session: &Session) -> Option<String> {
    token_in(&session.entries())
}

fn token_in(state: &HashMap<String, String>) -> Option<String> {
    state.get(TOKEN_ENTRY).map(|value| value.trim_matches('"').to_owned())
}

/// Puts a new token into the cookie: actix-session then sends `Set-Cookie`. The session of the old token is deleted
/// with the response.
pub fn set_token(session: &Session, token: &Token) -> Result<(), PageError> {
    session.clear();
    session.insert(TOKEN_ENTRY, token.expose_secret()).map_err(|error| PageError::Internal(error.to_string()))?;
    session.renew();
    Ok(())
}

/// Connects actix-session to the store. The key of a session is its token.
pub struct CookieSessionStore {
    store: Store,
}

impl CookieSessionStore {
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self { store }
    }
}

impl SessionStore for CookieSessionStore {
    /// The value is the bare token. actix-session itself writes values as JSON, which for a token only adds quotes.
    /// [`token_in`] reads both, so no request needs JSON.
    async fn load(&self, key: &SessionKey) -> Result<Option<HashMap<String, String>>, LoadError> {
        Ok(Some(HashMap::from([(TOKEN_ENTRY.to_owned(), key.as_ref().to_owned())])))
    }

    /// Inserts nothing: the row exists before [`set_token`] is called.
    async fn save(&self, state: HashMap<String, String>, _: &Duration) -> Result<SessionKey, SaveError> {
        let token = token_in(&state).ok_or_else(|| SaveError::Other(SessionError::new("it has no token").into()))?;
        SessionKey::try_from(token).map_err(|error| SaveError::Other(error.into()))
    }

    /// Does nothing: the state of a session never changes, and a session that has ended must not be created again.
    async fn update(
        &self,
        key: SessionKey,
        _: HashMap<String, String>,
        _: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        Ok(key)
    }

    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        let (store, digest) = (self.store.clone(), TokenDigest::of(key.as_ref()));
        // The cookie may stay, but the session may have ended.
        let _ended = BegunChange::begin();
        let ended = blocking::run(move || store.end_session(&digest)).await.map_err(SessionError::new)?;
        Ok(ended.map_err(SessionError::new)?)
    }
}
