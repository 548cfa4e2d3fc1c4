//! Checks a whole audit trail, also while a server appends to it. Reads are short, because a long one keeps the
//! database from cleaning up; several threads read, because most of the time goes into reading rows and hashing them.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::domain::ids::TrailId;
use crate::domain::trail::check::{TrailCheck, TrailError, verify_leaf};
use crate::domain::trail::checkpoint::{Checkpoint, CheckpointKey};
use crate::domain::trail::event::Event;
use crate::domain::trail::key_chain::{KeyChain, KeyChainError};
use crate::domain::trail::merkle::Hash;
use crate::domain::trail::replay::{RecordedChange, Replay};
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
    /// A public key that signs its checkpoints, or did so before its key was changed.
    pub key: CheckpointKey,
    /// A checkpoint that was kept elsewhere, with a valid signature.
    pub kept_checkpoint: Option<Checkpoint>,
}

/// How much of the machine a check takes.
#[derive(Clone, Copy)]
pub enum Pace<'a> {
    /// Several threads.
    Full,
    /// One thread, which calls this after each batch with the time that the batch took, and goes on if it returns true.
    Slow(&'a dyn Fn(Duration) -> bool),
}

impl Pace<'_> {
    /// Pauses after a batch that started at this time.
    pub(super) fn pause(self, started: Instant) -> Result<(), Stop> {
        match self {
            Self::Slow(pause) if !pause(started.elapsed()) => Err(Stop::Interrupted),
            Self::Slow(_) | Self::Full => Ok(()),
        }
    }
}

/// Why a check stops.
pub(super) enum Stop {
    Trail(TrailError),
    Store(StoreError),
    Interrupted,
}

/// An unchanged trail.
pub(super) struct CheckedTrail {
    /// The number of events.
    pub(super) events: u64,
    pub(super) keys: KeyChain,
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
    finished(check(store, request, None, Pace::Full, progress).map(|checked| checked.events))
        .and_then(|checked| checked.ok_or_else(|| StoreError::unexpected("a check at full pace was interrupted")))
}

/// Returns the result of a check; `None` if it was interrupted.
pub(super) fn finished<T>(checked: Result<T, Stop>) -> Result<Option<Result<T, TrailError>>, StoreError> {
    match checked {
        Ok(value) => Ok(Some(Ok(value))),
        Err(Stop::Trail(error)) => Ok(Some(Err(error))),
        Err(Stop::Store(error)) => Err(error),
        Err(Stop::Interrupted) => Ok(None),
    }
}

/// Checks every event of a trail, and replays them if asked to.
pub(super) fn check(
    store: &Store,
    request: &CheckRequest,
    replay: Option<&mut Replay>,
    pace: Pace<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<CheckedTrail, Stop> {
    let trail = request.trail;
    let (head, extra, keys) = store.read(|db| {
        let before_first = db.trails().events_between(trail, i64::MIN..=0, 1)?;
        Ok::<_, Stop>((db.trails().head(trail)?, before_first, keys(db, request)?))
    })?;
    if let Some((event, stored)) = extra.first() {
        verify_leaf(1, head.size, event, stored)?;
    }
    let mut check = GrowingCheck { tree: TrailCheck::new(request.kept_checkpoint), replay };
    check.tree.expect(keys.changes().iter().map(|change| change.checkpoint))?;
    match pace {
        Pace::Full => check_up_to(store, trail, head.size, &mut check, progress)?,
        Pace::Slow(_) => check_slowly(store, trail, head.size, &mut check, pace, progress)?,
    }
    // One snapshot for the rest: the head, its checkpoint, and what was appended meanwhile.
    store.read(|db| {
        let head = db.trails().head(trail)?;
        let known = keys.changes();
        let keys = self::keys(db, request)?;
        let not_continued = TrailError::Keys(KeyChainError::NotContinued(known.len()));
        let added = keys.changes().strip_prefix(known).ok_or(not_continued)?;
        check.tree.expect(added.iter().map(|change| change.checkpoint))?;
        loop {
            let events = db.trails().events_between(trail, check.tree.next_sequence()..=i64::MAX, BATCH_SIZE)?;
            if events.is_empty() {
                let events = check.tree.finish(&head, &request.origin, keys.active())?;
                return Ok(CheckedTrail { events, keys });
            }
            for (event, stored) in &events {
                let leaf = verify_leaf(check.tree.next_sequence(), head.size, event, stored)?;
                check.push(leaf, RecordedChange::of(event).as_ref())?;
            }
        }
    })
}

fn keys(db: &mut Db<'_>, request: &CheckRequest) -> Result<KeyChain, Stop> {
    Ok(key_chain(db, request.trail, &request.origin, request.key)?.map_err(TrailError::Keys)?)
}

/// Reads the keys that signed a trail, of which the reader trusts one.
///
/// # Errors
/// [`StoreError`]: the database could not be read.
pub fn key_chain(
    db: &mut Db<'_>,
    trail: TrailId,
    origin: &str,
    trusted: CheckpointKey,
) -> Result<Result<KeyChain, KeyChainError>, StoreError> {
    let notes = db.trails().key_changes(trail)?;
    Ok(KeyChain::read(trusted, notes.iter().map(String::as_str), origin))
}

/// Replays the events that were appended since the check, from `next` on, which then is the number of the next event.
pub(super) fn replay_new_events(
    db: &mut Db<'_>,
    trail: TrailId,
    next: &mut i64,
    replay: &mut Replay,
) -> Result<(), Stop> {
    loop {
        let events = db.trails().events_between(trail, *next..=i64::MAX, BATCH_SIZE)?;
        if events.is_empty() {
            return Ok(());
        }
        for (event, stored) in &events {
            verify_leaf(*next, i64::MAX, event, stored)?;
            if let Some(change) = RecordedChange::of(event) {
                replay.apply(&change);
            }
            *next += 1;
        }
    }
}

/// A check that takes the events in order.
struct GrowingCheck<'a> {
    tree: TrailCheck,
    replay: Option<&'a mut Replay>,
}

