//! Compares what was replayed with stored rows, and says what differs from which event.

use std::collections::HashMap;
use std::hash::Hash;

use crate::domain::text::normalize::case_folded;

/// The table that a difference is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKind {
    Company,
    User,
    ServiceAccount,
    ApiKey,
    Gateway,
}

impl SubjectKind {
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::User => "user",
            Self::ServiceAccount => "service account",
            Self::ApiKey => "API key",
            Self::Gateway => "gateway",
        }
    }
}

/// The row that a difference is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub kind: SubjectKind,
    /// As it is stored. In a row that was changed, it may be any text.
    pub id: String,
}

/// How a row differs from the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// These columns differ.
    Changed(Vec<&'static str>),
    /// The row does not exist.
    Missing,
    /// No event names the row.
    Unrecorded,
}

/// A difference between a row and the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub subject: Subject,
    pub kind: DifferenceKind,
    /// The sequence number of the last event that says otherwise.
    pub sequence: Option<i64>,
}

impl Difference {
    /// A row that no event names.
    #[must_use]
    pub const fn unrecorded(kind: SubjectKind, id: String) -> Self {
        Self { subject: Subject { kind, id }, kind: DifferenceKind::Unrecorded, sequence: None }
    }
}

/// Columns of one row that differ, each with the event that says otherwise.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    differing: Vec<(i64, &'static str)>,
}

impl Comparison {
    pub(super) fn check(&mut self, column: &'static str, is_equal: bool, sequence: i64) {
        if !is_equal {
            self.differing.push((sequence, column));
        }
    }

    /// One difference for each event that says otherwise, the last event first.
    pub(super) fn differences(mut self, kind: SubjectKind, id: &str) -> Vec<Difference> {
        self.differing.sort_by_key(|(sequence, _)| std::cmp::Reverse(*sequence));
        let by_event = self.differing.chunk_by(|(one, _), (other, _)| one == other);
        let difference = |columns: &[(i64, &'static str)]| Difference {
            subject: Subject { kind, id: id.to_owned() },
            kind: DifferenceKind::Changed(columns.iter().map(|(_, column)| *column).collect()),
            sequence: columns.first().map(|(sequence, _)| *sequence),
        };
        by_event.map(difference).collect()
    }
}

/// Whether a stored text is the case-folded form of another. Most texts are ASCII, where folding needs no tables.
pub(super) fn is_case_folded(folded: &str, text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_graphic() || matches!(letter, ' ' | '…');
    if text.chars().all(is_plain) && text.trim() == text && !text.contains("  ") {
        folded.chars().eq(text.chars().map(|letter| letter.to_ascii_lowercase()))
    } else {
        folded == case_folded(text)
    }
}

/// Whether an optional stored value is the replayed one, given as text.
pub(super) fn is_text(stored: Option<&str>, replayed: Option<impl ToString>) -> bool {
    match (stored, replayed) {
        (None, None) => true,
        (Some(stored), Some(replayed)) => stored == replayed.to_string(),
        _ => false,
    }
}

/// A replayed row, and whether the stored one was found.
#[derive(Debug)]
pub(super) struct Tracked<T> {
    /// The event that created it.
    pub(super) created: i64,
    pub(super) created_at: i64,
    /// The last event that concerns it.
    pub(super) last: i64,
    is_compared: bool,
    pub(super) value: T,
}

/// The replayed rows of one table.
#[derive(Debug)]
pub(super) struct Table<Id, T> {
    kind: SubjectKind,
    rows: HashMap<Id, Tracked<T>>,
}

impl<Id: Copy + Eq + Hash + ToString, T> Table<Id, T> {
    pub(super) fn new(kind: SubjectKind) -> Self {
        Self { kind, rows: HashMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn insert(&mut self, id: Id, sequence: i64, at: i64, value: T) {
        let row = Tracked { created: sequence, created_at: at, last: sequence, is_compared: false, value };
        self.rows.insert(id, row);
    }

    pub(super) fn get(&self, id: Id) -> Option<&Tracked<T>> {
        self.rows.get(&id)
    }

    /// Returns a row to apply an event to.
    pub(super) fn change(&mut self, id: Id, sequence: i64) -> Option<&mut T> {
        let row = self.rows.get_mut(&id)?;
        row.last = sequence;
        Some(&mut row.value)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.rows.values().map(|row| &row.value)
    }

    /// Compares a stored row.
    pub(super) fn compare(
        &mut self,
        stored_id: &str,
        id: Option<Id>,
        columns: impl FnOnce(&Tracked<T>, &mut Comparison),
    ) -> Vec<Difference> {
        let Some(row) = id.and_then(|id| self.rows.get_mut(&id)) else {
            return vec![Difference::unrecorded(self.kind, stored_id.to_owned())];
        };
        row.is_compared = true;
        let mut comparison = Comparison::default();
        columns(row, &mut comparison);
        comparison.differences(self.kind, stored_id)
    }

    /// The rows that the first `size` events created and that were not compared, in the order of these events.
    pub(super) fn missing(&self, size: i64) -> Vec<Difference> {
        let mut missing: Vec<_> = self.rows.iter().filter(|(_, row)| !row.is_compared && row.created <= size).collect();
        missing.sort_by_key(|(_, row)| row.created);
        let difference = |(id, row): (&Id, &Tracked<T>)| Difference {
            subject: Subject { kind: self.kind, id: id.to_string() },
            kind: DifferenceKind::Missing,
            sequence: Some(row.last),
        };
        missing.into_iter().map(difference).collect()
    }
}
