//! Publishes the checkpoints of all trails to one witness.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::counter::Counter;

use super::backoff::Backoff;
use super::error::Failure;
use super::file::WitnessFile;
use super::message::Message;
use super::webhook::Webhook;
use crate::checkpoint_memory::CheckpointMemory;
use crate::clock::Clock;
use crate::domain::ids::{InstallationId, TrailId};
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::checkpoint;
use crate::domain::trail::key_chain::KeyChain;
use crate::secrets::Secrets;
use crate::store::{Store, StoreError, UnwitnessedCheckpoint};

/// A witness that refuses more checkpoints is skipped until the next round.
const MAX_REFUSALS_PER_ROUND: u32 = 20;

/// What all witnesses share.
#[derive(Clone, Debug)]
pub struct WitnessContext {
    /// The database.
    pub store: Store,
    /// The server's clock.
    pub clock: Clock,
    /// The installation's secrets; the key that signs checkpoints is among them.
    pub secrets: Arc<Secrets>,
    /// The installation whose checkpoints are published.
    pub installation: InstallationId,
    /// Knows the trails that lack events, and what webhooks have accepted.
    pub memory: CheckpointMemory,
}

/// A place outside the installation that checkpoints are published to.
#[derive(Debug)]
pub struct Witness {
    /// The name in pages, the log and the database. It contains no secret.
    name: String,
    transport: Transport,
    context: WitnessContext,
    backoff: Mutex<Backoff>,
    /// Held for a whole round, so that no checkpoint is published twice. Reading the status does not need it.
    round: Mutex<()>,
    /// Failed attempts of all witnesses.
    failures: Counter,
}

/// How checkpoints reach a witness.
#[derive(Debug)]
pub(super) enum Transport {
    File(WitnessFile),
    Webhook(Box<Webhook>),
}

impl Witness {
    pub(super) fn new(name: String, transport: Transport, context: WitnessContext, failures: Counter) -> Self {
        Self { name, transport, context, backoff: Mutex::default(), round: Mutex::default(), failures }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns why the latest checkpoint of a trail is not witnessed, and when it was last tried.
    pub(super) fn failure(&self, trail: TrailId) -> Option<(Timestamp, String)> {
        lock(&self.backoff).failure(trail)
    }

    /// Runs one round: publishes the latest checkpoint of each trail that the witness does not have, except trails that
    /// wait after a failure. Failed checkpoints are retried in a later round, also by another process, because the
    /// database records what the witness has.
    ///
    /// # Errors
    /// [`StoreError`]: the database could not be read or written. A failure at the witness is not an error.
    pub fn publish(&self) -> Result<(), StoreError> {
        let _round = lock(&self.round);
        let resume_after = lock(&self.backoff).take_resume_point();
        let mut has_wrapped = resume_after.is_none();
        let (mut after, mut refusals) = (resume_after, 0);
        loop {
            let next = self.context.store.query(|db| db.witnessed().next_unwitnessed(&self.name, after))?;
            let is_past_start =
                |due: &UnwitnessedCheckpoint| has_wrapped && resume_after.is_some_and(|start| due.trail > start);
            let Some(due) = next.filter(|due| !is_past_start(due)) else {
                if has_wrapped {
                    break;
                }
                (after, has_wrapped) = (None, true);
                continue;
            };
            after = Some(due.trail);
            if !lock(&self.backoff).is_due(due.trail, self.context.clock.now()) {
                continue;
            }
            if let Err(failure) = self.publish_checkpoint(&due)? {
                refusals += 1;
                if failure.is_outage || refusals == MAX_REFUSALS_PER_ROUND {
                    lock(&self.backoff).set_resume_point(due.trail);
                    break;
                }
            }
        }
        Ok(())
    }

    fn send(&self, due: &UnwitnessedCheckpoint, keys: &KeyChain) -> Result<(), Failure> {
        let WitnessContext { clock, installation, memory, .. } = &self.context;
        match &self.transport {
            Transport::File(file) => file.append(&due.checkpoint),
            Transport::Webhook(webhook) => {
                let message = Message::about(due, *installation, keys.active());
                webhook.post(&message, clock.now().as_seconds())?;
                memory.set_webhook_note(&self.name, due.trail, &due.checkpoint);
                Ok(())
            }
        }
    }

    /// Compares a checkpoint with the last one that the witness has, which the database may have forgotten. Returns whether
    /// the witness has it already.
    ///
    /// # Errors
    /// [`Failure`]: the trail lacks events, so that the checkpoint contradicts what was published.
    fn compare_with_last(&self, due: &UnwitnessedCheckpoint, keys: &KeyChain) -> Result<bool, Failure> {
        let WitnessContext { installation, memory, .. } = &self.context;
        if let Some(shortfall) = memory.shortfall(due.trail) {
            return Err(Failure::refusal(format!("the database was put back to an older state: {shortfall}")));
        }
        let origin = checkpoint::origin(*installation, due.trail);
        let note = match &self.transport {
            Transport::File(file) => file.last_note(&origin),
            Transport::Webhook(_) => memory.webhook_note(&self.name, due.trail),
        };
        let Some(note) = note else { return Ok(false) };
        if note == due.checkpoint {
            return Ok(true);
        }
        // A note of another installation, or one that was edited, says nothing about this trail.
        let Ok(last) = keys.verify(&note, &origin) else { return Ok(false) };
        // After a change of the key, the same events are signed again.
        let is_signed_again = || keys.active().verify(&due.checkpoint, &origin).is_ok_and(|again| again == last);
        let is_continued = u64::try_from(due.size).is_ok_and(|size| size > last.size) || is_signed_again();
        let is_loss_accepted =
            || memory.trail(due.trail).is_some_and(|known| known.accepted_losses.iter().any(|loss| loss.covers(last)));
        if is_continued || is_loss_accepted() {
            return Ok(false);
        }
        Err(Failure::refusal(format!(
            "it has a checkpoint of {} events, which the {} events of this trail do not continue",
            last.size, due.size
        )))
    }

    fn publish_checkpoint(&self, due: &UnwitnessedCheckpoint) -> Result<Result<(), Failure>, StoreError> {
        let WitnessContext { store, clock, secrets, installation, .. } = &self.context;
        let notes = store.query(|db| db.trails().key_changes(due.trail))?;
        let origin = checkpoint::origin(*installation, due.trail);
        let keys = KeyChain::read_or_key(secrets.signer().public_key(), &notes, &origin);
        let published = match self.compare_with_last(due, &keys) {
            Ok(true) => Ok(()),
            Ok(false) => self.send(due, &keys),
            Err(failure) => {
                let cause = failure.to_string();
                if self.failure(due.trail).is_none_or(|(_, known)| known != cause) {
                    tracing::error!(witness = self.name, trail = %due.trail, cause, "checkpoint withheld from the witness");
                }
                Err(failure)
            }
        };
        let now = clock.now();
        match &published {
            Ok(()) => {
                if let Err(error) = store.write(|tx| tx.witnessed().set(&self.name, due, now)) {
                    // The checkpoint is published again later, but not in every round while the database is full.
                    let unrecorded = Failure::outage("the database could not be written");
                    lock(&self.backoff).record_failure(due.trail, &unrecorded, now);
                    return Err(error);
                }
                if lock(&self.backoff).record_success(due.trail) {
                    tracing::info!(witness = self.name, "witness recovered");
                }
            }
            Err(failure) => {
                self.failures.inc();
                if lock(&self.backoff).record_failure(due.trail, failure, now) {
                    tracing::warn!(witness = self.name, error = %failure, "checkpoint not witnessed, retrying");
                }
            }
        }
        Ok(published)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
