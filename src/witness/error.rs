//! Why a witness cannot be used, and why a checkpoint was not witnessed.

use std::fmt;

/// A configured witness cannot be used. Displays as a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WitnessError(pub(super) String);

/// Why a checkpoint was not witnessed. Displays as a clause without a full stop, and contains no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whether the checkpoints of other trails would fail, too.
    pub is_outage: bool,
    cause: String,
}

impl Failure {
    /// The witness as a whole is down.
    pub(super) fn outage(cause: impl Into<String>) -> Self {
        Self { is_outage: true, cause: cause.into() }
    }

    /// The witness refuses this checkpoint.
    pub(super) fn refusal(cause: impl Into<String>) -> Self {
        Self { is_outage: false, cause: cause.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}
