//! Sessions behind actix-session: the token in the cookie, its digest in the store. The same cookie carries a sign-in
//! that lacks its code, which is no session.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use actix_session::Session;
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::web;
use serde::{Deserialize, Serialize};

use super::error::PageError;
use crate::actions::Admission;
use crate::clock::Clock;
use crate::domain::ids::{CompanyId, SessionId, UserId};
use crate::domain::instant::Instant;
use crate::domain::token::{Token, TokenDigest};
use crate::edge::caller::Caller;
use crate::random;
use crate::store::{
    self, AnswersComeFrom, NewSession, Outlived, OwnReader, SignInAwaitingCode, Store, StoreError, Transaction,
};

/// A session ends when it was not used for so long.
const IDLE: Duration = Duration::from_hours(1);
/// A session ends so long after sign-in.
const OVERALL: Duration = Duration::from_hours(24);
/// A code may be given so long after the password.
const CODE_AWAITED_FOR: Duration = Duration::from_mins(10);
/// A session's use is noted at most so often.
const BETWEEN_TOUCHES: Duration = Duration::from_mins(1);

/// The clocks of two servers may differ by so much; a session from later than that has outlived a clock that went back.
const SKEW: Duration = Duration::from_mins(5);

/// The entry that a loaded session has.
pub(super) const SIGNED_IN: &str = "signed_in";
/// The entry that a loaded sign-in has which lacks its code.
pub(super) const AWAITING_CODE: &str = "awaiting_code";
/// The entry that makes a session, or a sign-in that lacks its code.
const BEGINNING: &str = "beginning";
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
    pub(super) time_zone: Option<String>,
    pub(super) theme: String,
    pub(super) owes_second_factor: bool,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct LoadedAwaitingCode {
    pub(super) company_id: String,
    pub(super) user_id: String,
    pub(super) epoch: i64,
    pub(super) next: Option<String>,
}

#[derive(Serialize, Deserialize)]
enum Beginning {
    Session {
        company_id: String,
        user_id: String,
        epoch: i64,
        client_address: Option<String>,
        user_agent: Option<String>,
    },
    AwaitingCode(LoadedAwaitingCode),
}

/// What a session has to be younger than.
pub(super) fn outlived(now: Instant) -> Outlived {
    Outlived { not_seen_since: now - IDLE, begun_before: now - OVERALL }
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

/// Where actix-session keeps sessions; one for each thread that serves.
pub struct StoredSessions {
    sessions: Sessions,
    /// Where this thread may read for itself.
    reader: Option<RefCell<OwnReader>>,
}

impl StoredSessions {
    /// Sessions in that store, for the thread that calls this.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        let reader = match store.own_reader() {
            (reader, AnswersComeFrom::ThisProcess) => Some(RefCell::new(reader)),
            (_, AnswersComeFrom::Elsewhere) => None,
        };
        Self { sessions: Sessions { store, clock }, reader }
    }

    /// The entry of a session whose use need not be noted, where this thread may read for itself: handing the question over
    /// would take longer than answering it. Whatever else becomes of a token is found out where threads may wait.
    fn at_hand(&self, token: &str) -> Option<(&'static str, String)> {
        let reader = self.reader.as_ref()?;
        let now = self.sessions.clock.now();
        let session = reader.borrow_mut().session(&TokenDigest::of(token)).ok()??;
        let is_seen = !is_over(&session, now) && now.since(session.last_seen_at) < BETWEEN_TOUCHES;
        let entry = serde_json::to_string(&Loaded::from(session)).ok()?;
        is_seen.then_some((SIGNED_IN, entry))
    }
}

/// Sessions and sign-ins that lack their code, as the store has them.
#[derive(Clone)]
struct Sessions {
    store: Store,
    clock: Clock,
}

fn is_over(session: &store::Session, now: Instant) -> bool {
    let from_the_future = session.created_at.since(now) > SKEW;
    from_the_future || now.since(session.last_seen_at) >= IDLE || now.since(session.created_at) >= OVERALL
}

impl From<store::Session> for Loaded {
    fn from(session: store::Session) -> Self {
        Self {
            session_id: session.id.to_string(),
            company_id: session.company.id.to_string(),
            company: session.company.name,
            user_id: session.user_id.to_string(),
            name: session.name,
            role: session.role.as_str().to_owned(),
            time_zone: session.time_zone,
            theme: session.theme.as_str().to_owned(),
            owes_second_factor: session.owes_second_factor,
        }
    }
}

