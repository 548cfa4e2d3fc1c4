//! Rotation: a new key replaces an old one, and both work until the overlap ends.

use std::time::Duration;

use crate::domain::ids::{KeyId, UserId};
use crate::domain::timestamp::Timestamp;

/// The replacement of a rotated key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The new key.
    pub by: KeyId,
    pub rotated_by: UserId,
    /// When the old key stops working; `None` if it ended at once, or had ended before.
    pub overlap_ends_at: Option<Timestamp>,
    /// An overlap is extended at most once.
    pub overlap_extended: bool,
}

/// How long the old key keeps working after a rotation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// The old key ends at once.
    None,
    Hour,
    #[default]
    Day,
    Week,
    Month,
}

impl Overlap {
    /// Every overlap, in the order of the form.
    pub const ALL: [Self; 5] = [Self::None, Self::Hour, Self::Day, Self::Week, Self::Month];
    pub const EXTENSION: Duration = Duration::from_hours(7 * 24);

    /// The word in forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|overlap| overlap.as_str() == word)
    }

    /// Returns `None` if the old key ends at once.
    #[must_use]
    pub const fn duration(self) -> Option<Duration> {
        match self {
            Self::None => None,
            Self::Hour => Some(Duration::from_hours(1)),
            Self::Day => Some(Duration::from_hours(24)),
            Self::Week => Some(Duration::from_hours(7 * 24)),
            Self::Month => Some(Duration::from_hours(30 * 24)),
        }
    }

    /// The label on pages.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::None => "Stop it now. Anything that still uses it will fail.",
            Self::Hour => "Keep it working for 1 hour",
            Self::Day => "Keep it working for 24 hours",
            Self::Week => "Keep it working for 7 days",
            Self::Month => "Keep it working for 30 days",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_overlap_is_parsed_from_its_word() {
        for overlap in Overlap::ALL {
            assert_eq!(Overlap::parse(overlap.as_str()), Some(overlap));
        }
        assert_eq!(Overlap::parse(""), None);
    }
}
