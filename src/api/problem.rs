//! Problem documents (RFC 9457): every way in which a machine endpoint can fail.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError};
use serde::Serialize;

use crate::edge::panics::Panicked;
use crate::edge::request_id::RequestId;
use crate::store::StoreError;

/// What went wrong. Displays as the cause, for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// The presented key is not good: no machine learns why.
    #[error("the key is not good")]
    InvalidKey,
    /// There is no such endpoint.
    #[error("there is no such endpoint")]
    NotFound,
    /// The endpoint does not take this method; which ones it takes.
    #[error("the endpoint takes {0}")]
    WrongMethod(&'static str),
    /// Nobody can say now.
    #[error("{0}")]
    Unavailable(String),
    /// A defect.
    #[error("{0}")]
    Internal(String),
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable(error.to_string()),
            StoreError::Exists | StoreError::Unexpected(_) => Self::Internal(error.to_string()),
        }
    }
}

#[derive(Serialize)]
struct Document {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

impl Problem {
    const fn document(&self) -> Document {
        match self {
            Self::InvalidKey => Document {
                r#type: "urn:keydesk:problem:invalid-key",
                title: "The API key is not valid",
                status: 401,
                detail: "Send an active API key as Authorization: Bearer <key>.",
                error: Some("invalid_token"),
            },
            Self::NotFound => Document {
                r#type: "urn:keydesk:problem:not-found",
                title: "There is no such endpoint",
                status: 404,
                detail: "Check the path.",
                error: None,
            },
            Self::WrongMethod(_) => Document {
                r#type: "urn:keydesk:problem:method-not-allowed",
                title: "The endpoint does not take this method",
                status: 405,
                detail: "The Allow header names the methods that it takes.",
                error: None,
            },
            Self::Unavailable(_) => Document {
                r#type: "urn:keydesk:problem:unavailable",
                title: "The database cannot be reached",
                status: 503,
                detail: "Nobody can say now whether the key is good. Ask again.",
                error: None,
            },
            Self::Internal(_) => Document {
                r#type: "urn:keydesk:problem:internal",
                title: "Something went wrong on our side",
                status: 500,
                detail: "The log names the cause under the id in X-Request-Id.",
                error: None,
            },
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.document().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        response.content_type("application/problem+json");
        match self {
            Self::InvalidKey => {
                response.insert_header((WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#));
            }
            Self::WrongMethod(allowed) => {
                response.insert_header((ALLOW, *allowed));
            }
            Self::Unavailable(_) => {
                response.insert_header((RETRY_AFTER, "1"));
            }
            Self::NotFound | Self::Internal(_) => {}
        }
        response.body(serde_json::to_string(&self.document()).unwrap_or_default())
    }
}

/// Gives a defect its document, and logs a failure of ours under the id that the answer carries.
///
/// # Errors
/// [`Problem`], where an inner layer failed.
pub(super) async fn describe<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let answered = next.call(request).await;
    match answered {
        Ok(response) => {
            let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
            if let Some(Problem::Unavailable(_) | Problem::Internal(_)) = problem {
                let request = RequestId::of(response.request());
                tracing::error!(%request, cause = problem.map(tracing::field::display), "a machine could not be answered");
            }
            Ok(response)
        }
        Err(error) if error.as_error::<Panicked>().is_some() => Err(Problem::Internal(error.to_string()).into()),
        Err(error) => Err(error),
    }
}
