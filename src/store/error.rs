//! Errors of the store.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// The cause is shared, as one failure may answer many requests.
type Cause = Arc<dyn Error + Send + Sync>;

/// A failure of the database. It displays as one line for the log, which holds no value of a query; the error of the
/// driver is its [`source`](Error::source).
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is locked, full or read-only: a later attempt may succeed.
    #[error("the database is not available: {}", OneLine(.0))]
    Unavailable(#[source] Cause),
    /// A trail is not what the server remembers of it, as the database was put back to an older state. Its data is not
    /// used, as keys that were revoked in the lost events may be valid again.
    #[error("the database went back: {0}")]
    WentBack(String),
    /// An insert violates a unique constraint.
    #[error("the row exists already")]
    Exists,
    /// A row or a statement is not what this version of Keydesk expects.
    #[error("the database holds something unexpected: {0}")]
    Unexpected(#[source] Cause),
}

impl StoreError {
    /// The database did not respond before the deadline of the request.
    #[must_use]
    pub fn timed_out() -> Self {
        Self::unavailable("the database does not answer in time")
    }

    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(cause.into().into())
    }

    pub fn unexpected(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unexpected(cause.into().into())
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Self::Exists,
            DieselError::DatabaseError(
                DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::CheckViolation,
                _,
            )
            | DieselError::NotFound
            | DieselError::DeserializationError(_)
            | DieselError::SerializationError(_)
            | DieselError::QueryBuilderError(_) => Self::unexpected(error),
            _ => Self::unavailable(error),
        }
    }
}

/// Messages of PostgreSQL have several lines and end with a full stop.
struct OneLine<'a>(&'a Cause);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.0.to_string();
        let words: Vec<&str> = message.split_whitespace().collect();
        f.write_str(words.join(" ").trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_cause_and_displays_on_one_line() {
        let refused = std::io::Error::other("connection\n\trefused.");
        let error = StoreError::unavailable(refused).clone();
        assert_eq!(error.to_string(), "the database is not available: connection refused");
        assert_eq!(error.source().unwrap().to_string(), "connection\n\trefused.");
        let missing = StoreError::from(DieselError::NotFound);
        assert!(matches!(&missing, StoreError::Unexpected(_)) && missing.source().is_some());
    }
}
