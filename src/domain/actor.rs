//! Who does things: users, and what is not a user.

use super::ids::UserId;

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user, by id: the trail holds no names of people.
    User(UserId),
    /// Whoever holds the key that they end: holding it is proof enough.
    KeyHolder,
    /// Somebody who found the key where everybody can see it.
    LeakReport,
    /// Whoever may run commands beside the database.
    CommandLine,
    /// Keydesk itself.
    System,
}

impl Actor {
    /// The actor's type, as a word in the trail.
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

    /// The user, where it is one.
    #[must_use]
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(id),
            Self::KeyHolder | Self::LeakReport | Self::CommandLine | Self::System => None,
        }
    }

    /// The actor of that type and id.
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
}

#[cfg(test)]
mod tests {
    use super::super::instant::Instant;
    use super::*;

    #[test]
    fn an_actor_reads_back_from_its_type_and_id() {
        let user = Actor::User(UserId::new(Instant::from_micros(0), &[1; 10]));
        for actor in [user, Actor::KeyHolder, Actor::LeakReport, Actor::CommandLine, Actor::System] {
            let id = actor.user().map(|id| id.to_string());
            assert_eq!(Actor::parse(actor.kind(), id.as_deref()), Some(actor));
        }
        assert_eq!(Actor::parse("user", None), None);
    }
}
