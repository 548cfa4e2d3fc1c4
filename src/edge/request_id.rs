//! The id by which an answer, the log and the trail name one request.

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

    /// The id of that request, as its answer's `X-Request-Id` says it.
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
