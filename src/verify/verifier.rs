//! Verifies presented keys for one worker thread, and counts their use.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::error::VerifyError;
use super::lookup::LookupService;
use super::metrics::Metrics;
use super::usage_counter::{UsageCounter, UsageShard};
use crate::clock::Clock;
use crate::domain::key::api_key::KeyFormat;
use crate::domain::key::lifecycle::KeyState;
use crate::domain::key::usage::RequestSource;
use crate::domain::token::TokenDigest;
use crate::secrets::Secrets;
use crate::store::{Gateway, KeyForVerification, Store, StoreError};

/// What all verifiers of a server share.
#[derive(Clone, Debug)]
pub struct VerifierContext {
    /// The database.
    pub store: Store,
    /// The server's clock.
    pub clock: Clock,
    /// The installation's secrets; keys are digested with the pepper among them.
    pub secrets: Arc<Secrets>,
    /// The accepted key format.
    pub key_format: KeyFormat,
    /// Counts accepted and refused uses by key.
    pub usage_counter: UsageCounter,
    /// Counts verifications by outcome.
    pub metrics: Metrics,
}

/// Verifies presented keys; one for each worker thread.
pub struct Verifier {
    context: VerifierContext,
    usage: UsageShard,
    lookup_service: LookupService,
}

impl Verifier {
    /// Creates the verifier of the current thread.
    #[must_use]
    pub fn for_this_thread(context: &VerifierContext) -> Self {
        Self {
            context: context.clone(),
            usage: context.usage_counter.add_shard(),
            lookup_service: LookupService::new(&context.store),
        }
    }

    /// Returns the presented key if it is active now. A malformed value is refused without reading the database.
    /// `request_id` is called when a refused use is counted.
    ///
    /// # Errors
    /// [`VerifyError`]: why the key is refused.
    pub async fn verify<R: fmt::Display>(
        &self,
        presented: &str,
        source: RequestSource<'_>,
        request_id: impl FnOnce() -> R,
    ) -> Result<Arc<KeyForVerification>, VerifyError> {
        let started = Instant::now();
        let arrived_at = self.context.clock.now();
        let outcome = self.find_active_key(presented).await;
        match &outcome {
            Ok(key) => self.usage.update(key, |delta| delta.count_accepted(arrived_at, source)),
            Err(VerifyError::Revoked(key) | VerifyError::Expired(key)) => {
                self.usage.update(key, |delta| delta.count_refused(arrived_at, source, request_id()));
            }
            Err(_) => {}
        }
        self.context.metrics.count(&outcome, started.elapsed().as_secs_f64());
        outcome
    }

    async fn find_active_key(&self, presented: &str) -> Result<Arc<KeyForVerification>, VerifyError> {
        let digest = self.context.key_format.digest(presented, &self.context.secrets.pepper);
        let found = self.lookup_service.key(digest.map_err(|_| VerifyError::Malformed)?).await?;
        let key = found.ok_or(VerifyError::Unknown)?;
        match key.ends.state(self.context.clock.now()) {
            KeyState::Active => Ok(key),
            KeyState::Revoked => Err(VerifyError::Revoked(key)),
            KeyState::Expired => Err(VerifyError::Expired(key)),
        }
    }

    /// Returns the active gateway with this credential.
    ///
    /// # Errors
    /// [`StoreError`]: the database could not be read.
    pub async fn gateway(&self, credential: &str) -> Result<Option<Gateway>, StoreError> {
        self.lookup_service.gateway(TokenDigest::of(credential)).await
    }
}
