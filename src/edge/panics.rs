//! A handler that panics still gets an answer: without this, actix-web drops the connection.

use std::panic::AssertUnwindSafe;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError};
use futures_util::FutureExt;

/// A handler panicked; the panic hook has logged where.
#[derive(Debug, thiserror::Error)]
#[error("a handler panicked")]
pub struct Panicked;

impl ResponseError for Panicked {}

/// Turns a panic into an error, for the layer around this one to draw.
///
/// # Errors
/// [`Panicked`], and whatever the request was answered with.
pub async fn catch<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    AssertUnwindSafe(next.call(request)).catch_unwind().await.unwrap_or_else(|_| Err(Panicked.into()))
}
