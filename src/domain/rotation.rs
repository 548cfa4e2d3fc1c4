//! Rotation: a new key takes an old one's place, and both work for a while.

use std::time::Duration;

use super::ids::{KeyId, UserId};
use super::instant::Instant;

/// The key that took another one's place, or is about to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// That key.
    pub by: KeyId,
    /// Who rotated.
    pub rotated_by: UserId,
    /// Until when both work; `None` where the old one ended at once, or had ended already.
    pub overlap_ends_at: Option<Instant>,
    /// The overlap was made longer, which is done once.
    pub overlap_extended: bool,
}

/// How long a key goes on working beside the one that takes its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// It ends at once.
    None,
    /// One hour.
    Hour,
    /// 24 hours.
    #[default]
    Day,
    /// Seven days.
    Week,
    /// Thirty days.
    Month,
}

impl Overlap {
    /// Every overlap, in the order in which a form offers them.
    pub const ALL: [Self; 5] = [Self::None, Self::Hour, Self::Day, Self::Week, Self::Month];
    /// By so much an overlap can be made longer, once.
    pub const EXTENSION: Duration = Duration::from_hours(7 * 24);

    /// The overlap's word in forms.
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

    /// The overlap of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|overlap| overlap.as_str() == word)
    }

    /// How long it is; `None` where the old key ends at once.
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

    /// The overlap as a person reads it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::None => "Ends now",
            Self::Hour => "Works for 1 more hour",
            Self::Day => "Works for 24 more hours",
            Self::Week => "Works for 7 more days",
            Self::Month => "Works for 30 more days",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_overlap_reads_back_from_its_word() {
        for overlap in Overlap::ALL {
            assert_eq!(Overlap::parse(overlap.as_str()), Some(overlap));
        }
        assert_eq!(Overlap::parse(""), None);
    }
}
