//! Begins and finds sessions and pending sign-ins, and expires them.

use std::time::Duration;

use crate::actions::{AuthenticatedUser, SignedInUser};
use crate::clock::Clock;
use crate::domain::client::Client;
use crate::domain::ids::{CompanyId, SessionId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::domain::token::{Token, TokenDigest};
use crate::domain::user::session_lifetime::{self, IDLE_TIMEOUT, MAX_AGE, MAX_CLOCK_SKEW};
use crate::random;
use crate::store::{NewSession, PendingSignIn, Session, SessionExpiry, Store, StoreError, WriteDb};
use crate::web::app::inline_reader::InlineReader;

/// The code must follow the password within this time.
const CODE_TIMEOUT: Duration = Duration::from_mins(10);
/// The last use of a session is written at most this often.
const TOUCH_INTERVAL: Duration = Duration::from_mins(1);
/// Sessions and pending sign-ins in the store.
#[derive(Clone)]
pub struct Sessions {
    pub store: Store,
    pub clock: Clock,
}

/// The session or pending sign-in that a token identifies.
pub enum SessionState {
    SignedIn(Session),
    AwaitingCode(PendingSignIn),
}

/// The times before which a session has expired, for queries on several sessions.
#[must_use]
pub fn session_expiry(now: Timestamp) -> SessionExpiry {
    SessionExpiry { not_seen_since: now - IDLE_TIMEOUT, begun_before: now - MAX_AGE }
}

fn has_expired(session: &Session, now: Timestamp) -> bool {
    session_lifetime::has_expired(session.created_at, session.last_seen_at, now)
}

impl Sessions {
    /// Finds a session with one short query. `None` if that is not enough, or if the session has expired or must be
    /// touched; the caller then uses [`find`](Self::find).
    #[must_use]
    pub fn find_inline(&self, reader: &InlineReader, digest: &TokenDigest) -> Option<Session> {
        let now = self.clock.now();
        let session = reader.query(|db| db.sessions().by_token(digest))??;
        (!has_expired(&session, now) && now.since(session.last_seen_at) < TOUCH_INTERVAL).then_some(session)
    }

    /// Finds the unexpired session or pending sign-in of a token. Records that a session is in use.
    pub fn find(&self, digest: &TokenDigest) -> Result<Option<SessionState>, StoreError> {
        if let Some(session) = self.session(digest)? {
            return Ok(Some(SessionState::SignedIn(session)));
        }
        Ok(self.pending_sign_in(digest)?.map(SessionState::AwaitingCode))
    }

    fn session(&self, digest: &TokenDigest) -> Result<Option<Session>, StoreError> {
        let now = self.clock.now();
        let session = self.store.query(|db| db.sessions().by_token(digest))?;
        let Some(session) = session.filter(|session| !has_expired(session, now)) else { return Ok(None) };
        self.touch_if_due(&session, now);
        Ok(Some(session))
    }

    /// Records that a session is in use, at most once a minute.
    pub fn touch_if_due(&self, session: &Session, now: Timestamp) {
        if now.since(session.last_seen_at) >= TOUCH_INTERVAL
            && let Err(error) = self.store.touch_session(session.id, now)
        {
            tracing::warn!(%error, "session not touched");
        }
    }

    fn pending_sign_in(&self, digest: &TokenDigest) -> Result<Option<PendingSignIn>, StoreError> {
        let now = self.clock.now();
        let sign_in = self.store.query(|db| db.pending_sign_ins().by_token(digest))?;
        Ok(sign_in.filter(|sign_in| {
            now.since(sign_in.created_at) < CODE_TIMEOUT && sign_in.created_at.since(now) <= MAX_CLOCK_SKEW
        }))
    }

    /// Begins a session and returns its token.
    pub fn begin(&self, user: AuthenticatedUser, client: &Client) -> Result<Token, StoreError> {
        let now = self.clock.now();
        let token = Token::new(random::bytes());
        let AuthenticatedUser { user: SignedInUser { user_id, company_id }, epoch } = user;
        let session = NewSession {
            id: SessionId::new(now, &random::bytes()),
            token_digest: token.digest(),
            company_id,
            user_id,
            created_at: now,
            client_address: client.address.map(|address| address.to_string()),
            user_agent: client.user_agent.clone(),
        };
        self.insert_unless_revoked(company_id, user_id, epoch, |tx| {
            tx.sessions().delete_expired(session_expiry(now))?;
            tx.sessions().insert(&session)
        })?;
        Ok(token)
    }

    /// Begins a pending sign-in, which waits for the code, and returns its token.
    pub fn begin_pending(&self, user: AuthenticatedUser, next: Option<String>) -> Result<Token, StoreError> {
        let now = self.clock.now();
        let token = Token::new(random::bytes());
        let AuthenticatedUser { user: SignedInUser { user_id, company_id }, epoch } = user;
        let sign_in = PendingSignIn { company_id, user_id, epoch, next, created_at: now };
        self.insert_unless_revoked(company_id, user_id, epoch, |tx| {
            tx.pending_sign_ins().insert(&token.digest(), &sign_in, now - CODE_TIMEOUT)
        })?;
        Ok(token)
    }

    /// Runs `insert`, unless all sessions of the user were ended since the password was checked. The token is then not
    /// valid and the user must sign in again. Actions that end sessions hold the lock of the company's trail, so this
    /// takes it too.
    fn insert_unless_revoked(
        &self,
        company_id: CompanyId,
        user_id: UserId,
        epoch: i64,
        insert: impl FnOnce(&mut WriteDb<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store.write(|tx| {
            tx.trails().lock(company_id.into())?;
            if tx.users().sign_in_epoch(user_id)? == Some(epoch) { insert(tx) } else { Ok(()) }
        })
    }
}
