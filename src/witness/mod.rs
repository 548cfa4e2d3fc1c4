//! Checkpoints leave the installation: each witness gets every trail's latest, and what it has is written down. Answers
//! nobody, and changes no company's data.

mod error;
mod file;
mod message;
mod retries;
mod webhook;

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use error::{Failure, WitnessError};
use file::WitnessFile;
use message::Message;
use retries::Retries;
use webhook::Webhook;

use crate::clock::Clock;
use crate::config::WitnessSettings;
use crate::domain::ids::{InstallationId, TrailId};
use crate::domain::instant::Instant;
use crate::secrets::Secrets;
use crate::store::{Snapshot, Store, StoreError, UnwitnessedCheckpoint, WitnessedCheckpoint};

/// Whoever refuses so many checkpoints in one round is left alone until the next.
const REFUSALS_IN_A_ROUND: u32 = 20;

/// What a witness is told from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where the trails are.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// Whose key signed the checkpoints.
    pub secrets: Arc<Secrets>,
    /// The installation that they are of.
    pub installation: InstallationId,
}

/// All witnesses that are configured.
#[derive(Clone, Debug)]
pub struct Witnesses {
    all: Arc<[Arc<Witness>]>,
}

/// Keeps checkpoints out of the reach of whoever has the installation in hand.
#[derive(Debug)]
pub struct Witness {
    /// As pages, the log and the database name it: without whatever may be a secret.
    name: String,
    way: Way,
    source: Source,
    retries: Mutex<Retries>,
    /// Held for a whole round, so that nothing is told twice; whoever draws a page does not wait for it.
    round: Mutex<()>,
}

#[derive(Debug)]
enum Way {
    File(WitnessFile),
    Webhook(Box<Webhook>),
}

/// How a witness stands to a trail.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The witness.
    pub witness: String,
    /// Whether it is told of new checkpoints.
    pub is_configured: bool,
    /// The last checkpoint that it has.
    pub last: Option<LastWitnessed>,
    /// Whether that is the trail's latest.
    pub is_latest: bool,
    /// How many events have been recorded since.
    pub events_since: u64,
    /// Why it does not have the latest, and when that was last tried.
    pub failure: Option<(Instant, String)>,
}

/// A checkpoint that a witness has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastWitnessed {
    /// Since when.
    pub at: Instant,
    /// How many events it speaks of.
    pub size: u64,
}

impl Witnesses {
    /// The witnesses that the settings name.
    ///
    /// # Errors
    /// [`WitnessError`]: the file cannot be written, or the webhook's secret cannot be used.
    pub fn open(settings: &WitnessSettings, source: &Source) -> Result<Self, WitnessError> {
        let mut all = Vec::new();
        if let Some(path) = &settings.file {
            all.push((path.display().to_string(), Way::File(WitnessFile::open(path)?)));
        }
        if let Some(settings) = &settings.webhook {
            all.push((webhook::shown(&settings.url), Way::Webhook(Box::new(Webhook::open(settings)?))));
        }
        let witness = |(name, way)| {
            let (retries, round) = (Mutex::default(), Mutex::default());
            Arc::new(Witness { name, way, source: source.clone(), retries, round })
        };
        Ok(Self { all: all.into_iter().map(witness).collect() })
    }

    /// Each of them.
    pub fn each(&self) -> impl Iterator<Item = &Arc<Witness>> {
        self.all.iter()
    }

