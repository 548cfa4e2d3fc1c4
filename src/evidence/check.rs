//! Checks a whole audit trail, also while a server appends to it. Reads are short, because a long one keeps the
//! database from cleaning up; several threads read, because most of the time goes into reading rows and hashing them.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::domain::ids::TrailId;
use crate::domain::trail::check::{TrailCheck, TrailError, verify_leaf};
use crate::domain::trail::checkpoint::{Checkpoint, CheckpointKey};
use crate::domain::trail::merkle::Hash;
use crate::store::{Db, Store, StoreError};

const BATCH_SIZE: i64 = 2_000;
const MAX_READERS: usize = 4;

/// A trail to check, and what to check it against.
#[derive(Clone, Debug)]
pub struct CheckRequest {
    /// The trail to check.
    pub trail: TrailId,
    /// The origin line of its checkpoints.
    pub origin: String,
    /// The public key of its checkpoints.
    pub key: CheckpointKey,
    /// A checkpoint that was kept elsewhere, with a valid signature.
    pub kept_checkpoint: Option<Checkpoint>,
}

/// Why a check stops.
enum Stop {
    Trail(TrailError),
    Store(StoreError),
}

impl From<TrailError> for Stop {
    fn from(error: TrailError) -> Self {
        Self::Trail(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Checks every event of a trail. Returns the number of events, or the first error in the trail. `progress` gets the
/// number of checked events and of all events.
///
/// # Errors
/// [`StoreError`]: the database could not be read.
pub fn check_trail(
    store: &Store,
    request: &CheckRequest,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Result<u64, TrailError>, StoreError> {
    match check(store, request, progress) {
        Ok(events) => Ok(Ok(events)),
        Err(Stop::Trail(error)) => Ok(Err(error)),
        Err(Stop::Store(error)) => Err(error),
    }
}

fn check(store: &Store, request: &CheckRequest, progress: &mut dyn FnMut(u64, u64)) -> Result<u64, Stop> {
    let trail = request.trail;
    let (head, extra) = store.read(|db| {
        let before_first = db.trails().events_between(trail, i64::MIN..=0, 1)?;
        Ok::<_, StoreError>((db.trails().head(trail)?, before_first))
    })?;
    if let Some((event, stored)) = extra.first() {
        verify_leaf(1, head.size, event, stored)?;
    }
    let mut check = TrailCheck::new(request.kept_checkpoint);
    check_up_to(store, trail, head.size, &mut check, progress)?;
    // One snapshot for the rest: the head, its checkpoint, and the events that were appended meanwhile.
    store.read(|db| {
        let head = db.trails().head(trail)?;
        loop {
            let events = db.trails().events_between(trail, check.next_sequence()..=i64::MAX, BATCH_SIZE)?;
            for (event, stored) in &events {
                check.push(verify_leaf(check.next_sequence(), head.size, event, stored)?)?;
            }
            if events.is_empty() {
                return Ok(check.finish(&head, &request.origin, request.key)?);
            }
        }
    })
}

/// Checks the events 1 to `size`. Several threads read and hash them; this thread grows the tree in order.
fn check_up_to(
    store: &Store,
    trail: TrailId,
    size: i64,
    check: &mut TrailCheck,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), Stop> {
    let readers = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_READERS);
    let (next, is_done) = (AtomicI64::new(1), AtomicBool::new(false));
    let (sender, receiver) = sync_channel(readers);
    thread::scope(|scope| {
        for _ in 0..readers {
            let (sender, next, is_done) = (sender.clone(), &next, &is_done);
            scope.spawn(move || read_batches(store, trail, size, next, is_done, &sender));
        }
        drop(sender);
        let result = grow_tree(&receiver, size, check, progress);
        is_done.store(true, Ordering::Relaxed);
        // Readers that still send fail, and end.
        drop(receiver);
        result
    })
}

/// The number of the first event, and the leaves.
type Batch = (i64, Result<Vec<Hash>, Stop>);

/// Reads batches until none is left, or the check has stopped.
fn read_batches(
    store: &Store,
    trail: TrailId,
    size: i64,
    next: &AtomicI64,
    is_done: &AtomicBool,
    sender: &SyncSender<Batch>,
) {
    loop {
        let first = next.fetch_add(BATCH_SIZE, Ordering::Relaxed);
        if first > size || is_done.load(Ordering::Relaxed) {
            return;
        }
        let sequences = first..=size.min(first + BATCH_SIZE - 1);
        let batch = store.query(|db| Ok(leaves(db, trail, sequences.clone(), size)));
        if sender.send((first, batch.unwrap_or_else(|error| Err(error.into())))).is_err() {
            return;
        }
    }
}

fn leaves(db: &mut Db<'_>, trail: TrailId, sequences: RangeInclusive<i64>, size: i64) -> Result<Vec<Hash>, Stop> {
    let events = db.trails().events_between(trail, sequences.clone(), BATCH_SIZE)?;
    let leaves: Result<Vec<Hash>, TrailError> = sequences
        .clone()
        .zip(&events)
        .map(|(sequence, (event, stored))| verify_leaf(sequence, size, event, stored))
        .collect();
    let missing = sequences.start().saturating_add(i64::try_from(events.len()).unwrap_or(i64::MAX));
    let leaves = leaves?;
    if missing <= *sequences.end() { Err(TrailError::Missing { missing }.into()) } else { Ok(leaves) }
}

/// Appends the batches to the tree in the order of their events.
fn grow_tree(
    receiver: &Receiver<Batch>,
    size: i64,
    check: &mut TrailCheck,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), Stop> {
    let mut waiting = BTreeMap::new();
    for (first, batch) in receiver {
        waiting.insert(first, batch);
        while let Some(batch) = waiting.remove(&check.next_sequence()) {
            for leaf in batch? {
                check.push(leaf)?;
            }
            progress(check.next_sequence().unsigned_abs() - 1, size.unsigned_abs());
        }
    }
    Ok(())
}
