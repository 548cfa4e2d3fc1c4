//! The lifecycle of an API key: its state at a given time, and how it ends.

use serde::{Deserialize, Serialize};

use crate::domain::actor::Actor;
use crate::domain::ids::UserId;
use crate::domain::text::normalize;
use crate::domain::timestamp::Timestamp;

/// The longest comment, in Unicode scalar values.
pub const MAX_COMMENT_CHARS: usize = 500;

/// The times that end a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyEnds {
    pub expires_at: Option<Timestamp>,
    /// The end of the overlap with the key that replaces this one.
    pub overlap_ends_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// Whether the trail says that the key expired.
    pub is_recorded: bool,
}

impl KeyEnds {
    /// Returns the state at `now`, which the earliest end decides. A revocation and a recorded expiry hold whatever `now`
    /// is: a clock that went back, or another server's clock, must not revive a key.
    #[must_use]
    pub fn state(self, now: Timestamp) -> KeyState {
        let effective = |end: Option<Timestamp>| {
            end.filter(|end| self.revoked_at.map_or(self.is_recorded || *end <= now, |revoked_at| *end < revoked_at))
        };
        match (effective(self.expires_at), effective(self.overlap_ends_at)) {
            (Some(expiry), overlap) if overlap.is_none_or(|overlap| expiry < overlap) => KeyState::Expired,
            (None, None) if self.revoked_at.is_none() => KeyState::Active,
            _ => KeyState::Revoked,
        }
    }

    /// Returns how the key ended, or `None` if it is active at `now`. `rotated_by` is the user who rotated the key;
    /// `revocation` is its stored revocation.
    #[must_use]
    pub fn end(self, rotated_by: Option<UserId>, revocation: Option<&Revocation>, now: Timestamp) -> Option<KeyEnd> {
        match (self.state(now), self.overlap_ends_at.zip(rotated_by)) {
            (KeyState::Active, _) => None,
            (KeyState::Expired, _) => self.expires_at.map(KeyEnd::Expired),
            (KeyState::Revoked, Some((at, by))) if self.revoked_at.is_none_or(|revoked_at| at < revoked_at) => {
                Some(KeyEnd::Revoked(Revocation::superseded(at, by)))
            }
            (KeyState::Revoked, _) => revocation.cloned().map(KeyEnd::Revoked),
        }
    }

    /// Returns the time from which the key is refused, as the column of this name holds it: always, if it is revoked or
    /// its expiry is recorded.
    #[must_use]
    pub fn refused_from(self) -> Timestamp {
        let by_clock = [self.expires_at, self.overlap_ends_at].into_iter().flatten().min();
        Timestamp::from_micros(if self.revoked_at.is_some() || self.is_recorded {
            -i64::MAX
        } else {
            by_clock.map_or(i64::MAX, Timestamp::as_micros)
        })
    }

    /// Returns the earliest end.
    #[must_use]
    pub fn first(self) -> Option<Timestamp> {
        [self.expires_at, self.overlap_ends_at, self.revoked_at].into_iter().flatten().min()
    }
}

/// How a key ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyEnd {
    Expired(Timestamp),
    /// Revoked by an actor, or superseded at the end of an overlap.
    Revoked(Revocation),
}

/// The state of a key. Its row does not store it: it follows from [`KeyEnds`] and the time. Events record it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    Active,
    Revoked,
    Expired,
}

impl KeyState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

/// Why a key was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationReason {
    Unspecified,
    /// Someone else may have the key.
    Compromised,
    /// Another key replaced it.
    Superseded,
    NoLongerUsed,
    /// Its owner left the company.
    OwnerLeft,
}

impl RevocationReason {
    /// Every reason, in the order of the form.
    pub const ALL: [Self; 5] =
        [Self::Unspecified, Self::Compromised, Self::Superseded, Self::NoLongerUsed, Self::OwnerLeft];

    /// The word in forms, commands and rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Compromised => "compromised",
            Self::Superseded => "superseded",
            Self::NoLongerUsed => "no-longer-used",
            Self::OwnerLeft => "owner-left",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }

    /// The reason that an event or a row records, if the user gave one.
    #[must_use]
    pub fn given(word: Option<&str>) -> Option<Self> {
        word.and_then(Self::parse).filter(|reason| *reason != Self::Unspecified)
    }

    /// The label on pages.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unspecified => "Not given",
            Self::Compromised => "Compromised",
            Self::Superseded => "Replaced by another key",
            Self::NoLongerUsed => "No longer used",
            Self::OwnerLeft => "Owner left",
        }
    }
}

/// A comment on a revocation: 1 to 500 characters, which may include line breaks and tabs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment(String);

/// Why a text is not a valid comment, as a sentence for the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommentError {
    #[error("Comment must be 500 characters or fewer")]
    TooLong,
    #[error("The comment contains a character that cannot be seen (U+{:04X}). Remove it.", u32::from(*.0))]
    InvisibleChar(char),
}

