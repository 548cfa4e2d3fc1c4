//! Form fields with their values and errors.

use std::fmt::Display;

use crate::domain::key::api_key::KeyFormat;

/// The submitted value of a form field, and its error message.
#[derive(Clone, Debug, Default)]
pub struct Field {
    pub value: String,
    pub error: Option<String>,
}

impl Field {
    /// A field without an error.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: value.into(), error: None }
    }

    /// A field with an error.
    #[must_use]
    pub fn invalid(value: impl Into<String>, error: impl Into<String>) -> Self {
        Self { value: value.into(), error: Some(error.into()) }
    }

    /// Parses a value, or returns the field with its error. A value that contains an API key is refused, and the field
    /// comes back empty, so that the key is neither stored nor shown.
    pub fn parse<T, E: Display>(
        format: &KeyFormat,
        value: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Self> {
        if format.is_contained_in(value) {
            return Err(Self::invalid(
                "",
                "This looks like an API key. Enter something else here, and revoke the key if others may have seen it.",
            ));
        }
        parse(value).map_err(|error| Self::invalid(value, error.to_string()))
    }
}
