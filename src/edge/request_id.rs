//! The id by which an answer, the log and the trail name one request.

use std::fmt;

use actix_web::{HttpMessage, HttpRequest};

use crate::random;

/// A request's id: 16 random characters.
#[derive(Clone, Debug)]
pub struct RequestId(String);

impl RequestId {
    pub(super) fn new() -> Self {
        Self(random::hex::<8>())
    }

    /// The id of that request, as its answer's `X-Request-Id` says it.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_else(Self::new)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
