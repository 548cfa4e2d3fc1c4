//! Errors of the store.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::store::metrics::count_error;

/// The cause is shared, as one failure may answer many requests.
type Cause = Arc<dyn Error + Send + Sync>;

/// A failure of the database. It displays as one line for the log, which holds no value of a query; the error of the
/// driver is its [`source`](Error::source).
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is locked, full or read-only: a later attempt may succeed.
    #[error("the database is not available: {}", OneLine(.0))]
    Unavailable(#[source] Cause),
    /// A commit was sent and not confirmed: the change may be there.
    #[error("the database did not confirm a change, which may have been made: {}", OneLine(.0))]
    OutcomeUnknown(#[source] Cause),
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

    /// Whether opening a connection failed in a way that may pass: the server cannot be reached, is starting, or is not
    /// the primary yet. A wrong password or an unknown database stays wrong.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        let Self::Unavailable(cause) = self else { return false };
        connection_may_succeed_later(&cause.to_string())
    }

    /// Whether another program holds a lock on the SQLite file.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Unavailable(cause) if cause.to_string().contains("database is locked"))
    }

    /// Whether the file is not SQLite's.
    #[must_use]
    pub fn is_no_database(&self) -> bool {
        matches!(self, Self::Unavailable(cause) if cause.to_string().contains("file is not a database"))
    }

    /// Returns a message of a driver on one line, without a full stop.
    #[must_use]
    pub fn one_line(message: &str) -> String {
        let words: Vec<&str> = message.split_whitespace().collect();
        words.join(" ").trim_end_matches('.').to_owned()
    }

    /// The PostgreSQL server is not a primary.
    #[must_use]
    pub fn standby() -> Self {
        Self::unavailable("the PostgreSQL server is a standby, whose keys may be outdated")
    }

    /// Other servers use a set of secrets that the file of this one lacks.
    #[must_use]
    pub fn lacks_secrets(id: &str) -> Self {
        Self::unavailable(format!("the secrets file of this server lacks the set {id}, which is active"))
    }

    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        count_error();
        Self::Unavailable(cause.into().into())
    }

    pub fn outcome_unknown(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        count_error();
        Self::OutcomeUnknown(cause.into().into())
    }

    /// A failed commit. PostgreSQL rolls back where it says so; without a word of it, as after a cut connection, the
    /// change may be there. SQLite rolls back, but after an error of the disk a crash can bring the change back.
    pub(in crate::store) fn of_commit(error: DieselError, is_remote: bool) -> Self {
        let is_unknown = match &error {
            DieselError::DatabaseError(kind, _) if is_remote => !is_roll_back(*kind),
            DieselError::DatabaseError(_, information) => information.message().contains("I/O error"),
            _ => true,
        };
        if is_unknown { Self::outcome_unknown(error) } else { error.into() }
    }

    pub fn unexpected(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        count_error();
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

/// Whether the server reports with this error that it rolled a transaction back.
const fn is_roll_back(kind: DatabaseErrorKind) -> bool {
    matches!(
        kind,
        DatabaseErrorKind::UniqueViolation
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::NotNullViolation
            | DatabaseErrorKind::CheckViolation
            | DatabaseErrorKind::SerializationFailure
            | DatabaseErrorKind::ReadOnlyTransaction
    )
}

/// What libpq reports of a host that may be there later. Its own messages are in English; of the server's, the state of
/// its start is.
const PASSING_FAILURES: [&str; 16] = [
    "Connection refused",
    "Connection reset",
    "Connection timed out",
    "timeout expired",
    "closed the connection unexpectedly",
    "No such file or directory",
    "No route to host",
    "Host is unreachable",
    "Network is unreachable",
    "could not translate host name",
    "the database system is starting up",
    "the database system is shutting down",
    "the database system is in recovery mode",
    "the database system is not",
    "session is read-only",
    "server is in hot standby mode",
];

/// libpq reports each host that it tried. One that refuses the client for good decides.
fn connection_may_succeed_later(message: &str) -> bool {
    const HOST: [&str; 2] = ["connection to server", "could not translate"];
    let starts: Vec<usize> = HOST.iter().flat_map(|start| message.match_indices(start)).map(|(at, _)| at).collect();
    let reports = starts.iter().map(|start| {
        let end = starts.iter().filter(|other| *other > start).min().copied().unwrap_or(message.len());
        &message[*start..end]
    });
    !starts.is_empty()
        && reports.into_iter().all(|report| PASSING_FAILURES.iter().any(|failure| report.contains(failure)))
}

/// Messages of PostgreSQL have several lines and end with a full stop.
struct OneLine<'a>(&'a Cause);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&StoreError::one_line(&self.0.to_string()))
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
        for passing in [
            r#"connection to server at "127.0.0.1", port 5432 failed: Connection refused\n\tIs the server running?"#,
            r#"connection to server on socket "/run/.s.PGSQL.5432" failed: FATAL:  the database system is starting up"#,
            "connection to server at \"h1\", port 1 failed: timeout expired\nconnection to server at \"h2\" failed: session is read-only",
            "could not translate host name \"db\" to address: Name or service not known",
        ] {
            assert!(StoreError::unavailable(passing).may_pass(), "{passing}");
        }
        for lasting in [
            r#"connection to server at "::1", port 5432 failed: FATAL:  password authentication failed for user "keydesk""#,
            r#"connection to server at "::1", port 5432 failed: FATAL:  database "keydesk" does not exist"#,
            "connection to server at \"h1\" failed: Connection refused\nconnection to server at \"h2\" failed: FATAL:  no pg_hba.conf entry",
            "invalid sslmode value",
            "unable to open database file",
        ] {
            assert!(!StoreError::unavailable(lasting).may_pass(), "{lasting}");
        }
        let commit = |kind, message: &str, is_remote| {
            StoreError::of_commit(DieselError::DatabaseError(kind, Box::new(message.to_owned())), is_remote)
        };
        let is_unknown = |error| matches!(error, StoreError::OutcomeUnknown(_));
        assert!(is_unknown(commit(DatabaseErrorKind::Unknown, "server closed the connection unexpectedly", true)));
        assert!(is_unknown(commit(DatabaseErrorKind::ClosedConnection, "no connection to the server", true)));
        assert!(!is_unknown(commit(DatabaseErrorKind::SerializationFailure, "could not serialize access", true)));
        assert!(is_unknown(commit(DatabaseErrorKind::Unknown, "disk I/O error", false)));
        assert!(!is_unknown(commit(DatabaseErrorKind::Unknown, "database or disk is full", false)));
        let missing = StoreError::from(DieselError::NotFound);
        assert!(matches!(&missing, StoreError::Unexpected(_)) && missing.source().is_some());
    }
}
