//! Verifies presented keys for one worker thread, and counts their use.

use std::cell::{Ref, RefCell};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::batchers::FoundKey;
use super::error::VerifyError;
use super::lookup::LookupService;
use super::metrics::Metrics;
use super::renewal_queue::RenewalQueue;
use super::usage_counter::{UsageCounter, UsageShard};
use crate::checkpoint_memory::CheckpointMemory;
use crate::clock::Clock;
use crate::domain::ids::{InstallationId, TrailId};
use crate::domain::key::api_key::KeyFormat;
use crate::domain::key::digest::{DigestPair, DigestRenewal, PresentedDigests};
use crate::domain::key::lifecycle::KeyState;
use crate::domain::key::usage::RequestSource;
use crate::domain::timestamp::Timestamp;
use crate::domain::token::TokenDigest;
use crate::secrets::{Keyring, Secrets};
use crate::store::{Gateway, IntrospectionRequest, KeyForVerification, Store, StoreError};

/// What all verifiers of a server share.
#[derive(Clone, Debug)]
pub struct VerifierContext {
    /// The database.
    pub store: Store,
    /// The server's clock.
    pub clock: Clock,
    /// The installation's secrets; keys are digested with the peppers among them.
    pub secrets: Arc<Secrets>,
    /// Collects accepted keys whose digest is to be renewed.
    pub renewals: RenewalQueue,
    /// The accepted key format.
    pub key_format: KeyFormat,
    /// Counts accepted and refused uses by key.
    pub usage_counter: UsageCounter,
    /// Counts verifications by outcome.
    pub metrics: Metrics,
    /// Knows the trails that lack events.
    pub memory: CheckpointMemory,
    /// The trail that accounts for gateways.
    pub installation: InstallationId,
}

/// Verifies presented keys; one for each worker thread.
pub struct Verifier {
    context: VerifierContext,
    /// The keyring as this thread has seen it last.
    keyring: RefCell<Arc<Keyring>>,
    usage: UsageShard,
    lookup_service: LookupService,
}

/// What a gateway presents to introspect a key.
pub struct PresentedToGateway<'a> {
    /// The gateway's credential.
    pub credential: &'a str,
    /// The key.
    pub key: &'a str,
    /// The address of the gateway, or of the client that it names.
    pub address: Option<IpAddr>,
}

/// When a verification began.
struct Arrival {
    started: Instant,
    at: Timestamp,
}

impl Verifier {
    /// Creates the verifier of the current thread.
    #[must_use]
    pub fn for_this_thread(context: &VerifierContext) -> Self {
        Self {
            context: context.clone(),
            keyring: RefCell::new(context.secrets.keyring()),
            usage: context.usage_counter.add_shard(),
            lookup_service: LookupService::new(&context.store),
        }
    }

