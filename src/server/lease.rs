//! Keeps the lease on the PostgreSQL primary: one thread commits beats, one observes which server is the primary, and one
//! watches that these two make progress, because a call to a frozen server does not return.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};
use std::{io, thread};

use crate::domain::lease::BEAT_INTERVAL;
use crate::store::{LeaseState, PrimaryWatch, Store, StoreError};

/// A statement that takes longer hangs.
const STATEMENT_STALL: Duration = Duration::from_millis(1_500);
/// An attempt to connect that takes longer hangs: the driver gives up earlier.
const CONNECT_STALL: Duration = Duration::from_secs(10);
/// The pause after a call that took longer than the interval between two.
const SHORT_PAUSE: Duration = Duration::from_millis(5);
const SUPERVISION_INTERVAL: Duration = Duration::from_millis(100);
/// How long the start waits for the first beat.
const FIRST_BEAT: Duration = Duration::from_secs(1);

/// Starts the threads, which run until `stopped` is disconnected. Does nothing on SQLite.
pub(super) fn start(store: &Store, stopped: mpsc::Receiver<()>) -> io::Result<()> {
    let Some(watch) = store.primary_watch().cloned() else { return Ok(()) };
    watch.require_beats();
    let observer = Task::spawn("observer", store, |store, progress| observe(store, progress, false))?;
    let beats = Task::spawn("beats", store, beat)?;
    let started = Instant::now();
    while watch.lease_state() == Some(LeaseState::Lost) && started.elapsed() < FIRST_BEAT {
        thread::sleep(Duration::from_millis(2));
    }
    if watch.lease_state() == Some(LeaseState::Missing) {
        tracing::warn!("no synchronous standby, so no lease: a former primary that still runs can accept revoked keys");
    }
    let supervisor = Supervisor { store: store.clone(), watch, observer, beats, was_lost: false };
    thread::Builder::new().name("lease".to_owned()).spawn(move || supervisor.run(&stopped))?;
    Ok(())
}

struct Supervisor {
    store: Store,
    watch: PrimaryWatch,
    observer: Task,
    beats: Task,
    was_lost: bool,
}

impl Supervisor {
    fn run(mut self, stopped: &mpsc::Receiver<()>) {
        while stopped.recv_timeout(SUPERVISION_INTERVAL) == Err(mpsc::RecvTimeoutError::Timeout) {
            if self.observer.progress.is_stalled() {
                self.observer.replace(&self.store, |store, progress| observe(store, progress, true));
            }
            // A beat that hangs on the current primary waits for its standby. Another one would wait, too.
            let is_obsolete = self.beats.progress.generation.load(Ordering::Acquire) != self.watch.generation();
            if is_obsolete && self.beats.progress.is_stalled() {
                self.beats.replace(&self.store, beat);
            }
            self.report();
        }
    }

    fn report(&mut self) {
        let is_lost = self.watch.lease_state() == Some(LeaseState::Lost);
        match (self.was_lost, is_lost) {
            (false, true) => tracing::error!("the primary commits nothing; nothing is served until it does"),
            (true, false) => tracing::info!("the primary commits again"),
            _ => {}
        }
        self.was_lost = is_lost;
    }
}

/// A thread that may hang. It ends once it is given up and its call returns.
struct Task {
    name: &'static str,
    progress: Arc<Progress>,
}

struct Progress {
    is_given_up: AtomicBool,
    /// The primary that the connection leads to, see [`PrimaryWatch::generation`].
    generation: AtomicU64,
    call: Mutex<Call>,
}

/// A call that may hang, and when it began.
#[derive(Clone, Copy)]
enum Call {
    Connect(Instant),
    Statement(Instant),
    None,
}

impl Task {
    fn spawn(name: &'static str, store: &Store, work: fn(&Store, &Progress)) -> io::Result<Self> {
        let progress = Arc::new(Progress {
            is_given_up: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            call: Mutex::new(Call::None),
        });
        let (own, store) = (Arc::clone(&progress), store.clone());
        thread::Builder::new().name(name.to_owned()).spawn(move || work(&store, &own))?;
        Ok(Self { name, progress })
    }

