//! Why the remembered checkpoints cannot be used.

/// The remembered checkpoints cannot be used. Displays as a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct MemoryError(pub(super) String);
