//! The state that all pages share. It runs queries and actions on the blocking pool.

use std::fmt;

use actix_web::cookie::Key;
use tokio::sync::SemaphorePermit;

use super::change_outcome::BegunChange;
use super::cookie_names::CookieNames;
use super::error::PageError;
use super::hashing::HashingPermits;
use super::session::store::Sessions;
use super::sign_in_outcomes::SignInOutcomes;
use crate::actions::{ActionError, Actions, HashingQueue};
use crate::config::PublicUrl;
use crate::domain::timestamp::Timestamp;
use crate::evidence::StateMonitor;
use crate::http::blocking;
use crate::random;
use crate::store::{Db, StoreError};
use crate::witness::Witnesses;

#[derive(Debug)]
pub struct AppState {
    pub actions: Actions,
    /// The name of the platform that Keydesk manages keys for.
    pub platform: String,
    pub public_url: PublicUrl,
    cookie_names: CookieNames,
    session_key: SessionKey,
    hashing: HashingPermits,
    pub witnesses: Witnesses,
    pub monitor: StateMonitor,
    pub sign_ins: SignInOutcomes,
}

struct SessionKey(Key);

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

impl AppState {
    #[must_use]
    pub fn new(
        actions: Actions,
        platform: String,
        public_url: PublicUrl,
        witnesses: Witnesses,
        monitor: StateMonitor,
    ) -> Self {
        let (cookie_names, hashing) = (CookieNames::of(&public_url), HashingPermits::default());
        let sign_ins = SignInOutcomes::default();
        let session_key = SessionKey(Key::from(&random::bytes::<64>()));
        Self { actions, platform, public_url, cookie_names, session_key, hashing, witnesses, monitor, sign_ins }
    }

    /// The name of the session cookie.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        &self.cookie_names.session
    }

    /// The key of session cookies inside this process, see [`cookie_keys`](super::session::cookie_keys).
    #[must_use]
    pub const fn session_key(&self) -> &Key {
        &self.session_key.0
    }

    #[must_use]
    pub fn device_cookie_name(&self) -> &str {
        &self.cookie_names.device
    }

    /// Whether a URL contains an API key. Pages and redirects must not repeat such a URL.
    #[must_use]
    pub fn contains_api_key(&self, url: &str) -> bool {
        let decoded = percent_encoding::percent_decode_str(url).decode_utf8_lossy();
        self.actions.key_format.is_contained_in(&decoded)
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.actions.clock.now()
    }

    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions { store: self.actions.store.clone(), clock: self.actions.clock.clone() }
    }

    /// Waits for a permit to hash a password, see [`HashingPermits::acquire`].
    pub async fn hashing_permit(&self, queue: HashingQueue) -> Result<SemaphorePermit<'_>, PageError> {
        self.hashing.acquire(queue).await
    }

    /// Runs one query on the blocking pool.
    pub async fn query<T: Send + 'static>(
        &self,
        query: impl FnMut(&mut Db<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, PageError> {
        let store = self.actions.store.clone();
        blocking(move || store.query(query)).await
    }

    /// Runs several queries on one snapshot, on the blocking pool.
    pub async fn read<T: Send + 'static>(
        &self,
        queries: impl FnOnce(&mut Db<'_>) -> Result<T, PageError> + Send + 'static,
    ) -> Result<T, PageError> {
        let store = self.actions.store.clone();
        blocking(move || store.read(queries)).await
    }

    /// Runs an action on the blocking pool. The inner result is the result of the action; the outer one fails if the
    /// request has no authority for it, or if the database fails.
    pub async fn perform<T: Send + 'static, E: ActionError + Send + 'static>(
        &self,
        action: impl FnOnce(&Actions) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, PageError> {
        let actions = self.actions.clone();
        let change = BegunChange::begin();
        let result = blocking(move || match action(&actions) {
            Ok(output) => Ok(Ok(output)),
            Err(error) => error.separate_failure().map(Err).map_err(PageError::from),
        })
        .await;
        if !matches!(result, Ok(Ok(_)) | Err(PageError::OutcomeUnknown(_) | PageError::Internal(_))) {
            change.deny();
        }
        result
    }
}

/// Runs work that blocks or computes, see [`blocking::run`].
pub async fn blocking<T: Send + 'static, E: Into<PageError> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, PageError> {
    blocking::run(work).await?.map_err(Into::into)
}
