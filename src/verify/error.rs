//! Why a key is refused.

use std::sync::Arc;

use crate::store::{KeyForVerification, StoreError};

/// Why verification failed. Displays as the reason in the log; the caller never learns it.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The value is not in the format of a key; the database was not read.
    #[error("malformed")]
    Malformed,
    /// No key has this digest.
    #[error("unknown")]
    Unknown,
    /// The key was revoked, or the overlap after its rotation is over.
    #[error("revoked")]
    Revoked(Arc<KeyForVerification>),
    /// The key is past its expiry.
    #[error("expired")]
    Expired(Arc<KeyForVerification>),
    /// The database could not be read: the state of the key is unknown.
    #[error("unavailable: {0}")]
    Unavailable(#[from] StoreError),
}
