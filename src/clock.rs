//! The clock, passed in explicitly. The only module that reads the system time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::domain::timestamp::Timestamp;

/// How far a processor's oscillator may run ahead of another one, in microseconds per second.
const MAX_DRIFT_MICROS_PER_SECOND: u64 = 200;
/// How long the uncertainty of former alignments counts: times from before are written to the database by then.
const MEMORY: Duration = Duration::from_mins(1);
/// An offset from this many seconds on is reported.
const EXCESSIVE_OFFSET_SECONDS: f64 = 1.0;

/// A source of the current time. Clones share it.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System(Arc<SystemClock>),
    Manual(Arc<AtomicI64>),
}

/// The system's clock, until it is aligned to the clock of a database. From then on, time is the database's time at the
/// last alignment plus the time that has passed since, which steps of the system's clock do not affect.
#[derive(Debug)]
struct SystemClock {
    /// Added to the system's time, in microseconds.
    skew: i64,
    started: Instant,
    /// The aligned time at `started`, in microseconds since 1970; [`NOT_ALIGNED`] before the first alignment.
    aligned_start: AtomicI64,
    alignment: Mutex<Option<Alignment>>,
}

const NOT_ALIGNED: i64 = i64::MIN;

/// The last alignment to the database's clock.
#[derive(Clone, Copy, Debug)]
struct Alignment {
    at: Instant,
    /// Half of the round trip: the database read its clock at some time during it.
    uncertainty: Duration,
    /// The largest uncertainty of times that were read under former alignments, and when it ended.
    former: Option<(Instant, Duration)>,
}

impl Alignment {
    fn uncertainty_at(&self, now: Instant) -> Duration {
        self.uncertainty + drift(now.saturating_duration_since(self.at))
    }

    fn fresh_former(&self, now: Instant) -> Option<(Instant, Duration)> {
        self.former.filter(|(ended, _)| now.saturating_duration_since(*ended) < MEMORY)
    }
}

/// A reading of the database's clock, and the time at which it was requested and received.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    pub database: Timestamp,
    pub requested: Instant,
    pub received: Instant,
}

impl Reading {
    /// Reads the database's clock with `read`. `None` if it has no clock of its own.
    ///
    /// # Errors
    /// The error of `read`.
    pub fn take<E>(read: impl FnOnce() -> Result<Option<Timestamp>, E>) -> Result<Option<Self>, E> {
        let requested = Instant::now();
        let database = read()?;
        let received = Instant::now();
        Ok(database.map(|database| Self { database, requested, received }))
    }

    fn round_trip(&self) -> Duration {
        self.received.duration_since(self.requested)
    }
}

impl Clock {
    /// Returns the clock of the system.
    #[must_use]
    pub fn system() -> Self {
        Self::skewed(0)
    }

    /// Returns the clock of a system that is wrong by `skew` microseconds, for tests.
    #[must_use]
    pub fn skewed(skew: i64) -> Self {
        Self(Source::System(Arc::new(SystemClock {
            skew,
            started: Instant::now(),
            aligned_start: AtomicI64::new(NOT_ALIGNED),
            alignment: Mutex::new(None),
        })))
    }

    /// Returns a clock that shows one time until it is [set](Self::set), for tests and the history of the demo.
    #[must_use]
    pub fn manual(now: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(now.as_micros()))))
    }

    /// Returns the current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System(clock) => clock.now(),
            Source::Manual(micros) => Timestamp::from_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// Sets a manual clock and all its clones. Does nothing to the clock of the system.
    pub fn set(&self, now: Timestamp) {
        if let Source::Manual(micros) = &self.0 {
            micros.store(now.as_micros(), Ordering::SeqCst);
        }
    }

    /// Aligns the clock to the database's clock. Of several readings, the one with the shortest round trip counts.
    pub fn align(&self, readings: impl IntoIterator<Item = Reading>) {
        let best = readings.into_iter().min_by_key(Reading::round_trip);
        if let (Source::System(clock), Some(reading)) = (&self.0, best) {
            clock.align(&reading);
        }
    }

    /// Returns how far the times of the last minute may be from the database's clock. Zero if the clock was never
    /// aligned: then the database has no clock of its own.
    #[must_use]
    pub fn uncertainty(&self) -> Duration {
        match &self.0 {
            Source::System(clock) => clock.uncertainty(),
            Source::Manual(_) => Duration::ZERO,
        }
    }

    /// Returns the system's clock minus the database's clock, in seconds; `None` if it was never aligned.
    #[must_use]
    pub fn offset_seconds(&self) -> Option<f64> {
        let Source::System(clock) = &self.0 else { return None };
        let aligned = clock.aligned_now()?;
        let micros = clock.system_now().saturating_sub(aligned);
        #[expect(clippy::cast_precision_loss, reason = "an offset needs no more than 52 bits of microseconds")]
        let seconds = micros as f64 / 1e6;
        Some(seconds)
    }

    /// Returns the offset of [`offset_seconds`](Self::offset_seconds) if it is so large that the system's clock should
    /// be set.
    #[must_use]
    pub fn excessive_offset_seconds(&self) -> Option<f64> {
        self.offset_seconds().filter(|offset| offset.abs() >= EXCESSIVE_OFFSET_SECONDS)
    }
}

