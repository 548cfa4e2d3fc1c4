//! The middleware of the machine endpoints: completes problem documents and logs server-side failures.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError};

use super::problem::Problem;
use crate::http::log_limit::LogLimit;
use crate::http::panics::{self, HandlerPanicked};
use crate::http::request_id::RequestId;

thread_local! {
    /// While the database is down, every request fails.
    static FAILURES: LogLimit = LogLimit::new();
}

/// Turns panics into problem documents, adds the request id to each problem document except the one for a refused key,
/// and logs server-side failures under that id.
///
/// # Errors
/// The error of an inner layer, or the response with [`Problem::Internal`] after a panic.
pub(super) async fn describe(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    describe_with(request, next, Problem::Internal).await
}

/// Does the same as [`describe`], for clients that understand 200, 401 and 503 only: a panic becomes 503.
///
/// # Errors
/// The error of an inner layer, or the response with [`Problem::Unavailable`] after a panic.
pub(super) async fn describe_as_unavailable(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    describe_with(request, next, Problem::Unavailable).await
}

async fn describe_with(
    request: ServiceRequest,
    next: Next<BoxBody>,
    after_panic: impl FnOnce(String) -> Problem,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = RequestId::of(request.request());
    match panics::catch(request, next).await {
        Ok(response) => {
            let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
            let Some(problem) = problem.filter(|problem| !matches!(problem, Problem::InvalidKey)) else {
                return Ok(response);
            };
            if matches!(problem, Problem::Unavailable(_) | Problem::WentBack(_) | Problem::Internal(_)) {
                FAILURES.with(|failures| {
                    failures.write(
                        |suppressed| tracing::error!(request = %id, cause = %problem, suppressed, "request failed"),
                    );
                });
            }
            if let Problem::NotReady(reasons) = problem {
                FAILURES.with(|failures| {
                    failures.write(|suppressed| tracing::warn!(request = %id, reasons, suppressed, "not ready"));
                });
            }
            let document = problem.described(id);
            Ok(response.map_body(|_, _| BoxBody::new(document)))
        }
        Err(error) if error.as_error::<HandlerPanicked>().is_some() => {
            let problem = after_panic(error.to_string());
            let response = problem.error_response().set_body(BoxBody::new(problem.described(id)));
            Err(InternalError::from_response(problem, response).into())
        }
        Err(error) => Err(error),
    }
}