    /// Gives the thread up, and starts another one.
    fn replace(&mut self, store: &Store, work: fn(&Store, &Progress)) {
        match Self::spawn(self.name, store, work) {
            Ok(task) => *self = task,
            Err(error) => tracing::warn!(%error, "thread not started"),
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.progress.is_given_up.store(true, Ordering::Release);
    }
}

impl Progress {
    fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Acquire)
    }

    fn call<T>(&self, call: Call, work: impl FnOnce() -> T) -> T {
        let set = |call| *self.call.lock().unwrap_or_else(PoisonError::into_inner) = call;
        set(call);
        let result = work();
        set(Call::None);
        result
    }

    fn is_stalled(&self) -> bool {
        match *self.call.lock().unwrap_or_else(PoisonError::into_inner) {
            Call::Connect(since) => since.elapsed() > CONNECT_STALL,
            Call::Statement(since) => since.elapsed() > STATEMENT_STALL,
            Call::None => false,
        }
    }

    /// Opens connections with `open` and repeats `work` on each until it fails.
    fn repeat<C>(
        &self,
        mut open: impl FnMut() -> Result<C, StoreError>,
        work: impl Fn(&mut C) -> Result<(), StoreError>,
    ) {
        let mut connection = None;
        while !self.is_given_up() {
            let began = Instant::now();
            let opened = match connection.take() {
                Some(opened) => Ok(opened),
                None => self.call(Call::Connect(Instant::now()), &mut open),
            };
            let worked = opened.and_then(|mut opened| {
                self.call(Call::Statement(Instant::now()), || work(&mut opened))?;
                Ok(opened)
            });
            match worked {
                Ok(opened) => connection = Some(opened),
                Err(error) => tracing::debug!(%error, "the primary does not answer"),
            }
            thread::sleep(pause_after(began.elapsed()));
        }
    }
}

/// Returns the pause after a call. Calls begin at fixed intervals: with a fixed pause, two slow beats in a row would end
/// the lease although each of them was committed in less than half of its time.
fn pause_after(call: Duration) -> Duration {
    BEAT_INTERVAL.saturating_sub(call).max(SHORT_PAUSE)
}

/// Observes the primary. After a stall, the connections of the server hang, too: it needs new ones, unless they lead to
/// a successor already. While the lease is lost, the primary may have a successor although it answers.
fn observe(store: &Store, progress: &Progress, is_after_stall: bool) {
    let Some(watch) = store.primary_watch() else { return };
    let is_lease_lost = || watch.lease_state() == Some(LeaseState::Lost);
    let mut stalled_on = is_after_stall.then(|| watch.generation());
    let open = || {
        if stalled_on.is_some() || is_lease_lost() {
            store.distrust_primary();
        }
        let mut observing = store.observe_primary()?;
        if stalled_on.take() == Some(watch.generation()) {
            watch.renew();
            observing = store.observe_primary()?;
        }
        Ok(observing)
    };
    progress.repeat(open, |observing| {
        observing.observe()?;
        if is_lease_lost() {
            Err(StoreError::unavailable("the lease is lost; looking for a successor"))
        } else {
            Ok(())
        }
    });
}

fn beat(store: &Store, progress: &Progress) {
    let open = || {
        let beats = store.open_beats()?;
        progress.generation.store(beats.generation(), Ordering::Release);
        Ok(beats)
    };
    progress.repeat(open, |beats| beats.beat());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lease::LEASE_DURATION;

    #[test]
    fn two_beats_of_almost_half_the_lease_each_keep_it() {
        let slow = LEASE_DURATION * 12 / 25;
        let next_sent = slow + pause_after(slow);
        assert!(next_sent + slow < LEASE_DURATION);
        assert_eq!(pause_after(Duration::from_millis(10)), Duration::from_millis(240));
    }
}
