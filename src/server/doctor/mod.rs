//! Examines an installation and its running server, and says what is wrong. Creates and changes nothing.

mod backup;
mod http;
mod installation;
mod running_server;
mod subject;

use std::fmt;

pub use subject::Subject;

use crate::clock::Clock;
use crate::config::Config;

/// What an examination found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Good,
    /// Good, and something to know.
    Note(String),
    /// Why it could not be examined.
    Unknown(String),
    /// What is wrong, and what to do.
    Trouble(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good => f.write_str("good"),
            Self::Note(note) => write!(f, "good. {note}"),
            Self::Unknown(reason) => write!(f, "not examined: {reason}"),
            Self::Trouble(trouble) => f.write_str(trouble),
        }
    }
}

impl From<Option<String>> for Finding {
    fn from(trouble: Option<String>) -> Self {
        trouble.map_or(Self::Good, Self::Trouble)
    }
}

/// The findings, each with its subject.
pub type Report = Vec<(Subject, Finding)>;

/// Examines everything, in the order of importance. `clock` is the system's.
#[must_use]
pub fn examine(config: &Config, clock: &Clock) -> Report {
    let mut report = installation::examine(config, clock);
    report.extend(running_server::examine(config, clock));
    report.sort_by_key(|(subject, _)| *subject);
    report
}

/// Asks the running server alone. Reads no file.
#[must_use]
pub fn examine_server(config: &Config) -> Report {
    vec![(Subject::Server, running_server::readiness(config))]
}
