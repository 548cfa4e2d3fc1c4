//! The clock: the only place that asks the machine what time it is. Passed in, never global.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::instant::Instant;

/// Tells the time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    Machine,
    SetByHand(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub const fn machine() -> Self {
        Self(Source::Machine)
    }

    /// A clock that stands still until it is [set](Self::set): for tests, and for the history of the demo.
    #[must_use]
    pub fn set_by_hand(at: Instant) -> Self {
        Self(Source::SetByHand(Arc::new(AtomicI64::new(at.as_micros()))))
    }

    /// Now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Source::Machine => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Instant::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
            Source::SetByHand(micros) => Instant::from_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a clock that is set by hand, and all its clones; the machine's clock stays as it is.
    pub fn set(&self, at: Instant) {
        if let Source::SetByHand(micros) = &self.0 {
            micros.store(at.as_micros(), Ordering::SeqCst);
        }
    }
}
