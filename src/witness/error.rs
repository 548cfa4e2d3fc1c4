//! Why there is no witness, and why a witness does not have a checkpoint.

use std::fmt;

/// Why a witness that is configured cannot be used. Displays as a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WitnessError(pub(super) String);

/// Why a checkpoint was not witnessed. Displays as a clause without a full stop, and holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whether it would fare no better with another trail's checkpoint.
    pub is_outage: bool,
    cause: String,
}

impl Failure {
    /// The witness is out of order as a whole.
    pub(super) fn outage(cause: impl Into<String>) -> Self {
        Self { is_outage: true, cause: cause.into() }
    }

    /// The witness does not take this checkpoint.
    pub(super) fn refusal(cause: impl Into<String>) -> Self {
        Self { is_outage: false, cause: cause.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}
