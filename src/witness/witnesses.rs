//! The configured witnesses, and the status of each for a trail.

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use super::error::WitnessError;
use super::file::WitnessFile;
use super::publisher::{Transport, Witness, WitnessContext};
use super::webhook::{self, Webhook};
use crate::config::WitnessSettings;
use crate::domain::ids::TrailId;
use crate::domain::timestamp::Timestamp;
use crate::store::{Db, Store, StoreError, WitnessedCheckpoint};

/// All configured witnesses.
#[derive(Clone, Debug)]
pub struct Witnesses {
    all: Arc<[Arc<Witness>]>,
    failures: Counter,
}

/// What a witness has of a trail.
#[derive(Clone, Debug)]
pub struct WitnessStatus {
    /// The name of the witness.
    pub witness: String,
    /// Whether new checkpoints are published to the witness.
    pub is_configured: bool,
    /// The last checkpoint that the witness has.
    pub last: Option<LastWitnessed>,
    /// Whether the witness has the latest checkpoint of the trail.
    pub is_latest: bool,
    /// The number of events since the last witnessed checkpoint.
    pub events_since: u64,
    /// Why the witness does not have the latest checkpoint, and when it was last tried.
    pub failure: Option<(Timestamp, String)>,
}

/// A checkpoint that a witness has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastWitnessed {
    /// When it was published.
    pub at: Timestamp,
    /// The number of events that it signs.
    pub size: u64,
}

impl Witnesses {
    /// Opens the witnesses in the settings.
    ///
    /// # Errors
    /// [`WitnessError`]: the file cannot be written, or the webhook's secret is invalid.
    pub fn open(settings: &WitnessSettings, context: &WitnessContext) -> Result<Self, WitnessError> {
        let mut transports = Vec::new();
        if let Some(path) = &settings.file {
            transports.push(Transport::File(WitnessFile::open(path)?));
        }
        if let Some(settings) = &settings.webhook {
            transports.push(Transport::Webhook(Box::new(Webhook::open(settings)?)));
        }
        let transports = Self::names(settings).into_iter().zip(transports);
        let failures = Counter::default();
        let witness = |(name, transport)| Witness::new(name, transport, context.clone(), failures.clone());
        let all = transports.map(witness).map(Arc::new).collect();
        Ok(Self { all, failures })
    }

    /// Returns the names of the witnesses in the settings, which the database knows them by.
    #[must_use]
    pub fn names(settings: &WitnessSettings) -> Vec<String> {
        let file = settings.file.iter().map(|path| path.display().to_string());
        file.chain(settings.webhook.iter().map(|webhook| webhook::display_name(&webhook.url))).collect()
    }

    /// Registers the metric of failed attempts.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Attempts to give a checkpoint to a witness that failed";
        registry.register("keydesk_witness_failures", help, self.failures.clone());
    }

    /// Returns the time of the oldest event that a configured witness has no checkpoint of.
    pub fn unwitnessed_since(&self, store: &Store) -> Result<Option<Timestamp>, StoreError> {
        oldest_unwitnessed(store, self.iter().map(|witness| witness.name()))
    }

    /// Iterates over the witnesses.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Witness>> {
        self.all.iter()
    }

    /// Returns the status of each witness for a trail: the configured witnesses, then former ones.
    pub fn statuses(&self, db: &mut Db<'_>, trail: TrailId) -> Result<Vec<WitnessStatus>, StoreError> {
        let head = db.trails().head(trail)?;
        let mut known = db.witnessed().of_trail(trail)?;
        let mut statuses = Vec::new();
        for witness in self.iter() {
            let index = known.iter().position(|known| known.witness == witness.name());
            let last = index.map(|index| known.remove(index));
            let is_latest = head.size == 0 || last.as_ref().is_some_and(|last| last.checkpoint == head.checkpoint);
            let failure = if is_latest { None } else { witness.failure(trail) };
            statuses.push(status(witness.name(), true, last.as_ref(), (head.size, is_latest), failure));
        }
        let former = known.iter().map(|last| {
            let is_latest = last.checkpoint == head.checkpoint;
            status(&last.witness, false, Some(last), (head.size, is_latest), None)
        });
        statuses.extend(former);
        Ok(statuses)
    }
}

/// Returns the time of the oldest event that a witness of these names has no checkpoint of.
///
/// # Errors
/// [`StoreError`]: the database could not be read.
pub fn oldest_unwitnessed<'a>(
    store: &Store,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<Option<Timestamp>, StoreError> {
    let mut oldest = None;
    for name in names {
        let since = store.query(|db| db.witnessed().unwitnessed_since(name))?;
        oldest = oldest.into_iter().chain(since).min();
    }
    Ok(oldest)
}

fn status(
    witness: &str,
    is_configured: bool,
    last: Option<&WitnessedCheckpoint>,
    (size, is_latest): (i64, bool),
    failure: Option<(Timestamp, String)>,
) -> WitnessStatus {
    let events_since = size.saturating_sub(last.map_or(0, |last| last.size));
    WitnessStatus {
        witness: witness.to_owned(),
        is_configured,
        last: last.map(|last| LastWitnessed { at: last.witnessed_at, size: u64::try_from(last.size).unwrap_or(0) }),
        is_latest,
        events_since: u64::try_from(events_since).unwrap_or(0),
        failure,
    }
}
