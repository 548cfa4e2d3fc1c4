//! What an examination found.

use std::fmt;

use super::subject::Subject;

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
