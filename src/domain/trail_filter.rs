//! Which events of a trail somebody wants to see, and in which format they take them away.

use serde_json::{Map, Value, json};

use super::action::Action;
use super::ids::{KeyId, UserId};
use super::instant::Instant;

/// Which events are meant: those that everything in it fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailFilter {
    /// Not before that instant.
    pub from: Option<Instant>,
    /// Not after that instant.
    pub until: Option<Instant>,
    /// Done by that user.
    pub actor: Option<UserId>,
    /// One of these; where there is none, whatever happened.
    pub actions: Vec<Action>,
    /// About that key.
    pub key: Option<KeyId>,
}

impl TrailFilter {
    /// What was asked for, as an event says it: what was not asked for is absent, instants are microseconds.
    #[must_use]
    pub fn in_words(&self) -> Map<String, Value> {
        let actions: Vec<_> = self.actions.iter().map(|action| action.as_str()).collect();
        let words = [
            ("from", self.from.map(|at| json!(at.as_micros()))),
            ("until", self.until.map(|at| json!(at.as_micros()))),
            ("user", self.actor.map(|id| json!(id))),
            ("actions", Some(json!(actions)).filter(|_| !self.actions.is_empty())),
            ("key", self.key.map(|id| json!(id))),
        ];
        words.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// How the trail is written into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Comma-separated values.
    Csv,
    /// JSON Lines, with proofs.
    JsonLines,
}

impl ExportFormat {
    /// The format's word in the trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "json_lines",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_is_in_the_words() {
        assert!(TrailFilter::default().in_words().is_empty());
        let id = UserId::new(Instant::from_micros(0), &[1; 10]);
        let filter = TrailFilter {
            from: Some(Instant::from_micros(7)),
            actor: Some(id),
            actions: vec![Action::ApiKeyRevoked],
            ..TrailFilter::default()
        };
        let expected = json!({ "from": 7, "user": id.to_string(), "actions": ["api_key.revoked"] });
        assert_eq!(Value::Object(filter.in_words()), expected);
    }
}