impl GrowingCheck<'_> {
    fn push(&mut self, leaf: Hash, change: Option<&RecordedChange>) -> Result<(), TrailError> {
        self.tree.push(leaf)?;
        if let (Some(replay), Some(change)) = (&mut self.replay, change) {
            replay.apply(change);
        }
        Ok(())
    }
}

/// Checks the events 1 to `size`. Several threads read and hash them; this thread grows the tree in order.
fn check_up_to(
    store: &Store,
    trail: TrailId,
    size: i64,
    check: &mut GrowingCheck<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), Stop> {
    let is_replayed = check.replay.is_some();
    let readers = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_READERS);
    let (next, is_done) = (AtomicI64::new(1), AtomicBool::new(false));
    let (sender, receiver) = sync_channel(readers);
    thread::scope(|scope| {
        for _ in 0..readers {
            let (sender, next, is_done) = (sender.clone(), &next, &is_done);
            scope.spawn(move || read_batches(store, trail, size, is_replayed, next, is_done, &sender));
        }
        drop(sender);
        let result = grow_tree(&receiver, size, check, progress);
        is_done.store(true, Ordering::Relaxed);
        // Readers that still send fail, and end.
        drop(receiver);
        result
    })
}

/// Checks the events 1 to `size` on this thread.
fn check_slowly(
    store: &Store,
    trail: TrailId,
    size: i64,
    check: &mut GrowingCheck<'_>,
    pace: Pace<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), Stop> {
    let is_replayed = check.replay.is_some();
    while check.tree.next_sequence() <= size {
        let (started, first) = (Instant::now(), check.tree.next_sequence());
        let sequences = first..=size.min(first + BATCH_SIZE - 1);
        for (leaf, change) in store.query(|db| Ok(leaves(db, trail, sequences.clone(), size, is_replayed)))?? {
            check.push(leaf, change.as_deref())?;
        }
        progress(check.tree.next_sequence().unsigned_abs() - 1, size.unsigned_abs());
        pace.pause(started)?;
    }
    Ok(())
}

/// An event that matches its stored hash.
type Leaf = (Hash, Option<Box<RecordedChange>>);

/// The number of the first event, and the leaves.
type Batch = (i64, Result<Vec<Leaf>, Stop>);

/// Reads batches until none is left, or the check has stopped.
fn read_batches(
    store: &Store,
    trail: TrailId,
    size: i64,
    is_replayed: bool,
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
        let batch = store.query(|db| Ok(leaves(db, trail, sequences.clone(), size, is_replayed)));
        if sender.send((first, batch.unwrap_or_else(|error| Err(error.into())))).is_err() {
            return;
        }
    }
}

fn leaves(
    db: &mut Db<'_>,
    trail: TrailId,
    sequences: RangeInclusive<i64>,
    size: i64,
    is_replayed: bool,
) -> Result<Vec<Leaf>, Stop> {
    let events = db.trails().events_between(trail, sequences.clone(), BATCH_SIZE)?;
    let leaf = |(sequence, (event, stored)): (i64, &(Event, Vec<u8>))| {
        let hash = verify_leaf(sequence, size, event, stored)?;
        let change = if is_replayed { RecordedChange::of(event).map(Box::new) } else { None };
        Ok((hash, change))
    };
    let leaves: Result<Vec<Leaf>, TrailError> = sequences.clone().zip(&events).map(leaf).collect();
    let missing = sequences.start().saturating_add(i64::try_from(events.len()).unwrap_or(i64::MAX));
    let leaves = leaves?;
    if missing <= *sequences.end() { Err(TrailError::Missing { missing }.into()) } else { Ok(leaves) }
}

/// Appends the batches to the tree in the order of their events.
fn grow_tree(
    receiver: &Receiver<Batch>,
    size: i64,
    check: &mut GrowingCheck<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), Stop> {
    let mut waiting = BTreeMap::new();
    for (first, batch) in receiver {
        waiting.insert(first, batch);
        while let Some(batch) = waiting.remove(&check.tree.next_sequence()) {
            for (leaf, change) in batch? {
                check.push(leaf, change.as_deref())?;
            }
            progress(check.tree.next_sequence().unsigned_abs() - 1, size.unsigned_abs());
        }
    }
    Ok(())
}
