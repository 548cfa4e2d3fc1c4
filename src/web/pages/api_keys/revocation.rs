//! The form fields of a revocation.

use crate::domain::key::api_key::KeyFormat;
use crate::domain::key::lifecycle::{Comment, RevocationReason};
use crate::web::components::field::Field;

#[derive(Clone, Debug)]
pub struct RevocationFields {
    /// Holds the form value of a [`RevocationReason`].
    pub reason: Field,
    pub comment: Field,
}

impl Default for RevocationFields {
    fn default() -> Self {
        Self { reason: Field::new(RevocationReason::Unspecified.as_str()), comment: Field::default() }
    }
}

impl RevocationFields {
    #[must_use]
    pub fn has_error(&self) -> bool {
        self.reason.error.is_some() || self.comment.error.is_some()
    }

    #[must_use]
    pub fn is_reason(&self, word: &str) -> bool {
        self.reason.value == word
    }

    /// Parses the submitted fields. A missing reason means [`RevocationReason::Unspecified`].
    ///
    /// # Errors
    /// The fields with their errors.
    pub fn parse(format: &KeyFormat, reason: &str, comment: &str) -> Result<(RevocationReason, Option<Comment>), Self> {
        let parsed_reason =
            if reason.is_empty() { Some(RevocationReason::Unspecified) } else { RevocationReason::parse(reason) };
        // Comments are stored unencrypted, so they must not contain a key.
        let (comment, parsed_comment) = if format.is_contained_in(comment) {
            ("", Err("Remove the API key from the comment.".to_owned()))
        } else {
            (comment, Comment::parse(comment).map_err(|error| error.to_string()))
        };
        match (parsed_reason, parsed_comment) {
            (Some(reason), Ok(comment)) => Ok((reason, comment)),
            (parsed_reason, parsed_comment) => Err(Self {
                reason: match parsed_reason {
                    Some(reason) => Field::new(reason.as_str()),
                    None => Field::invalid(RevocationReason::Unspecified.as_str(), "Select a reason"),
                },
                comment: Field { value: comment.to_owned(), error: parsed_comment.err() },
            }),
        }
    }

    /// The fields of a valid revocation, to show them again after another error.
    #[must_use]
    pub fn of(reason: RevocationReason, comment: Option<&Comment>) -> Self {
        Self { reason: Field::new(reason.as_str()), comment: Field::new(comment.map_or("", Comment::as_str)) }
    }
}