    /// Checks that a good key would be answered now: reads as a verification does, on the same connection.
    ///
    /// # Errors
    /// [`StoreError`]: the read failed.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.lookup_service.probe().await
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
        let arrival = self.arrival();
        let outcome = match self.digest(presented) {
            Ok(digests) => {
                let current = digests.current;
                let found = self.lookup_service.key(digests).await;
                let outcome = found.map_err(Into::into).and_then(|key| self.active(key));
                self.renew_if_due(&outcome, current, presented);
                outcome
            }
            Err(error) => Err(error),
        };
        self.count(&outcome, &arrival, source, request_id);
        outcome
    }

    /// Returns the key that a gateway presents, if the key is active now, or `None` if no active gateway for which
    /// `is_caller` holds has the credential. One read answers both. The use is counted for the gateway.
    ///
    /// # Errors
    /// [`VerifyError`]: why the key is refused.
    pub async fn introspect<R: fmt::Display>(
        &self,
        presented: &PresentedToGateway<'_>,
        is_caller: impl FnOnce(&Gateway) -> bool,
        request_id: impl FnOnce() -> R,
    ) -> Option<Result<Arc<KeyForVerification>, VerifyError>> {
        let arrival = self.arrival();
        let digests = self.digest(presented.key);
        let credential = TokenDigest::of(presented.credential);
        let request = IntrospectionRequest { credential, key: digests.as_ref().ok().cloned() };
        let found = self.lookup_service.introspection(request).await;
        let (outcome, client) = match found.and_then(|found| self.ensure_gateways_are_known().map(|()| found)) {
            Ok(found) => {
                let gateway = found.gateway.filter(is_caller)?;
                // The gateway does not say which client presented the key.
                let outcome = digests.and_then(|digests| {
                    let outcome = self.active(found.key);
                    self.renew_if_due(&outcome, digests.current, presented.key);
                    outcome
                });
                (outcome, Some(format!("gateway {}", gateway.name)))
            }
            Err(error) => (Err(error.into()), None),
        };
        let source = RequestSource { address: presented.address, client: client.as_deref() };
        self.count(&outcome, &arrival, source, request_id);
        Some(outcome)
    }

    fn arrival(&self) -> Arrival {
        Arrival { started: Instant::now(), at: self.context.clock.now() }
    }

    /// Returns the present keyring. Most calls find it unchanged, by one atomic load: all threads would write to a shared
    /// reference count.
    fn keyring(&self) -> Ref<'_, Arc<Keyring>> {
        if self.keyring.borrow().generation() != self.context.secrets.generation() {
            self.keyring.replace(self.context.secrets.keyring());
        }
        self.keyring.borrow()
    }

    fn digest(&self, presented: &str) -> Result<PresentedDigests, VerifyError> {
        let digests = self.context.key_format.digest(presented, self.keyring().peppers());
        digests.map_err(|_| VerifyError::Malformed)
    }

    /// Requests a new digest of an accepted key that is stored under a pepper that is not the active one.
    fn renew_if_due(
        &self,
        outcome: &Result<Arc<KeyForVerification>, VerifyError>,
        current: DigestPair,
        presented: &str,
    ) {
        if let Ok(key) = outcome
            && !current.contains(&key.digest)
        {
            self.renew(key, presented);
        }
    }

    #[cold]
    fn renew(&self, key: &KeyForVerification, presented: &str) {
        let keyring = self.keyring();
        if !key.renewal.is_due(keyring.generation()) {
            return;
        }
        let digests = self.context.key_format.digest(presented, keyring.peppers()).ok();
        let new = digests.and_then(|digests| digests.renewed(&key.digest));
        // The keyring may have changed since the key was found, so that the stored digest is the active one.
        let Some(new) = new.filter(|new| *new != key.digest) else { return };
        let (company_id, key_id, old) = (key.company.id, key.id, key.digest);
        let pepper_id = keyring.active().id().to_owned();
        if self.context.renewals.push(DigestRenewal { company_id, key_id, old, new, pepper_id }) {
            key.renewal.set(keyring.generation());
        }
    }

    /// Returns the found key if it is active now.
    fn active(&self, found: FoundKey) -> Result<Arc<KeyForVerification>, VerifyError> {
        if self.context.memory.is_in_doubt() {
            self.refuse_if_lost(&found)?;
        }
        let Some(key) = found else { return Err(self.unknown()) };
        match key.ends.state(self.context.clock.now()) {
            KeyState::Active => Ok(key),
            KeyState::Revoked => Err(VerifyError::Revoked(key)),
            KeyState::Expired => Err(VerifyError::Expired(key)),
        }
    }

    /// A key may be unknown only because this server lacks the pepper that other servers use.
    #[cold]
    fn unknown(&self) -> VerifyError {
        match self.context.secrets.lacking() {
            None => VerifyError::Unknown,
            Some(id) => StoreError::lacks_secrets(&id).into(),
        }
    }

    /// Fails if the state of a key may be an outdated one, or if an unknown key may have been created in lost events.
    #[cold]
    fn refuse_if_lost(&self, found: &FoundKey) -> Result<(), StoreError> {
        let memory = &self.context.memory;
        self.ensure_confirmed()?;
        let lacking = match found {
            None => memory.summary(),
            Some(key) => memory.shortfall(key.company.id.into()).map(|shortfall| shortfall.to_string()),
        };
        lacking.map_or(Ok(()), |lacking| Err(StoreError::WentBack(lacking)))
    }

    /// Fails if the database was out of reach and the trails were not compared since: it may have been put back.
    fn ensure_confirmed(&self) -> Result<(), StoreError> {
        if self.context.memory.is_unconfirmed() {
            return Err(StoreError::unavailable("its audit trails are yet to be compared, as it was out of reach"));
        }
        Ok(())
    }

    /// Fails if a gateway may have been added or revoked in lost events.
    fn ensure_gateways_are_known(&self) -> Result<(), StoreError> {
        self.ensure_confirmed()?;
        let lacking = self.context.memory.shortfall(TrailId::from(self.context.installation));
        lacking.map_or(Ok(()), |shortfall| Err(StoreError::WentBack(shortfall.to_string())))
    }

    fn count<R: fmt::Display>(
        &self,
        outcome: &Result<Arc<KeyForVerification>, VerifyError>,
        arrival: &Arrival,
        source: RequestSource<'_>,
        request_id: impl FnOnce() -> R,
    ) {
        match outcome {
            Ok(key) => self.usage.update(key, |delta| delta.count_accepted(arrival.at, source)),
            Err(VerifyError::Revoked(key) | VerifyError::Expired(key)) => {
                self.usage.update(key, |delta| delta.count_refused(arrival.at, source, request_id()));
            }
            Err(_) => {}
        }
        self.context.metrics.count(outcome, arrival.started.elapsed().as_secs_f64());
    }
}
