//! Orders of the list of keys, and positions in them.

use crate::domain::ids::KeyId;
use crate::domain::timestamp::Timestamp;

/// The value that a row is sorted by. Its variant also names the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortKey {
    Created(Timestamp),
    /// The end of the key, past or future.
    Ended(Timestamp),
    /// The name. Names compare by their collation.
    Name(String),
    /// The last use; 1970 for a key that was never used.
    LastUsed(Timestamp),
}

/// The column that the list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortBy {
    Created,
    /// The end of the key, past or future.
    Ended,
    Name,
    /// The last use. Keys that were never used sort before all others.
    LastUsed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortOrder {
    Ascending,
    Descending,
}

impl SortOrder {
    pub(super) const fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// The position of a row in an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorPosition {
    pub sort_key: SortKey,
    /// Breaks ties between equal sort keys.
    pub id: KeyId,
}

/// The page of the list that a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageRequest {
    First,
    Last,
    After(CursorPosition),
    Before(CursorPosition),
}

impl PageRequest {
    /// Whether the rows are read from the end of the list.
    #[must_use]
    pub const fn is_backwards(&self) -> bool {
        matches!(self, Self::Last | Self::Before(_))
    }

    pub(super) const fn position(&self) -> Option<&CursorPosition> {
        match self {
            Self::First | Self::Last => None,
            Self::After(position) | Self::Before(position) => Some(position),
        }
    }
}
