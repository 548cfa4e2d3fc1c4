//! The life of an API key: its state, computed from instants and now, and how it ends.

use super::actor::Actor;
use super::instant::Instant;
use super::text;

/// The longest comment, in Unicode scalar values.
pub const LONGEST_COMMENT: usize = 500;

/// What a key is, now. Never stored: it follows from the instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Good.
    Active,
    /// Ended by somebody, for ever.
    Revoked,
    /// Ended by its expiry.
    Expired,
}

impl KeyState {
    /// The state at `now` of a key that expires and was revoked at these instants. What ended it first is what it is. A
    /// revoked key is revoked whatever `now` says: a clock that went back, or another server's, must not revive it.
    #[must_use]
    pub fn at(now: Instant, expires_at: Option<Instant>, revoked_at: Option<Instant>) -> Self {
        match (expires_at, revoked_at) {
            (Some(expiry), Some(revoked)) if expiry < revoked => Self::Expired,
            (_, Some(_)) => Self::Revoked,
            (Some(expiry), None) if expiry <= now => Self::Expired,
            (_, None) => Self::Active,
        }
    }

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
#[derive(Clone, Debug)]
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

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(micros: i64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn a_key_is_active_until_the_instant_before_its_expiry() {
        for (now, state) in [(99, KeyState::Active), (100, KeyState::Expired), (101, KeyState::Expired)] {
            assert_eq!(KeyState::at(at(now), Some(at(100)), None), state);
        }
        assert_eq!(KeyState::at(at(i64::MAX), None, None), KeyState::Active);
    }

    #[test]
    fn a_revoked_key_stays_revoked_when_the_clock_goes_back() {
        for now in [i64::MIN, 99, 100, 101] {
            assert_eq!(KeyState::at(at(now), None, Some(at(100))), KeyState::Revoked);
        }
    }

    #[test]
    fn what_ended_a_key_first_is_what_it_is() {
        assert_eq!(KeyState::at(at(300), Some(at(100)), Some(at(200))), KeyState::Expired);
        assert_eq!(KeyState::at(at(300), Some(at(200)), Some(at(100))), KeyState::Revoked);
        assert_eq!(KeyState::at(at(150), Some(at(200)), Some(at(100))), KeyState::Revoked);
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
