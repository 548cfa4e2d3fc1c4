//! What a trail lacks of what a server remembers of it.

use std::fmt;

/// A trail that is not a continuation of its remembered checkpoint. Displays as a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortfall {
    /// The trail ends before the remembered checkpoint.
    EventsMissing { first: u64, last: u64 },
    /// The trail has as many events as the remembered checkpoint or more, but other ones.
    EventsReplaced { last: u64 },
    /// The trail is gone, with this many events.
    TrailMissing { last: u64 },
}

impl Shortfall {
    /// Returns how many events are missing; `None` if other events took their place.
    #[must_use]
    pub const fn missing(self) -> Option<u64> {
        match self {
            Self::EventsMissing { first, last } => Some(last + 1 - first),
            Self::EventsReplaced { .. } => None,
            Self::TrailMissing { last } => Some(last),
        }
    }

    /// Returns the first missing event; `None` if other events took their place.
    #[must_use]
    pub const fn first_missing(self) -> Option<u64> {
        match self {
            Self::EventsMissing { first, .. } => Some(first),
            Self::EventsReplaced { .. } => None,
            Self::TrailMissing { .. } => Some(1),
        }
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EventsMissing { first, last } if first == last => write!(f, "event {first} is missing"),
            Self::EventsMissing { first, last } => write!(f, "events {first} to {last} are missing"),
            Self::EventsReplaced { last } => write!(f, "the events up to {last} are not those that were signed"),
            Self::TrailMissing { last } => write!(f, "the trail is missing, with its {last} events"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortfall_names_its_events() {
        for (shortfall, missing, text) in [
            (Shortfall::EventsMissing { first: 941, last: 1_000 }, Some(60), "events 941 to 1000 are missing"),
            (Shortfall::EventsMissing { first: 7, last: 7 }, Some(1), "event 7 is missing"),
            (Shortfall::EventsReplaced { last: 7 }, None, "the events up to 7 are not those that were signed"),
            (Shortfall::TrailMissing { last: 7 }, Some(7), "the trail is missing, with its 7 events"),
        ] {
            assert_eq!((shortfall.missing(), shortfall.to_string().as_str()), (missing, text));
        }
    }
}
