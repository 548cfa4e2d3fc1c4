//! Sessions behind actix-session: the token in the cookie, its digest in the store. The same cookie carries a sign-in
//! that lacks its code, which is no session.

mod kept;

use std::collections::HashMap;

use actix_session::Session;
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_web::cookie::time::Duration;
use actix_web::web::{self, Data};

pub use self::kept::SessionFailed;
use self::kept::{BETWEEN_TOUCHES, Beginning, Sessions, is_over};
pub(super) use self::kept::{Loaded, LoadedAwaitingCode, outlived};
use super::at_hand::AtHand;
use super::error::PageError;
use crate::actions::Admission;
use crate::clock::Clock;
use crate::domain::token::TokenDigest;
use crate::edge::caller::Caller;
use crate::store::Store;

/// The entry that a loaded session has.
pub(super) const SIGNED_IN: &str = "signed_in";
/// The entry that a loaded sign-in has which lacks its code.
pub(super) const AWAITING_CODE: &str = "awaiting_code";
/// The entry that makes a session, or a sign-in that lacks its code.
const BEGINNING: &str = "beginning";
/// The entry that stands for a store that did not answer.
pub(super) const UNAVAILABLE: &str = "unavailable";

/// Where actix-session keeps sessions; one for each thread that serves.
pub struct StoredSessions {
    sessions: Sessions,
    at_hand: Data<AtHand>,
}

impl StoredSessions {
    /// Sessions in that store, for the thread that calls this.
    #[must_use]
    pub fn new(store: Store, clock: Clock, at_hand: Data<AtHand>) -> Self {
        Self { sessions: Sessions { store, clock }, at_hand }
    }

    /// The entry of a session whose use need not be noted. Whatever else becomes of a token is found out where threads may wait.
    fn at_hand(&self, token: &str) -> Option<(&'static str, String)> {
        let now = self.sessions.clock.now();
        let digest = TokenDigest::of(token);
        let session = self.at_hand.ask(|questions| questions.session(&digest))??;
        let is_seen = !is_over(&session, now) && now.since(session.last_seen_at) < BETWEEN_TOUCHES;
        let entry = serde_json::to_string(&Loaded::from(session)).ok()?;
        is_seen.then_some((SIGNED_IN, entry))
    }
}

impl SessionStore for StoredSessions {
    /// Answers a store that fails with a session that says so: a guard then draws the page for it, where actix-session
    /// would answer an empty 500.
    async fn load(&self, key: &SessionKey) -> Result<Option<HashMap<String, String>>, LoadError> {
        let loaded = if let Some(entry) = self.at_hand(key.as_ref()) {
            Ok(Some(entry))
        } else {
            let (sessions, token) = (self.sessions.clone(), key.as_ref().to_owned());
            super::blocking(move || sessions.load_entry(&token).map_err(PageError::from)).await
        };
        let (name, value) = match loaded {
            Ok(None) => return Ok(None),
            Ok(Some(entry)) => entry,
            Err(error) => {
                let cause = serde_json::to_string(&error.to_string());
                (UNAVAILABLE, cause.map_err(|error| LoadError::Deserialization(error.into()))?)
            }
        };
        Ok(Some(HashMap::from([(name.to_owned(), value)])))
    }

    async fn save(&self, state: HashMap<String, String>, _: &Duration) -> Result<SessionKey, SaveError> {
        let beginning = state.get(BEGINNING).and_then(|value| serde_json::from_str(value).ok());
        let beginning: Beginning =
            beginning.ok_or_else(|| SaveError::Other(SessionFailed::because("nobody signs in").into()))?;
        let sessions = self.sessions.clone();
        let token = web::block(move || sessions.begin(beginning)).await;
        let token = token.map_err(|error| SaveError::Other(SessionFailed::because(error).into()))?;
        let token = token.map_err(|error| SaveError::Other(error.into()))?;
        SessionKey::try_from(token.reveal().to_owned()).map_err(|error| SaveError::Other(error.into()))
    }

    /// Nothing in a stored session changes, and an ended one is not made again.
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
        let (store, digest) = (self.sessions.store.clone(), TokenDigest::of(key.as_ref()));
        web::block(move || store.end_session(&digest).map_err(SessionFailed::from))
            .await
            .map_err(SessionFailed::because)??;
        Ok(())
    }
}

/// Begins a session for whoever just signed in; the token is a new one, and a session they had is ended.
///
/// # Errors
/// [`PageError::Internal`].
pub(super) fn begin(session: &Session, admission: Admission, caller: &Caller) -> Result<(), PageError> {
    let beginning = Beginning::Session {
        company_id: admission.user.company_id.to_string(),
        user_id: admission.user.user_id.to_string(),
        epoch: admission.epoch,
        client_address: caller.address.map(|address| address.to_string()),
        user_agent: caller.user_agent.clone(),
    };
    put(session, &beginning)
}

/// Begins to wait for the code of somebody whose password was right.
///
/// # Errors
/// [`PageError::Internal`].
pub(super) fn await_code(session: &Session, admission: Admission, next: Option<String>) -> Result<(), PageError> {
    let Admission { user, epoch } = admission;
    let (company_id, user_id) = (user.company_id.to_string(), user.user_id.to_string());
    put(session, &Beginning::AwaitingCode(LoadedAwaitingCode { company_id, user_id, epoch, next }))
}

fn put(session: &Session, beginning: &Beginning) -> Result<(), PageError> {
    session.clear();
    session.insert(BEGINNING, beginning).map_err(|error| PageError::Internal(error.to_string()))?;
    session.renew();
    Ok(())
}
