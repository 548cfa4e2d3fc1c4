//! What the database knows of a set of secrets: when it was added, activated and retired. The secrets are in the file.

use crate::domain::timestamp::Timestamp;

/// A set of secrets in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretSetRecord {
    pub id: String,
    pub created_at: Timestamp,
    /// From when on the set is used for what is new. It may be a moment ahead, so that every server knows by then.
    pub activated_at: Option<Timestamp>,
    pub retired_at: Option<Timestamp>,
}

/// What a set is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretSetState {
    /// Accepted, and used for nothing new: a server may lack it.
    Pending,
    /// Accepted, and used for all that is new.
    Active,
    /// Accepted. It was active.
    Former,
    /// Not accepted any more.
    Retired,
}

impl SecretSetState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Former => "former",
            Self::Retired => "retired",
        }
    }
}

/// The sets of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretSetRecords(Vec<SecretSetRecord>);

impl SecretSetRecords {
    #[must_use]
    pub fn new(mut records: Vec<SecretSetRecord>) -> Self {
        records.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        Self(records)
    }

    /// Returns the sets, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &SecretSetRecord> {
        self.0.iter()
    }

    #[must_use]
    pub fn get(&self, id: &str) -> Option<&SecretSetRecord> {
        self.0.iter().find(|record| record.id == id)
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the sets that are accepted, the oldest first.
    pub fn live(&self) -> impl DoubleEndedIterator<Item = &SecretSetRecord> {
        self.0.iter().filter(|record| record.retired_at.is_none())
    }

    /// Returns the set that is used for what is new at this time.
    #[must_use]
    pub fn active(&self, now: Timestamp) -> Option<&SecretSetRecord> {
        self.active_among(now, |_| true)
    }

    /// Returns the set that is used for what is new by a server that has these sets only.
    #[must_use]
    pub fn active_among(&self, now: Timestamp, has: impl Fn(&str) -> bool) -> Option<&SecretSetRecord> {
        let activated = || self.live().filter(|record| record.activated_at.is_some() && has(&record.id));
        let past = activated().filter(|record| record.activated_at <= Some(now));
        // A clock that is behind finds none.
        past.max_by_key(|record| record.activated_at).or_else(|| activated().min_by_key(|record| record.activated_at))
    }

    /// Returns the set that was activated last, even if its time has not come. Every server must have it.
    #[must_use]
    pub fn activated_last(&self) -> Option<&SecretSetRecord> {
        self.live().filter(|record| record.activated_at.is_some()).max_by_key(|record| record.activated_at)
    }

    /// Returns the sets that may become active, the oldest first. One that was overtaken by a newer set never does.
    pub fn pending(&self) -> impl Iterator<Item = &SecretSetRecord> {
        let overtaken = self.activated_last().map(|record| record.created_at);
        self.live().filter(move |record| record.activated_at.is_none() && Some(record.created_at) > overtaken)
    }

    #[must_use]
    pub fn state(&self, record: &SecretSetRecord, now: Timestamp) -> SecretSetState {
        if record.retired_at.is_some() {
            SecretSetState::Retired
        } else if self.active(now).is_some_and(|active| active.id == record.id) {
            SecretSetState::Active
        } else if record.activated_at.is_some_and(|at| at > now) || self.pending().any(|other| other.id == record.id) {
            SecretSetState::Pending
        } else {
            SecretSetState::Former
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn record(id: &str, created: i64, activated: Option<i64>, retired: Option<i64>) -> SecretSetRecord {
        let (activated_at, retired_at) = (activated.map(at), retired.map(at));
        SecretSetRecord { id: id.to_owned(), created_at: at(created), activated_at, retired_at }
    }

    fn states(records: &SecretSetRecords, now: i64) -> Vec<(&str, SecretSetState)> {
        records.iter().map(|record| (record.id.as_str(), records.state(record, at(now)))).collect()
    }

    #[test]
    fn the_set_that_was_activated_last_is_active_from_its_time_on() {
        use SecretSetState::{Active, Former, Pending, Retired};
        let mut sets = vec![record("a", 1, Some(1), None), record("b", 5, None, None)];
        assert_eq!(states(&SecretSetRecords::new(sets.clone()), 9), [("a", Active), ("b", Pending)]);
        sets[1].activated_at = Some(at(12));
        let activated = SecretSetRecords::new(sets.clone());
        assert_eq!(states(&activated, 11), [("a", Active), ("b", Pending)]);
        assert_eq!(activated.activated_last().unwrap().id, "b");
        assert_eq!(states(&activated, 12), [("a", Former), ("b", Active)]);
        sets[0].retired_at = Some(at(20));
        assert_eq!(states(&SecretSetRecords::new(sets), 20), [("a", Retired), ("b", Active)]);
    }

    #[test]
    fn a_set_that_was_overtaken_does_not_become_active() {
        let sets = vec![record("a", 1, Some(1), None), record("b", 5, None, None), record("c", 6, Some(7), None)];
        let records = SecretSetRecords::new(sets);
        assert_eq!(records.pending().count(), 0);
        assert_eq!(states(&records, 9)[1], ("b", SecretSetState::Former));
    }
}
