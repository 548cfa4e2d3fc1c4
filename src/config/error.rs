//! Why a setting is rejected.

/// A setting is rejected. Displays as a sentence that says which one and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SettingError(pub String);
