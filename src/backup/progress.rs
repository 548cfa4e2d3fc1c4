//! What a backup or a restore has done so far.

use crate::evidence;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Bytes,
    Events,
    Rows,
}

/// How much of the current step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub unit: Unit,
    pub done: u64,
    pub total: u64,
}

impl Progress {
    pub(super) const fn bytes(done: u64, total: u64) -> Self {
        Self { unit: Unit::Bytes, done, total }
    }
}

impl From<evidence::Progress> for Progress {
    fn from(progress: evidence::Progress) -> Self {
        match progress {
            evidence::Progress::Events(done, total) => Self { unit: Unit::Events, done, total },
            evidence::Progress::Rows(done, total) => Self { unit: Unit::Rows, done, total },
        }
    }
}
