//! Problem documents (RFC 9457): every way in which a machine endpoint can fail.

use std::sync::LazyLock;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use super::log_limit::LogLimit;
use crate::edge::body::BodyError;
use crate::edge::panics::{self, Panicked};
use crate::edge::request_id::RequestId;
use crate::store::StoreError;

/// What went wrong. Displays as the cause, for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// The presented key is not good: no machine learns why.
    #[error("the key is not good")]
    InvalidKey,
    /// The presented credential is no gateway's that may ask.
    #[error("the gateway credential is not good")]
    InvalidGateway,
    /// A form without the one field that it needs.
    #[error("the form has no token")]
    TokenMissing,
    /// The form cannot be used.
    #[error("the form cannot be used: {0:?}")]
    Form(BodyError),
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

/// The one refusal of keys, written once: floods of bad keys ask for little else.
static INVALID_KEY: LazyLock<Bytes> = LazyLock::new(|| Problem::InvalidKey.document().to_bytes());

thread_local! {
    /// While the database is away, every question fails.
    static FAILURES: LogLimit = LogLimit::new();
}

impl Document {
    fn to_bytes(&self) -> Bytes {
        Bytes::from(serde_json::to_vec(self).unwrap_or_default())
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        Self::Form(error)
    }
}

/// A problem document (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Document {
    /// What kind of problem: `urn:keydesk:problem:…`.
    r#type: &'static str,
    /// The same in words.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What to do.
    detail: &'static str,
    /// The OAuth 2.0 error code, where an RFC asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

impl Problem {
    /// Whatever went wrong with the database, nobody knows now whether a key or a credential is good.
    #[expect(clippy::needless_pass_by_value, reason = "maps an error that ends there")]
    pub(super) fn unknown_truth(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }

    const fn document(&self) -> Document {
        match self {
            Self::InvalidKey => Document {
                r#type: "urn:keydesk:problem:invalid-key",
                title: "The API key is not valid",
                status: 401,
                detail: "Send an active API key as Authorization: Bearer <key>.",
                error: Some("invalid_token"),
            },
            Self::InvalidGateway => Document {
                r#type: "urn:keydesk:problem:invalid-gateway-credential",
                title: "The gateway credential is not valid",
                status: 401,
                detail: "Send the credential that keydesk gateway add printed as Authorization: Bearer <credential>.",
                error: Some("invalid_token"),
            },
            Self::TokenMissing => Document {
                r#type: "urn:keydesk:problem:token-missing",
                title: "The form has no token",
                status: 400,
                detail: "Send the key as the field token of a form.",
                error: Some("invalid_request"),
            },
            Self::Form(error) => form_document(*error),
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

const fn form_document(error: BodyError) -> Document {
    let (r#type, title, status, detail) = match error {
        BodyError::WrongType => (
            "urn:keydesk:problem:unsupported-media-type",
            "The body is no form",
            415,
            "Send application/x-www-form-urlencoded, without a content coding.",
        ),
        BodyError::TooLarge => {
            ("urn:keydesk:problem:content-too-large", "The form is too large", 413, "Send at most 64 KiB.")
        }
        BodyError::Undecodable => (
            "urn:keydesk:problem:undecodable-form",
            "The form cannot be read",
            400,
            "Send percent-encoded UTF-8, whole.",
        ),
        BodyError::Repeated => {
            ("urn:keydesk:problem:repeated-field", "A field was sent twice", 400, "Send each field once.")
        }
        BodyError::TooSlow => (
            "urn:keydesk:problem:request-timeout",
            "The form did not arrive in time",
            408,
            "Send the whole body within 30 seconds.",
        ),
    };
    Document { r#type, title, status, detail, error: Some("invalid_request") }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.document().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        response.content_type("application/problem+json");
        match self {
            Self::InvalidKey | Self::InvalidGateway => {
                response.insert_header((WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#));
            }
            Self::WrongMethod(allowed) => {
                response.insert_header((ALLOW, *allowed));
            }
            Self::Unavailable(_) => {
                response.insert_header((RETRY_AFTER, "1"));
            }
            Self::TokenMissing | Self::Form(_) | Self::NotFound | Self::Internal(_) => {}
        }
        match self {
            Self::InvalidKey => response.body(INVALID_KEY.clone()),
            _ => response.body(self.document().to_bytes()),
        }
    }
}

/// Gives a defect, a panic too, its document, and logs a failure of ours under the id that the answer carries.
///
/// # Errors
/// [`Problem`], where an inner layer failed.
pub(super) async fn describe<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let answered = panics::catch(request, next).await;
    match answered {
        Ok(response) => {
            let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
            if let Some(problem @ (Problem::Unavailable(_) | Problem::Internal(_))) = problem {
                let request = RequestId::of(response.request());
                let log =
                    |left_out| tracing::error!(%request, cause = %problem, left_out, "a machine could not be answered");
                FAILURES.with(|failures| failures.write(log));
            }
            Ok(response)
        }
        Err(error) if error.as_error::<Panicked>().is_some() => Err(Problem::Internal(error.to_string()).into()),
        Err(error) => Err(error),
    }
}

/// The same for whoever understands nothing but that the key is good, is not, or that nobody knows: a defect of ours is
/// the last.
///
/// # Errors
/// [`Problem`], where an inner layer failed.
pub(super) async fn describe_as_unavailable<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    describe(request, next).await.map_err(|error| match error.as_error::<Problem>() {
        Some(Problem::Internal(cause)) => Problem::Unavailable(cause.clone()).into(),
        _ => error,
    })
}