impl Comment {
    /// Parses a typed comment, trimmed, with `\n` as line break. Returns `Ok(None)` if it is blank.
    pub fn parse(typed: &str) -> Result<Option<Self>, CommentError> {
        let comment = typed.trim().replace("\r\n", "\n");
        if comment.is_empty() {
            return Ok(None);
        }
        if let Some(character) = normalize::first_disallowed_char(&comment, |char| matches!(char, '\n' | '\t')) {
            return Err(CommentError::InvisibleChar(character));
        }
        if comment.chars().count() > MAX_COMMENT_CHARS {
            return Err(CommentError::TooLong);
        }
        Ok(Some(Self(comment)))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a key was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The key is refused from this time on.
    pub at: Timestamp,
    pub by: Actor,
    pub reason: RevocationReason,
    pub comment: Option<Comment>,
}

impl Revocation {
    /// Returns the revocation of a key whose overlap ended.
    #[must_use]
    pub const fn superseded(at: Timestamp, rotated_by: UserId) -> Self {
        Self { at, by: Actor::User(rotated_by), reason: RevocationReason::Superseded, comment: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn state(now: i64, expires: Option<i64>, overlap: Option<i64>, revoked: Option<i64>) -> KeyState {
        let [expires_at, overlap_ends_at, revoked_at] = [expires, overlap, revoked].map(|end| end.map(at));
        KeyEnds { expires_at, overlap_ends_at, revoked_at, is_recorded: false }.state(at(now))
    }

    #[test]
    fn a_key_is_active_until_its_end() {
        for (now, expired, replaced) in [
            (99, KeyState::Active, KeyState::Active),
            (100, KeyState::Expired, KeyState::Revoked),
            (101, KeyState::Expired, KeyState::Revoked),
        ] {
            assert_eq!(state(now, Some(100), None, None), expired);
            assert_eq!(state(now, None, Some(100), None), replaced);
        }
        assert_eq!(state(i64::MAX, None, None, None), KeyState::Active);
    }

    #[test]
    fn a_revoked_key_stays_revoked_when_the_clock_goes_back() {
        for now in [i64::MIN, 99, 100, 101] {
            assert_eq!(state(now, None, None, Some(100)), KeyState::Revoked);
            assert_eq!(state(now, Some(200), Some(200), Some(100)), KeyState::Revoked);
        }
    }

    #[test]
    fn a_recorded_expiry_holds_when_the_clock_goes_back() {
        for now in [i64::MIN, 99, 100, 101] {
            let ends = KeyEnds { expires_at: Some(at(100)), is_recorded: true, ..KeyEnds::default() };
            assert_eq!(ends.state(at(now)), KeyState::Expired);
            assert_eq!(ends.end(None, None, at(now)), Some(KeyEnd::Expired(at(100))));
            let rotated = KeyEnds { overlap_ends_at: Some(at(200)), ..ends };
            assert_eq!(rotated.state(at(now)), KeyState::Expired);
            assert_eq!(rotated.refused_from(), at(-i64::MAX));
        }
    }

    #[test]
    fn the_earliest_end_decides_the_state() {
        assert_eq!(state(300, Some(100), None, Some(200)), KeyState::Expired);
        assert_eq!(state(300, Some(200), None, Some(100)), KeyState::Revoked);
        assert_eq!(state(150, Some(200), None, Some(100)), KeyState::Revoked);
        assert_eq!(state(300, Some(100), Some(200), None), KeyState::Expired);
        assert_eq!(state(300, Some(200), Some(100), None), KeyState::Revoked);
        assert_eq!(state(300, Some(200), Some(100), Some(100)), KeyState::Revoked);
        let [expires_at, overlap_ends_at, revoked_at] = [7, 5, 6].map(|end| Some(at(end)));
        let ends = KeyEnds { expires_at, overlap_ends_at, revoked_at, is_recorded: false };
        assert_eq!((ends.first(), KeyEnds::default().first()), (Some(at(5)), None));
    }

    #[test]
    fn a_comment_keeps_line_breaks_and_refuses_invisible_chars() {
        assert_eq!(Comment::parse(" \r\n ").unwrap(), None);
        assert_eq!(Comment::parse("one\r\ntwo\tthree ").unwrap().unwrap().as_str(), "one\ntwo\tthree");
        assert_eq!(Comment::parse("a\0b"), Err(CommentError::InvisibleChar('\0')));
        assert!(Comment::parse(&"é".repeat(500)).is_ok());
        assert_eq!(Comment::parse(&"é".repeat(501)), Err(CommentError::TooLong));
    }

    #[test]
    fn every_reason_is_parsed_from_its_word() {
        for reason in RevocationReason::ALL {
            assert_eq!(RevocationReason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(RevocationReason::parse("bored"), None);
    }
}
