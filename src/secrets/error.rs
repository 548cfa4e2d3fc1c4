//! Why the secrets cannot be used.

/// The secrets cannot be used. Displays as a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SecretsError(pub(super) String);
