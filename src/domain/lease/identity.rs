//! The identity of a PostgreSQL server, and whether one server may follow another as the primary.

use crate::domain::timestamp::Timestamp;

/// The properties that distinguish one primary from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerIdentity {
    /// Common to a primary and its standbys (`pg_control_system()`).
    pub system: i64,
    /// Grows with each promotion.
    pub timeline: u32,
    /// The start of the server, by its own clock.
    pub started_at: Timestamp,
}

/// How a newly seen server relates to the one that was in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Succession {
    Same,
    /// A promoted standby, or the same server after a restart.
    Successor,
    /// A former primary, or the server before its restart.
    Outdated,
    /// A server with other data.
    Foreign,
}

impl ServerIdentity {
    /// Returns how `seen` relates to this server.
    #[must_use]
    pub fn succession(&self, seen: &Self) -> Succession {
        if self.system != seen.system {
            return Succession::Foreign;
        }
        match (seen.timeline, seen.started_at).cmp(&(self.timeline, self.started_at)) {
            std::cmp::Ordering::Less => Succession::Outdated,
            std::cmp::Ordering::Equal => Succession::Same,
            std::cmp::Ordering::Greater => Succession::Successor,
        }
    }

    /// Whether another server of the cluster was the primary before.
    #[must_use]
    pub const fn has_predecessor(&self) -> bool {
        self.timeline > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_followed_by_later_ones_only() {
        let identity = |system, timeline, started| ServerIdentity {
            system,
            timeline,
            started_at: Timestamp::from_micros(started),
        };
        let current = identity(7, 3, 100);
        for (seen, expected) in [
            (current, Succession::Same),
            (identity(7, 4, 50), Succession::Successor),
            (identity(7, 3, 101), Succession::Successor),
            (identity(7, 2, 900), Succession::Outdated),
            (identity(7, 3, 99), Succession::Outdated),
            (identity(8, 4, 101), Succession::Foreign),
        ] {
            assert_eq!(current.succession(&seen), expected, "{seen:?}");
        }
    }
}
