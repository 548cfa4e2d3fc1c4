//! What can go wrong with the database, as the rest of the program needs to know it.

use diesel::result::{DatabaseErrorKind, Error};

/// Why the store did not do what it was asked. Displays as the cause, for the log; it holds no value of a query.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is locked, full or read-only: it may work again later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The row of this insert exists already.
    #[error("the row exists already")]
    Exists,
    /// A row or a statement is not what this version of Keydesk expects.
    #[error("the database holds something unexpected: {0}")]
    Unexpected(String),
}

impl StoreError {
    /// The database takes longer than anybody may wait.
    #[must_use]
    pub fn too_late() -> Self {
        Self::Unavailable("the database does not answer in time".to_owned())
    }

    /// An error of the database, its message on one line.
    pub(super) fn unavailable(cause: impl std::fmt::Display) -> Self {
        Self::Unavailable(
            cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned(),
        )
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Self::Exists,
            Error::DatabaseError(
                DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::CheckViolation,
                information,
            ) => Self::Unexpected(information.message().to_owned()),
            Error::NotFound
            | Error::DeserializationError(_)
            | Error::SerializationError(_)
            | Error::QueryBuilderError(_) => Self::Unexpected(error.to_string()),
            _ => Self::unavailable(error),
        }
    }
}
