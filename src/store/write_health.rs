//! Whether changes can be saved, as the last attempts showed.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::store::error::StoreError;

/// An attempt that takes longer is reported before it ends.
const SLOW: Duration = Duration::from_secs(2);

/// The results of attempts to write. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct WriteHealth(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    began: Option<Instant>,
    last_success: Option<Instant>,
    /// The result of the last attempt.
    trouble: Option<WriteTrouble>,
}

/// Why changes cannot be saved. Displays as a sentence without details, which are in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteTrouble {
    /// No attempt has ended yet.
    Untried,
    Slow(Duration),
    Full,
    ReadOnly,
    Locked,
    Unreachable,
    Failed,
}

impl fmt::Display for WriteTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Changes cannot be saved: ")?;
        match self {
            Self::Untried => f.write_str("this has not been tried yet."),
            Self::Slow(age) => write!(f, "the database has not finished one for {} seconds.", age.as_secs()),
            Self::Full => f.write_str("the disk of the database is full."),
            Self::ReadOnly => f.write_str("the database is read-only."),
            Self::Locked => f.write_str("another program holds a lock on the database."),
            Self::Unreachable => f.write_str("the database cannot be reached."),
            Self::Failed => f.write_str("the database fails, and the log says why."),
        }
    }
}

impl WriteTrouble {
    fn of(error: &StoreError) -> Self {
        let message = error.to_string().to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if has(&["disk is full", "no space left", "disk quota", "file too large"]) {
            Self::Full
        } else if has(&["read-only", "readonly"]) {
            Self::ReadOnly
        } else if has(&["locked", "lock timeout"]) {
            Self::Locked
        } else if has(&["connection", "could not translate"]) {
            Self::Unreachable
        } else {
            Self::Failed
        }
    }
}

impl WriteHealth {
    /// Records that a commit succeeded.
    pub(super) fn on_commit(&self) {
        self.lock().last_success = Some(Instant::now());
    }

    /// Records the result of an attempt. Logs a line if the result changes.
    pub(super) fn record(&self, attempt: impl FnOnce() -> Result<(), StoreError>) {
        self.lock().began = Some(Instant::now());
        let result = attempt();
        let mut state = self.lock();
        state.began = None;
        match result {
            Ok(()) => {
                state.last_success = Some(Instant::now());
                if state.trouble.take().is_some() {
                    tracing::info!("changes can be saved again");
                }
            }
            Err(error) => {
                let trouble = WriteTrouble::of(&error);
                if state.trouble.replace(trouble) != Some(trouble) {
                    tracing::error!(%error, "changes cannot be saved");
                }
            }
        }
    }

    /// Whether a commit succeeded within this time.
    pub(super) fn has_committed_within(&self, age: Duration) -> bool {
        let state = self.lock();
        state.trouble.is_none() && state.last_success.is_some_and(|at| at.elapsed() < age)
    }

    /// Returns why changes cannot be saved; `None` if they can.
    #[must_use]
    pub fn trouble(&self) -> Option<WriteTrouble> {
        let state = self.lock();
        state.trouble_at(Instant::now())
    }

    /// Returns the time since changes could last be saved.
    #[must_use]
    pub fn since_success(&self) -> Option<Duration> {
        self.lock().last_success.map(|at| at.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn trouble_at(&self, now: Instant) -> Option<WriteTrouble> {
        if self.trouble.is_some() {
            return self.trouble;
        }
        // Another change may have been saved meanwhile.
        let pending =
            self.began.map(|began| now.saturating_duration_since(self.last_success.unwrap_or(began).max(began)));
        let pending = pending.filter(|age| *age >= SLOW);
        let untried = self.last_success.is_none().then_some(WriteTrouble::Untried);
        pending.map(WriteTrouble::Slow).or(untried)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_attempt_counts() {
        let health = WriteHealth::default();
        assert_eq!(health.trouble(), Some(WriteTrouble::Untried));
        health.record(|| Ok(()));
        assert_eq!(health.trouble(), None);
        for (cause, trouble) in [
            ("database or disk is full", WriteTrouble::Full),
            ("attempt to write a readonly database", WriteTrouble::ReadOnly),
            ("cannot execute UPDATE in a read-only transaction", WriteTrouble::ReadOnly),
            ("canceling statement due to lock timeout", WriteTrouble::Locked),
            ("database is locked", WriteTrouble::Locked),
            ("timed out waiting for connection", WriteTrouble::Unreachable),
            ("disk I/O error", WriteTrouble::Failed),
        ] {
            health.record(|| Err(StoreError::unavailable(cause)));
            assert_eq!(health.trouble(), Some(trouble), "{cause}");
            assert!(!health.has_committed_within(Duration::MAX));
        }
        health.record(|| Ok(()));
        assert!(health.trouble().is_none() && health.has_committed_within(Duration::MAX));
    }

    #[test]
    fn a_slow_attempt_counts_before_it_ends() {
        let began = Instant::now();
        let mut state = State { began: Some(began), last_success: Some(began), trouble: None };
        assert_eq!(state.trouble_at(began + SLOW / 2), None);
        assert_eq!(state.trouble_at(began + SLOW), Some(WriteTrouble::Slow(SLOW)));
        state.last_success = Some(began + SLOW);
        assert_eq!(state.trouble_at(began + SLOW), None, "another change was saved meanwhile");
        assert_eq!(state.trouble_at(began + SLOW * 2), Some(WriteTrouble::Slow(SLOW)));
    }
}
