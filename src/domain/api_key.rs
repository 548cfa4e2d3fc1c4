//! The life of an API key: its state, computed from instants and now, and how it ends.

use super::actor::Actor;
use super::ids::UserId;
use super::instant::Instant;
use super::text;

/// The longest comment, in Unicode scalar values.
pub const LONGEST_COMMENT: usize = 500;

/// The instants that end a key, each where there is such an end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyEnds {
    /// From when on it is refused because it was given so long.
    pub expires_at: Option<Instant>,
    /// From when on it is refused because another key took its place.
    pub overlap_ends_at: Option<Instant>,
    /// When somebody ended it.
    pub revoked_at: Option<Instant>,
}

impl KeyEnds {
    /// The state at `now`. What ended it first is what it is. A revoked key is revoked whatever `now` says: a clock that
    /// went back, or another server's, must not revive it.
    #[must_use]
    pub fn state(self, now: Instant) -> KeyState {
        let came = |end: Option<Instant>| {
            end.filter(|end| self.revoked_at.map_or(*end <= now, |revoked_at| *end < revoked_at))
        };
        match (came(self.expires_at), came(self.overlap_ends_at)) {
            (Some(expiry), overlap) if overlap.is_none_or(|overlap| expiry < overlap) => KeyState::Expired,
            (None, None) if self.revoked_at.is_none() => KeyState::Active,
            _ => KeyState::Revoked,
        }
    }

    /// How the key has ended at `now`, where it has: `rotated_by` is who gave its place to another one, and `revocation` how
    /// somebody ended it.
    #[must_use]
    pub fn end(self, rotated_by: Option<UserId>, revocation: Option<&Revocation>, now: Instant) -> Option<KeyEnd> {
        match (self.state(now), self.overlap_ends_at.zip(rotated_by)) {
            (KeyState::Active, _) => None,
            (KeyState::Expired, _) => self.expires_at.map(KeyEnd::Expired),
            (KeyState::Revoked, Some((at, by))) if self.revoked_at.is_none_or(|revoked_at| at < revoked_at) => {
                Some(KeyEnd::Revoked(Revocation::superseded(at, by)))
            }
            (KeyState::Revoked, _) => revocation.cloned().map(KeyEnd::Revoked),
        }
    }

    /// When the key ends or ended, whatever ends it.
    #[must_use]
    pub fn first(self) -> Option<Instant> {
        [self.expires_at, self.overlap_ends_at, self.revoked_at].into_iter().flatten().min()
    }
}

/// How a key ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyEnd {
    /// By itself, at its expiry.
    Expired(Instant),
    /// By somebody, or by the key that took its place.
    Revoked(Revocation),
}

/// What a key is, now. Never stored: it follows from the instants of [`KeyEnds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Good.
    Active,
    /// Ended by somebody, or by the key that took its place, for ever.
    Revoked,
    /// Ended by its expiry.
    Expired,
}

impl KeyState {
    /// The state's word.
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
    /// Nobody said.
    Unspecified,
    /// Somebody else may hold the key.
    Compromised,
    /// Another key took its place.
    Superseded,
    /// The system that used it is gone.
    NoLongerUsed,
    /// Its owner left the company.
    OwnerLeft,
}

impl RevocationReason {
    /// Every reason, in the order in which a form offers them.
    pub const ALL: [Self; 5] =
        [Self::Unspecified, Self::Compromised, Self::Superseded, Self::NoLongerUsed, Self::OwnerLeft];

    /// The reason's word in forms, commands and rows.
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

    /// The reason of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }

    /// The reason as a person reads it.
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

/// What somebody wrote about a revocation: 1 to 500 characters, line breaks and tabs among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment(String);

/// Why a text is no comment. Displays as the sentence to put beside the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommentError {
    /// More than [`LONGEST_COMMENT`] characters.
    #[error("Comment must be 500 characters or fewer")]
    TooLong,
    /// A character that leaves no mark.
    #[error("The comment contains a character that cannot be seen (U+{:04X}). Remove it.", u32::from(*.0))]
    Unseen(char),
}

impl Comment {
    /// Reads what was typed, trimmed, its line breaks as `\n`; nothing but spaces is no comment.
    ///
    /// # Errors
    /// [`CommentError`], the sentence for whoever typed it.
    pub fn parse(typed: &str) -> Result<Option<Self>, CommentError> {
        let comment = typed.trim().replace("\r\n", "\n");
        if comment.is_empty() {
            return Ok(None);
        }
        if let Some(character) = text::first_unseen(&comment, |character| matches!(character, '\n' | '\t')) {
            return Err(CommentError::Unseen(character));
        }
        if comment.chars().count() > LONGEST_COMMENT {
            return Err(CommentError::TooLong);
        }
        Ok(Some(Self(comment)))
    }

    /// The comment's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a key was ended by somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// From this instant on the key is refused.
    pub at: Instant,
    /// Who ended it.
    pub by: Actor,
    /// Why.
    pub reason: RevocationReason,
    /// What they wrote about it.
    pub comment: Option<Comment>,
}

impl Revocation {
    /// The end of a key whose place another one took.
    #[must_use]
    pub const fn superseded(at: Instant, rotated_by: UserId) -> Self {
        Self { at, by: Actor::User(rotated_by), reason: RevocationReason::Superseded, comment: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(micros: i64) -> Instant {
        Instant::from_micros(micros)
    }

    fn state(now: i64, expires: Option<i64>, overlap: Option<i64>, revoked: Option<i64>) -> KeyState {
        let [expires_at, overlap_ends_at, revoked_at] = [expires, overlap, revoked].map(|end| end.map(at));
        KeyEnds { expires_at, overlap_ends_at, revoked_at }.state(at(now))
    }

    #[test]
    fn a_key_is_active_until_the_instant_before_its_end() {
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
    fn what_ended_a_key_first_is_what_it_is() {
        assert_eq!(state(300, Some(100), None, Some(200)), KeyState::Expired);
        assert_eq!(state(300, Some(200), None, Some(100)), KeyState::Revoked);
        assert_eq!(state(150, Some(200), None, Some(100)), KeyState::Revoked);
        assert_eq!(state(300, Some(100), Some(200), None), KeyState::Expired);
        assert_eq!(state(300, Some(200), Some(100), None), KeyState::Revoked);
        assert_eq!(state(300, Some(200), Some(100), Some(100)), KeyState::Revoked);
        let ends = KeyEnds { expires_at: Some(at(7)), overlap_ends_at: Some(at(5)), revoked_at: Some(at(6)) };
        assert_eq!((ends.first(), KeyEnds::default().first()), (Some(at(5)), None));
    }

    #[test]
    fn a_comment_keeps_its_lines_and_refuses_what_cannot_be_seen() {
        assert_eq!(Comment::parse(" \r\n ").unwrap(), None);
        assert_eq!(Comment::parse("one\r\ntwo\tthree ").unwrap().unwrap().as_str(), "one\ntwo\tthree");
        assert_eq!(Comment::parse("a\0b"), Err(CommentError::Unseen('\0')));
        assert!(Comment::parse(&"é".repeat(500)).is_ok());
        assert_eq!(Comment::parse(&"é".repeat(501)), Err(CommentError::TooLong));
    }

    #[test]
    fn every_reason_reads_back_from_its_word() {
        for reason in RevocationReason::ALL {
            assert_eq!(RevocationReason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(RevocationReason::parse("bored"), None);
    }
}