impl SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.aligned_now().unwrap_or_else(|| self.system_now()))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system time")]
    fn system_now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        micros(since).saturating_add(self.skew)
    }

    fn aligned_now(&self) -> Option<i64> {
        let start = Some(self.aligned_start.load(Ordering::Relaxed)).filter(|start| *start != NOT_ALIGNED)?;
        Some(start.saturating_add(micros(self.started.elapsed())))
    }

    fn align(&self, reading: &Reading) {
        let uncertainty = reading.round_trip() / 2;
        let at = reading.requested + uncertainty;
        let start = reading.database.as_micros().saturating_sub(micros(at.duration_since(self.started)));
        let mut alignment = self.lock();
        let before = self.aligned_start.swap(start, Ordering::Relaxed);
        let former = alignment.map(|last| {
            // The database's clock may have stepped, as after a fail-over to another machine.
            let change = Duration::from_micros(before.abs_diff(start));
            let of_last = (at, last.uncertainty_at(at) + change);
            last.fresh_former(at).filter(|(_, former)| *former > of_last.1).unwrap_or(of_last)
        });
        *alignment = Some(Alignment { at, uncertainty, former });
    }

    fn uncertainty(&self) -> Duration {
        let Some(alignment) = *self.lock() else { return Duration::ZERO };
        let now = Instant::now();
        let former = alignment.fresh_former(now).map_or(Duration::ZERO, |(_, former)| former);
        alignment.uncertainty_at(now).max(former)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Alignment>> {
        self.alignment.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drift(elapsed: Duration) -> Duration {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    Duration::from_micros(millis.saturating_mul(MAX_DRIFT_MICROS_PER_SECOND) / 1_000)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    /// A reading that was received now, after a round trip of two milliseconds.
    fn reading(database: i64) -> Reading {
        let received = Instant::now();
        let requested = received.checked_sub(Duration::from_millis(2)).unwrap();
        Reading { database: Timestamp::from_micros(database), requested, received }
    }

    #[test]
    fn an_aligned_clock_follows_the_database_whatever_the_system_says() {
        for skew in [0, SECOND / 1_000, -20 * SECOND, 3_600 * SECOND] {
            let clock = Clock::skewed(skew);
            assert!(clock.offset_seconds().is_none());
            assert_eq!(clock.uncertainty(), Duration::ZERO);
            clock.align([reading(5 * SECOND)]);
            let now = clock.now().as_micros();
            assert!((5 * SECOND..6 * SECOND).contains(&now), "{now}");
            assert!(clock.offset_seconds().is_some_and(|offset| offset > 1e9));
            assert!((1..10).contains(&clock.uncertainty().as_millis()), "{:?}", clock.uncertainty());
        }
    }

    #[test]
    fn the_reading_with_the_shortest_round_trip_counts() {
        let clock = Clock::system();
        let slow = reading(9 * SECOND);
        let slow = Reading { requested: slow.requested.checked_sub(Duration::from_millis(500)).unwrap(), ..slow };
        clock.align([slow, reading(5 * SECOND)]);
        assert!(clock.now().as_micros() < 6 * SECOND);
    }

    #[test]
    fn a_step_of_the_database_counts_as_uncertainty() {
        let clock = Clock::system();
        clock.align([reading(5 * SECOND)]);
        clock.align([reading(5 * SECOND)]);
        assert!(clock.uncertainty() < Duration::from_millis(100), "{:?}", clock.uncertainty());
        clock.align([reading(7 * SECOND)]);
        assert!(clock.uncertainty() >= Duration::from_millis(1_900), "{:?}", clock.uncertainty());
        assert!(clock.now().as_micros() >= 7 * SECOND);
    }

    #[test]
    fn times_from_before_an_alignment_keep_their_uncertainty() {
        let clock = Clock::system();
        let good = reading(5 * SECOND);
        clock.align([Reading { requested: good.requested.checked_sub(Duration::from_millis(400)).unwrap(), ..good }]);
        assert!(clock.uncertainty() >= Duration::from_millis(200), "{:?}", clock.uncertainty());
        for _ in 0..3 {
            clock.align([reading(5 * SECOND)]);
            assert!(clock.uncertainty() >= Duration::from_millis(200), "{:?}", clock.uncertainty());
        }
    }

    #[test]
    fn clones_share_the_alignment_and_manual_clocks_have_none() {
        let clock = Clock::system();
        let clone = clock.clone();
        clock.align([reading(5 * SECOND)]);
        assert!(clone.now().as_micros() < 6 * SECOND);
        let manual = Clock::manual(Timestamp::from_micros(1));
        manual.align([reading(5 * SECOND)]);
        assert_eq!((manual.now().as_micros(), manual.uncertainty()), (1, Duration::ZERO));
    }
}
