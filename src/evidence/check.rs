//! Checks a whole trail, also while a server appends to it: in short reads, as a long one would keep a database from
//! tidying up, and on all processors, as most of the time goes into reading rows and hashing them.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::domain::checkpoint::{Checkpoint, CheckpointKey};
use crate::domain::ids::TrailId;
use crate::domain::merkle::Hash;
use crate::domain::trail_check::{Misfit, TrailCheck, leaf};
use crate::store::{Snapshot, Store, StoreError};

const EVENTS_AT_A_TIME: i64 = 2_000;
const MOST_READERS: usize = 4;

/// Which trail, and what it is held against.
#[derive(Clone, Debug)]
pub struct Question {
    /// The trail.
    pub trail: TrailId,
    /// The name under which its checkpoints are signed.
    pub origin: String,
    /// The key that signed them.
    pub key: CheckpointKey,
    /// A checkpoint that was kept elsewhere, its signature checked.
    pub kept: Option<Checkpoint>,
}

/// Why a check ended early.
enum Stop {
    Misfit(Misfit),
    Store(StoreError),
}

impl From<Misfit> for Stop {
    fn from(misfit: Misfit) -> Self {
        Self::Misfit(misfit)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Checks every event of a trail; answers how many there are, or the first thing that does not fit. `progress` is told
/// how many of how many were checked.
///
/// # Errors
/// [`StoreError`], where the database cannot be asked.
pub fn check_trail(
    store: &Store,
    question: &Question,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Result<u64, Misfit>, StoreError> {
    match check(store, question, progress) {
        Ok(events) => Ok(Ok(events)),
        Err(Stop::Misfit(misfit)) => Ok(Err(misfit)),
        Err(Stop::Store(error)) => Err(error),
    }
}

fn check(store: &Store, question: &Question, progress: &mut dyn FnMut(u64, u64)) -> Result<u64, Stop> {
    let trail = question.trail;
    let (head, before) = store.read(|questions| {
        let before_the_first = questions.events_between(trail, i64::MIN..=0, 1)?;
        Ok::<_, StoreError>((questions.trail_head(trail)?, before_the_first))
    })?;
    if let Some((event, stored)) = before.first() {
        leaf(1, head.size, event, stored)?;
    }
    let mut check = TrailCheck::new(question.kept);
    check_up_to(store, trail, head.size, &mut check, progress)?;
    // The last of it is one state of the database: head, checkpoint, and what was appended meanwhile.
    store.read(|questions| {
        let head = questions.trail_head(trail)?;
        loop {
            let events = questions.events_between(trail, check.next()..=i64::MAX, EVENTS_AT_A_TIME)?;
            for (event, stored) in &events {
                check.take(leaf(check.next(), head.size, event, stored)?)?;
            }
            if events.is_empty() {
                return Ok(check.finish(&head, &question.origin, question.key)?);
            }
        }
    })
}

/// Checks the events 1 to `size`: several threads read and hash them, and the tree grows in order.
fn check_up_to(
    store: &Store,
    trail: TrailId,
    size: i64,
    check: &mut TrailCheck,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), Stop> {
    let readers = thread::available_parallelism().map_or(1, NonZero::get).min(MOST_READERS);
    let (next, over) = (AtomicI64::new(1), AtomicBool::new(false));
    let (sender, receiver) = sync_channel(readers);
    thread::scope(|scope| {
        for _ in 0..readers {
            let (sender, next, over) = (sender.clone(), &next, &over);
            scope.spawn(move || read(store, trail, size, next, over, &sender));
        }
        drop(sender);
        let grown = grow(&receiver, size, check, progress);
        over.store(true, Ordering::Relaxed);
        // Whoever still wants to say something finds nobody there, and ends.
        drop(receiver);
        grown
    })
}

type Part = (i64, Result<Vec<Hash>, Stop>);

/// Reads one part after the other until there are no more, or somebody found what does not fit.
fn read(store: &Store, trail: TrailId, size: i64, next: &AtomicI64, over: &AtomicBool, sender: &SyncSender<Part>) {
    loop {
        let first = next.fetch_add(EVENTS_AT_A_TIME, Ordering::Relaxed);
        if first > size || over.load(Ordering::Relaxed) {
            return;
        }
        let places = first..=size.min(first + EVENTS_AT_A_TIME - 1);
        let part = store.ask(|questions| Ok(leaves(questions, trail, places.clone(), size)));
        if sender.send((first, part.unwrap_or_else(|error| Err(error.into())))).is_err() {
            return;
        }
    }
}

fn leaves(
    questions: &mut Snapshot<'_>,
    trail: TrailId,
    places: RangeInclusive<i64>,
    size: i64,
) -> Result<Vec<Hash>, Stop> {
    let events = questions.events_between(trail, places.clone(), EVENTS_AT_A_TIME)?;
    let leaves: Result<Vec<Hash>, Misfit> =
        places.clone().zip(&events).map(|(place, (event, stored))| leaf(place, size, event, stored)).collect();
    let missing = places.start().saturating_add(i64::try_from(events.len()).unwrap_or(i64::MAX));
    let leaves = leaves?;
    if missing <= *places.end() { Err(Misfit::Missing { missing }.into()) } else { Ok(leaves) }
}

/// Appends the parts to the tree in order, whatever order they come in.
fn grow(
    receiver: &Receiver<Part>,
    size: i64,
    check: &mut TrailCheck,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), Stop> {
    let mut early = BTreeMap::new();
    for (first, part) in receiver {
        early.insert(first, part);
        while let Some(part) = early.remove(&check.next()) {
            for leaf in part? {
                check.take(leaf)?;
            }
            progress(check.next().unsigned_abs() - 1, size.unsigned_abs());
        }
    }
    Ok(())
}
