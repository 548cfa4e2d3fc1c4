//! Checks that the stored rows are what the events of a trail say.

use std::time::Instant;

use super::check::{CheckRequest, CheckedTrail, Pace, Stop, check, finished, replay_new_events};
use crate::domain::ids::TrailId;
use crate::domain::trail::check::TrailError;
use crate::domain::trail::key_chain::KeyChain;
use crate::domain::trail::replay::{Difference, Replay, ReplayCounts};
use crate::store::{Db, Store, StoreError};

const BATCH_SIZE: i64 = 1_000;
/// More differences are counted, and not kept.
const MAX_DIFFERENCES: usize = 100;

/// A difference between a row and the events, with the event that says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDifference {
    pub difference: Difference,
    pub event: Option<EventReference>,
}

/// An event as a finding names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventReference {
    pub sequence: i64,
    pub id: String,
    pub action: String,
}

/// A trail whose events verify, and the rows that it accounts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedState {
    /// The number of events.
    pub events: u64,
    /// The keys that signed it.
    pub keys: KeyChain,
    pub counts: ReplayCounts,
    /// The first differences between the rows and the events.
    pub differences: Vec<StateDifference>,
    /// The number of all differences.
    pub difference_count: usize,
}

/// What a check has done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The number of checked events, and of all events.
    Events(u64, u64),
    /// The number of compared rows, and of all rows.
    Rows(u64, u64),
}

/// Checks every event of a trail like [`check_trail`](super::check_trail), replays them, and compares the rows. Returns
/// `None` if the pace ended the check.
///
/// # Errors
/// [`StoreError`]: the database could not be read.
pub fn check_state(
    store: &Store,
    request: &CheckRequest,
    pace: Pace<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Option<Result<CheckedState, TrailError>>, StoreError> {
    let mut replay = Replay::default();
    let of_events = &mut |done, total| progress(Progress::Events(done, total));
    let checked = check(store, request, Some(&mut replay), pace, of_events)
        .and_then(|checked| compare(store, request.trail, checked, replay, pace, progress));
    finished(checked)
}

/// Returns rows that belong to no trail, as they were added by hand.
pub fn stray_rows(store: &Store) -> Result<Vec<StateDifference>, StoreError> {
    let limit = i64::try_from(MAX_DIFFERENCES).unwrap_or(i64::MAX);
    let strays = store.query(|db| db.stored_rows().strays(limit))?;
    Ok(strays.into_iter().map(|difference| StateDifference { difference, event: None }).collect())
}

fn compare(
    store: &Store,
    trail: TrailId,
    CheckedTrail { events, keys }: CheckedTrail,
    replay: Replay,
    pace: Pace<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<CheckedState, Stop> {
    let size = i64::try_from(events).unwrap_or(i64::MAX);
    let mut comparison = RowComparison {
        store,
        trail,
        replay,
        pace,
        next_sequence: size.saturating_add(1),
        found: Vec::new(),
        found_count: 0,
        compared: 0,
        progress,
    };
    let pepper_id = store.query(|db| db.installation().get())?.map(|row| row.pepper_id).unwrap_or_default();
    comparison.compare_company()?;
    comparison.rows(
        |db, after| db.stored_rows().users(trail, after, BATCH_SIZE),
        |row| &row.id,
        |replay, row| replay.compare_user(row),
    )?;
    comparison.rows(
        |db, after| db.stored_rows().accounts(trail, after, BATCH_SIZE),
        |row| &row.id,
        |replay, row| replay.compare_account(row),
    )?;
    comparison.rows(
        |db, after| db.stored_rows().keys(trail, after, BATCH_SIZE),
        |row| &row.id,
        |replay, row| replay.compare_key(row, &pepper_id),
    )?;
    let counts = comparison.replay.counts();
    if counts.companies == 0 {
        // Only the installation's own trail is no company's.
        comparison.rows(
            |db, after| db.stored_rows().gateways(after, BATCH_SIZE),
            |row| &row.id,
            |replay, row| replay.compare_gateway(row),
        )?;
    }
    comparison.add(comparison.replay.missing(size));
    let RowComparison { found, found_count, .. } = comparison;
    let differences =
        found.into_iter().map(|difference| with_event(store, trail, difference)).collect::<Result<_, _>>()?;
    Ok(CheckedState { events, keys, counts, differences, difference_count: found_count })
}

/// Adds the event that says otherwise.
fn with_event(store: &Store, trail: TrailId, difference: Difference) -> Result<StateDifference, StoreError> {
    let Some(sequence) = difference.sequence else { return Ok(StateDifference { difference, event: None }) };
    let events = store.query(|db| db.trails().events_between(trail, sequence..=sequence, 1))?;
    let event = events.into_iter().next();
    let event = event.map(|(event, _)| EventReference { sequence, id: event.id, action: event.action });
    Ok(StateDifference { difference, event })
}

/// A comparison in progress. Each batch of rows is compared in a short read, after the events that are new in the same
/// snapshot were replayed: rows and events fit together at any time, also while the server changes them.
struct RowComparison<'a> {
    store: &'a Store,
    trail: TrailId,
    replay: Replay,
    pace: Pace<'a>,
    next_sequence: i64,
    found: Vec<Difference>,
    found_count: usize,
    compared: u64,
    progress: &'a mut dyn FnMut(Progress),
}

impl RowComparison<'_> {
    fn compare_company(&mut self) -> Result<(), Stop> {
        let (trail, replay, next) = (self.trail, &mut self.replay, &mut self.next_sequence);
        let found = self.store.read(|db| {
            replay_new_events(db, trail, next, replay)?;
            let company = db.stored_rows().company(trail)?;
            Ok::<_, Stop>(company.map_or_else(Vec::new, |company| replay.compare_company(&company)))
        })?;
        self.add(found);
        Ok(())
    }

    /// Compares the rows of one table in the order of their ids.
    fn rows<Row>(
        &mut self,
        read: impl Fn(&mut Db<'_>, &str) -> Result<Vec<Row>, StoreError>,
        id: impl Fn(&Row) -> &String,
        compare: impl Fn(&mut Replay, &Row) -> Vec<Difference>,
    ) -> Result<(), Stop> {
        let mut after = String::new();
        loop {
            let started = Instant::now();
            let (trail, replay, next) = (self.trail, &mut self.replay, &mut self.next_sequence);
            let rows = self.store.read(|db| {
                replay_new_events(db, trail, next, replay)?;
                Ok::<_, Stop>(read(db, &after)?)
            })?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(id(last));
            for row in &rows {
                let found = compare(&mut self.replay, row);
                self.add(found);
            }
            self.compared += rows.len() as u64;
            (self.progress)(Progress::Rows(self.compared, self.replay.row_count() as u64));
            self.pace.pause(started)?;
        }
    }

    fn add(&mut self, found: Vec<Difference>) {
        self.found_count += found.len();
        let room = MAX_DIFFERENCES.saturating_sub(self.found.len());
        self.found.extend(found.into_iter().take(room));
    }
}
