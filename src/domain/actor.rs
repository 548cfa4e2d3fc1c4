//! The actor behind a change.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::ids::UserId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Only the id: the trail contains no personal names.
    User(UserId),
    /// A caller who presented the key to revoke it. Holding the key is enough proof.
    KeyHolder,
    /// A report that the key was found in public.
    LeakReport,
    /// An operator who runs commands on the server.
    CommandLine,
    /// Keydesk itself.
    System,
}

impl Actor {
    /// The actor type in the trail.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::KeyHolder => "key_holder",
            Self::LeakReport => "leak_report",
            Self::CommandLine => "command_line",
            Self::System => "system",
        }
    }

    #[must_use]
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(id),
            Self::KeyHolder | Self::LeakReport | Self::CommandLine | Self::System => None,
        }
    }

    #[must_use]
    pub fn parse(kind: &str, id: Option<&str>) -> Option<Self> {
        match (kind, id) {
            ("user", Some(id)) => UserId::parse(id).map(Self::User),
            ("key_holder", None) => Some(Self::KeyHolder),
            ("leak_report", None) => Some(Self::LeakReport),
            ("command_line", None) => Some(Self::CommandLine),
            ("system", None) => Some(Self::System),
            _ => None,
        }
    }

    /// The actor as one word: the id of a user, or the type of another actor.
    #[must_use]
    pub fn word(self) -> String {
        self.user().map_or_else(|| self.kind().to_owned(), |id| id.to_string())
    }

    #[must_use]
    pub fn parse_word(word: &str) -> Option<Self> {
        Self::parse(word, None).or_else(|| UserId::parse(word).map(Self::User))
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.word())
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::parse_word(&word).ok_or_else(|| serde::de::Error::custom("not an actor"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::timestamp::Timestamp;

    #[test]
    fn an_actor_is_parsed_from_its_type_and_id() {
        let user = Actor::User(UserId::new(Timestamp::from_micros(0), &[1; 10]));
        for actor in [user, Actor::KeyHolder, Actor::LeakReport, Actor::CommandLine, Actor::System] {
            let id = actor.user().map(|id| id.to_string());
            assert_eq!(Actor::parse(actor.kind(), id.as_deref()), Some(actor));
            assert_eq!(Actor::parse_word(&actor.word()), Some(actor));
        }
        assert_eq!(Actor::parse("user", None), None);
        assert_eq!(Actor::parse_word("user"), None);
    }
}
