//! The id of a request in its response, the log and the audit trail.

use std::fmt;

use actix_web::{HttpMessage, HttpRequest};

use crate::random;

/// A request's id: 16 random hexadecimal digits.
#[derive(Clone, Copy, Debug)]
pub struct RequestId(u64);

impl RequestId {
    pub(super) fn new() -> Self {
        Self(u64::from_ne_bytes(random::bytes()))
    }

    /// Returns the id of a request, as in the `X-Request-Id` header of its response.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().copied().unwrap_or_else(Self::new)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
