//! Turns a panic of a handler into an error response; actix-web would drop the connection.

use std::panic::AssertUnwindSafe;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError};
use futures_util::FutureExt;

/// A handler panicked; the panic hook has logged where.
#[derive(Debug, thiserror::Error)]
#[error("a handler panicked")]
pub struct HandlerPanicked;

impl ResponseError for HandlerPanicked {}

/// Catches panics.
///
/// # Errors
/// [`HandlerPanicked`] after a panic, or the error of the handler.
pub async fn catch<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    AssertUnwindSafe(next.call(request)).catch_unwind().await.unwrap_or_else(|_| Err(HandlerPanicked.into()))
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::{App, HttpResponse, test, web};

    use super::*;

    #[actix_web::test]
    async fn a_panic_becomes_an_internal_server_error() {
        let panics = || async {
            assert!(std::hint::black_box(false), "a defect");
            HttpResponse::Ok().finish()
        };
        let app = App::new().route("/", web::get().to(panics)).wrap(from_fn(catch));
        let app = test::init_service(app).await;
        let error = test::try_call_service(&app, test::TestRequest::get().uri("/").to_request()).await.unwrap_err();
        assert!(error.as_error::<HandlerPanicked>().is_some());
        assert_eq!(error.as_response_error().status_code(), 500);
    }
}