    /// How each witness stands to a trail: those that are configured, then those that once were.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn standings(&self, questions: &mut Snapshot<'_>, trail: TrailId) -> Result<Vec<Standing>, StoreError> {
        let head = questions.trail_head(trail)?;
        let mut known = questions.witnessed_checkpoints(trail)?;
        let mut standings = Vec::new();
        for witness in self.each() {
            let place = known.iter().position(|known| known.witness == witness.name);
            let last = place.map(|place| known.remove(place));
            let is_latest = head.size == 0 || last.as_ref().is_some_and(|last| last.checkpoint == head.checkpoint);
            let failure = if is_latest { None } else { lock(&witness.retries).failure(trail) };
            standings.push(standing(&witness.name, true, last.as_ref(), (head.size, is_latest), failure));
        }
        let former = known.iter().map(|last| {
            let is_latest = last.checkpoint == head.checkpoint;
            standing(&last.witness, false, Some(last), (head.size, is_latest), None)
        });
        standings.extend(former);
        Ok(standings)
    }
}

fn standing(
    witness: &str,
    is_configured: bool,
    last: Option<&WitnessedCheckpoint>,
    (size, is_latest): (i64, bool),
    failure: Option<(Instant, String)>,
) -> Standing {
    let since = size.saturating_sub(last.map_or(0, |last| last.size));
    Standing {
        witness: witness.to_owned(),
        is_configured,
        last: last.map(|last| LastWitnessed { at: last.witnessed_at, size: u64::try_from(last.size).unwrap_or(0) }),
        is_latest,
        events_since: u64::try_from(since).unwrap_or(0),
        failure,
    }
}

impl Witness {
    /// One round: the witness gets the latest checkpoint of each trail that it does not have and that is not waiting after
    /// a failure. What fails is tried again in a later round, also by another process: what is due follows from the database.
    ///
    /// # Errors
    /// [`StoreError`], where the database does not answer; what fails at the witness is not an error.
    pub fn tell(&self) -> Result<(), StoreError> {
        let _round = lock(&self.round);
        let begins_after = lock(&self.retries).begins_after();
        let mut is_second_half = begins_after.is_none();
        let (mut after, mut refusals) = (begins_after, 0);
        loop {
            let next = self.source.store.ask(|questions| questions.unwitnessed_checkpoint(&self.name, after))?;
            let is_round =
                |due: &UnwitnessedCheckpoint| is_second_half && begins_after.is_some_and(|begin| due.trail > begin);
            let Some(due) = next.filter(|due| !is_round(due)) else {
                if is_second_half {
                    break;
                }
                (after, is_second_half) = (None, true);
                continue;
            };
            after = Some(due.trail);
            if !lock(&self.retries).is_due(due.trail, self.source.clock.now()) {
                continue;
            }
            if let Err(failure) = self.tell_of(&due)? {
                refusals += 1;
                if failure.is_outage || refusals == REFUSALS_IN_A_ROUND {
                    lock(&self.retries).begin_after(due.trail);
                    break;
                }
            }
        }
        Ok(())
    }

    fn tell_of(&self, due: &UnwitnessedCheckpoint) -> Result<Result<(), Failure>, StoreError> {
        let Source { store, clock, secrets, installation } = &self.source;
        let told = match &self.way {
            Way::File(file) => file.append(&due.checkpoint),
            Way::Webhook(webhook) => {
                let message = Message::about(due, *installation, secrets.signer.public_key());
                webhook.post(&message, clock.now().as_seconds())
            }
        };
        let now = clock.now();
        match &told {
            Ok(()) => {
                if let Err(error) = store.write(|transaction| transaction.set_witnessed(&self.name, due, now)) {
                    // It will be told again, but not in every round for as long as the database is full.
                    let unnoted = Failure::outage("that it has the checkpoint could not be written down");
                    lock(&self.retries).failed(due.trail, &unnoted, now);
                    return Err(error);
                }
                if lock(&self.retries).succeeded(due.trail) {
                    tracing::info!(witness = self.name, "checkpoints are witnessed again");
                }
            }
            Err(failure) => {
                if lock(&self.retries).failed(due.trail, failure, now) {
                    tracing::warn!(witness = self.name, %failure, "a checkpoint was not witnessed; this is tried again");
                }
            }
        }
        Ok(told)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the name of a new file durable, not only what it holds.
fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
