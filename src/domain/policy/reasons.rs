//! Why a company chose the periods of its key policy.

use crate::domain::key::lifecycle::{Comment, CommentError};

/// The reason for one period: 1 to 500 characters, which may include line breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyReason(String);

/// Why a text is not a valid reason, as a sentence for the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyReasonError {
    #[error("Use 500 characters or fewer")]
    TooLong,
    #[error("The reason contains a character that cannot be seen (U+{:04X}). Remove it.", u32::from(*.0))]
    InvisibleChar(char),
}

impl PolicyReason {
    /// Parses a typed reason. Returns `Ok(None)` if it is blank.
    pub fn parse(typed: &str) -> Result<Option<Self>, PolicyReasonError> {
        match Comment::parse(typed) {
            Ok(reason) => Ok(reason.map(|reason| Self(reason.as_str().to_owned()))),
            Err(CommentError::TooLong) => Err(PolicyReasonError::TooLong),
            Err(CommentError::InvisibleChar(character)) => Err(PolicyReasonError::InvisibleChar(character)),
        }
    }

    /// A stored reason.
    #[must_use]
    pub const fn stored(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The reasons for the periods of a key policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyReasons {
    pub default_expiry: Option<PolicyReason>,
    pub maximum_lifetime: Option<PolicyReason>,
    pub rotation_period: Option<PolicyReason>,
    pub idle_end: Option<PolicyReason>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_trimmed_and_limited() {
        let parse = |typed: &str| PolicyReason::parse(typed).map(|reason| reason.map(|reason| reason.0));
        assert_eq!(parse(" \r\n "), Ok(None));
        assert_eq!(parse(" PCI DSS 8.6.3\r\nRisk review "), Ok(Some("PCI DSS 8.6.3\nRisk review".to_owned())));
        assert_eq!(parse(&"x".repeat(501)), Err(PolicyReasonError::TooLong));
        assert_eq!(parse("a\u{202e}b"), Err(PolicyReasonError::InvisibleChar('\u{202e}')));
    }
}
