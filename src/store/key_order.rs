//! The orders of the list of keys, and places in them.

use crate::domain::ids::KeyId;
use crate::domain::instant::Instant;

/// Where a row stands in an order: the value that it is sorted by. One of these also names the order itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// By creation.
    Created(Instant),
    /// By the instant of the end, come or to come.
    Ended(Instant),
    /// By the folded name.
    Name(String),
    /// By the last use; the beginning of 1970 where there was none.
    LastUsed(Instant),
}

/// What the list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortBy {
    /// Creation.
    Created,
    /// The instant of the end, come or to come.
    Ended,
    /// The name.
    Name,
    /// The last use; keys that were never used come before all others.
    LastUsed,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortOrder {
    /// Oldest or first letter first.
    Ascending,
    /// Newest or last letter first.
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

/// A place between two rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The row's sort key.
    pub sort_key: SortKey,
    /// The row's id, which decides between equal sort keys.
    pub id: KeyId,
}

/// Which page of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paging {
    /// The first.
    First,
    /// The rows that follow this one.
    After(Place),
    /// The rows that come before this one.
    Before(Place),
}