impl Sessions {
    fn load_entry(&self, token: &str) -> Result<Option<(&'static str, String)>, StoreError> {
        let unreadable = |error: serde_json::Error| StoreError::Unexpected(error.to_string());
        let digest = TokenDigest::of(token);
        if let Some(session) = self.session(&digest)? {
            return Ok(Some((SIGNED_IN, serde_json::to_string(&session).map_err(unreadable)?)));
        }
        match self.awaiting_code(&digest)? {
            Some(sign_in) => Ok(Some((AWAITING_CODE, serde_json::to_string(&sign_in).map_err(unreadable)?))),
            None => Ok(None),
        }
    }

    fn session(&self, digest: &TokenDigest) -> Result<Option<Loaded>, StoreError> {
        let now = self.clock.now();
        let Some(session) = self.store.ask(|questions| questions.session(digest))? else { return Ok(None) };
        if is_over(&session, now) {
            return Ok(None);
        }
        if now.since(session.last_seen_at) >= BETWEEN_TOUCHES
            && let Err(error) = self.store.touch_session(session.id, now)
        {
            tracing::warn!(%error, "a session's use could not be noted");
        }
        Ok(Some(session.into()))
    }

    fn awaiting_code(&self, digest: &TokenDigest) -> Result<Option<LoadedAwaitingCode>, StoreError> {
        let now = self.clock.now();
        let sign_in = self.store.ask(|questions| questions.sign_in_awaiting_code(digest))?;
        let sign_in = sign_in.filter(|sign_in| {
            now.since(sign_in.created_at) < CODE_AWAITED_FOR && sign_in.created_at.since(now) <= SKEW
        });
        Ok(sign_in.map(|sign_in| LoadedAwaitingCode {
            company_id: sign_in.company_id.to_string(),
            user_id: sign_in.user_id.to_string(),
            epoch: sign_in.epoch,
            next: sign_in.next,
        }))
    }

    fn begin(&self, beginning: Beginning) -> Result<Token, SessionFailed> {
        let nobody = || SessionFailed("it names nobody".to_owned());
        let company = |id: &str| CompanyId::parse(id).ok_or_else(nobody);
        let user = |id: &str| UserId::parse(id).ok_or_else(nobody);
        let token = Token::new(random::bytes());
        let now = self.clock.now();
        match beginning {
            Beginning::Session { company_id, user_id, epoch, client_address, user_agent } => {
                let session = NewSession {
                    id: SessionId::new(now, &random::bytes()),
                    token_digest: token.digest(),
                    company_id: company(&company_id)?,
                    user_id: user(&user_id)?,
                    created_at: now,
                    client_address,
                    user_agent,
                };
                self.unless_ended(session.company_id, session.user_id, epoch, |transaction| {
                    transaction.delete_sessions(outlived(now))?;
                    transaction.insert_session(&session)
                })?;
            }
            Beginning::AwaitingCode(LoadedAwaitingCode { company_id, user_id, epoch, next }) => {
                let sign_in = SignInAwaitingCode {
                    company_id: company(&company_id)?,
                    user_id: user(&user_id)?,
                    epoch,
                    next,
                    created_at: now,
                };
                let good_since = now - CODE_AWAITED_FOR;
                self.unless_ended(sign_in.company_id, sign_in.user_id, epoch, |transaction| {
                    transaction.insert_sign_in_awaiting_code(&token.digest(), &sign_in, good_since)
                })?;
            }
        }
        Ok(token)
    }

    /// Inserts what begins, unless something has ended the user's sign-ins since they were admitted: their token then
    /// opens nothing, and they sign in again. Whatever ends sign-ins holds the company's trail, so this takes it first.
    fn unless_ended(
        &self,
        company_id: CompanyId,
        user_id: UserId,
        epoch: i64,
        insert: impl FnOnce(&mut Transaction<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store.write(|transaction| {
            transaction.lock_trail(company_id.into())?;
            if transaction.sign_in_epoch(user_id)? == Some(epoch) { insert(transaction) } else { Ok(()) }
        })
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

    async fn save(&self, state: HashMap<String, String>, _: &CookieDuration) -> Result<SessionKey, SaveError> {
        let beginning = state.get(BEGINNING).and_then(|value| serde_json::from_str(value).ok());
        let beginning: Beginning =
            beginning.ok_or_else(|| SaveError::Other(SessionFailed("nobody signs in".to_owned()).into()))?;
        let sessions = self.sessions.clone();
        let token = web::block(move || sessions.begin(beginning)).await;
        let token = token.map_err(|error| SaveError::Other(SessionFailed(error.to_string()).into()))?;
        let token = token.map_err(|error| SaveError::Other(error.into()))?;
        SessionKey::try_from(token.reveal().to_owned()).map_err(|error| SaveError::Other(error.into()))
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
        let (store, digest) = (self.sessions.store.clone(), TokenDigest::of(key.as_ref()));
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
