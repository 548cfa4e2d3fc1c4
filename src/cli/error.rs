//! Why a command fails.

use std::fmt::Display;

/// Why a command did nothing: one sentence for standard error.
#[derive(Debug)]
pub(crate) struct CliError(pub(super) String);

impl<E: Display> From<E> for CliError {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}
