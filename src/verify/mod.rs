//! "Is this key good, asked now": every answer rests on a read that began after the question arrived. Writes nothing.

mod lane;
mod ledger;
mod look_ups;
mod metrics;

use std::fmt;
use std::sync::Arc;
use std::time::Instant as Moment;

pub use lane::{Answers, Lane};
pub use ledger::{Ledger, UsedKeys};
pub use look_ups::LONGEST_WAIT;
use look_ups::LookUps;
pub use metrics::Metrics;

use crate::clock::Clock;
use crate::domain::api_key::KeyState;
use crate::domain::key::KeyFormat;
use crate::domain::token::TokenDigest;
use crate::domain::usage::Presenter;
use crate::secrets::Secrets;
use crate::store::{Gateway, Store, StoreError, VerifiableKey};

/// What the verifiers of a server share.
#[derive(Clone, Debug)]
pub struct Verification {
    /// Where keys are looked up.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// Under which keys are digested.
    pub secrets: Arc<Secrets>,
    /// What a key looks like.
    pub key_format: KeyFormat,
    /// Where the use of keys is counted.
    pub ledger: Ledger,
    /// Where answers are counted.
    pub metrics: Metrics,
}

/// Answers whether presented keys are good; one for each thread that serves.
pub struct Verifier {
    shared: Verification,
    page: ledger::Page,
    look_ups: LookUps,
}

/// Why a key is not let through. Whoever presented it learns none of this.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It cannot be a key: nobody was asked.
    #[error("malformed")]
    Malformed,
    /// No such key was ever made here.
    #[error("unknown")]
    Unknown,
    /// Somebody ended it, or another key took its place.
    #[error("revoked")]
    Revoked(Arc<VerifiableKey>),
    /// It was given so long and no longer.
    #[error("expired")]
    Expired(Arc<VerifiableKey>),
    /// The truth is not known.
    #[error("unavailable: {0}")]
    Unavailable(#[from] StoreError),
}

impl Verification {
    /// A verifier for the thread that calls this.
    #[must_use]
    pub fn for_this_thread(&self) -> Verifier {
        Verifier { shared: self.clone(), page: self.ledger.page(), look_ups: LookUps::new(&self.store) }
    }
}

impl Verifier {
    /// The key, where it is good now. What cannot be a key is refused without asking the database. `request` says the id
    /// by which the answer and the log name the request.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn verify<R: fmt::Display>(
        &self,
        presented: &str,
        by: Presenter<'_>,
        request: impl FnOnce() -> R,
    ) -> Result<Arc<VerifiableKey>, Refused> {
        let began = Moment::now();
        let arrived = self.shared.clock.now();
        let answer = self.judge(presented).await;
        match &answer {
            Ok(key) => self.page.count(key, |used| used.accept(arrived, by)),
            Err(Refused::Revoked(key) | Refused::Expired(key)) => {
                self.page.count(key, |used| used.refuse(arrived, by, request()));
            }
            Err(_) => {}
        }
        self.shared.metrics.count(&answer, began.elapsed().as_secs_f64());
        answer
    }

    async fn judge(&self, presented: &str) -> Result<Arc<VerifiableKey>, Refused> {
        let digest = self.shared.key_format.digest(presented, &self.shared.secrets.pepper);
        let found = self.look_ups.key(digest.map_err(|_| Refused::Malformed)?).await?;
        let key = found.ok_or(Refused::Unknown)?;
        match key.ends.state(self.shared.clock.now()) {
            KeyState::Active => Ok(key),
            KeyState::Revoked => Err(Refused::Revoked(key)),
            KeyState::Expired => Err(Refused::Expired(key)),
        }
    }

    /// The gateway whose credential that is, where it may ask now.
    ///
    /// # Errors
    /// [`StoreError`]: the truth is not known.
    pub async fn gateway(&self, credential: &str) -> Result<Option<Gateway>, StoreError> {
        self.look_ups.gateway(TokenDigest::of(credential)).await
    }
}
