//! Sessions and sign-ins that lack their code, as the store has them: what begins one, and how long it is good.

use std::fmt::Display;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AWAITING_CODE, SIGNED_IN};
use crate::clock::Clock;
use crate::domain::ids::{CompanyId, SessionId, UserId};
use crate::domain::instant::Instant;
use crate::domain::token::{Token, TokenDigest};
use crate::random;
use crate::store::{NewSession, Outlived, Session, SignInAwaitingCode, Store, StoreError, Transaction};

/// A session ends when it was not used for so long.
const IDLE: Duration = Duration::from_hours(1);
/// A session ends so long after sign-in.
const OVERALL: Duration = Duration::from_hours(24);
/// A code may be given so long after the password.
const CODE_AWAITED_FOR: Duration = Duration::from_mins(10);
/// A session's use is noted at most so often.
pub(super) const BETWEEN_TOUCHES: Duration = Duration::from_mins(1);

/// The clocks of two servers may differ by so much; a session from later than that has outlived a clock that went back.
const SKEW: Duration = Duration::from_mins(5);

#[derive(Clone, Serialize, Deserialize)]
pub(in crate::web) struct Loaded {
    pub(in crate::web) session_id: String,
    pub(in crate::web) company_id: String,
    pub(in crate::web) company: String,
    pub(in crate::web) user_id: String,
    pub(in crate::web) name: String,
    pub(in crate::web) role: String,
    pub(in crate::web) time_zone: Option<String>,
    pub(in crate::web) theme: String,
    pub(in crate::web) owes_second_factor: bool,
}

#[derive(Clone, Serialize, Deserialize)]
pub(in crate::web) struct LoadedAwaitingCode {
    pub(in crate::web) company_id: String,
    pub(in crate::web) user_id: String,
    pub(in crate::web) epoch: i64,
    pub(in crate::web) next: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Beginning {
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
pub(in crate::web) fn outlived(now: Instant) -> Outlived {
    Outlived { not_seen_since: now - IDLE, begun_before: now - OVERALL }
}

/// A session could not be stored or ended.
#[derive(Debug, thiserror::Error)]
#[error("the session could not be stored: {0}")]
pub struct SessionFailed(String);

impl SessionFailed {
    pub(super) fn because(cause: impl Display) -> Self {
        Self(cause.to_string())
    }
}

impl From<StoreError> for SessionFailed {
    fn from(error: StoreError) -> Self {
        Self::because(error)
    }
}

/// Sessions and sign-ins that lack their code, as the store has them.
#[derive(Clone)]
pub(super) struct Sessions {
    pub(super) store: Store,
    pub(super) clock: Clock,
}

pub(super) fn is_over(session: &Session, now: Instant) -> bool {
    let from_the_future = session.created_at.since(now) > SKEW;
    from_the_future || now.since(session.last_seen_at) >= IDLE || now.since(session.created_at) >= OVERALL
}

impl From<Session> for Loaded {
    fn from(session: Session) -> Self {
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
    pub(super) fn load_entry(&self, token: &str) -> Result<Option<(&'static str, String)>, StoreError> {
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

    pub(super) fn begin(&self, beginning: Beginning) -> Result<Token, SessionFailed> {
        let nobody = || SessionFailed::because("it names nobody");
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
