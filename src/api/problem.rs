//! The errors of the machine endpoints, as problem documents (RFC 9457).

use std::borrow::Cow;
use std::sync::LazyLock;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::blocking::BlockingError;
use crate::http::body::BodyError;
use crate::http::request_id::RequestId;
use crate::store::StoreError;

/// An error of a machine endpoint. Displays as the cause, for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// The presented key is not active. The response does not say why.
    #[error("the key is not valid")]
    InvalidKey,
    /// The presented credential belongs to no active gateway.
    #[error("the gateway credential is not valid")]
    InvalidGateway,
    /// No active gateway has the presented name and credential.
    #[error("the gateway's name or credential is not valid")]
    InvalidClient,
    /// The request presents a gateway's credential in its header and in its form.
    #[error("the request has several credentials")]
    SeveralCredentials,
    /// The form lacks its one required field.
    #[error("the form has no token")]
    TokenMissing,
    /// The form is invalid.
    #[error("invalid form: {0:?}")]
    Form(BodyError),
    /// No endpoint has this path.
    #[error("no such endpoint")]
    NotFound,
    /// The endpoint does not support this method; holds those it supports.
    #[error("the endpoint supports {0}")]
    WrongMethod(&'static str),
    /// The state of the key is unknown.
    #[error("{0}")]
    Unavailable(String),
    /// The database did not say whether it made the change.
    #[error("{0}")]
    OutcomeUnknown(String),
    /// The server cannot do its job now; holds the reasons.
    #[error("{0}")]
    NotReady(String),
    /// The database was put back to an older state: the state of the key in the lost events is unknown.
    #[error("{0}")]
    WentBack(String),
    /// A defect.
    #[error("{0}")]
    Internal(String),
}

impl From<BlockingError> for Problem {
    fn from(error: BlockingError) -> Self {
        match error {
            BlockingError::NotStarted => Self::Unavailable(error.to_string()),
            BlockingError::TimedOut => Self::OutcomeUnknown(error.to_string()),
            BlockingError::Panicked => Self::Internal(error.to_string()),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable(error.to_string()),
            StoreError::OutcomeUnknown(_) => Self::OutcomeUnknown(error.to_string()),
            StoreError::WentBack(_) => Self::WentBack(error.to_string()),
            StoreError::Exists | StoreError::Unexpected(_) => Self::Internal(error.to_string()),
        }
    }
}

/// The response to every refused key, serialized once: a flood of invalid keys needs little else.
static INVALID_KEY: LazyLock<Bytes> = LazyLock::new(|| Problem::InvalidKey.document().to_bytes());

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
    /// The kind of problem: `urn:keydesk:problem:…`.
    r#type: &'static str,
    /// The kind of problem, in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What the client can do, or what is wrong.
    detail: Cow<'static, str>,
    /// The OAuth 2.0 error code, where an RFC asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    /// The id of the request, as in `X-Request-Id` and in the log. The answer to a refused key has it in its header
    /// only: its body is the same for every key.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl Problem {
    /// Any store error during verification, a defect too, leaves the state of a key or credential unknown.
    #[expect(clippy::needless_pass_by_value, reason = "the argument of `map_err`")]
    pub(super) fn unavailable(error: StoreError) -> Self {
        match error {
            StoreError::WentBack(_) => Self::WentBack(error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }

    /// The document of one request, serialized.
    pub(super) fn described(&self, id: RequestId) -> Bytes {
        Document { request_id: Some(id.to_string()), ..self.document() }.to_bytes()
    }

    fn document(&self) -> Document {
        match self {
            Self::InvalidKey => Document {
                r#type: "urn:keydesk:problem:invalid-key",
                title: "The API key is not valid",
                status: 401,
                detail: Cow::Borrowed("Send an active API key as Authorization: Bearer <key>."),
                error: Some("invalid_token"),
                request_id: None,
            },
            Self::InvalidGateway => Document {
                r#type: "urn:keydesk:problem:invalid-gateway-credential",
                title: "The gateway credential is not valid",
                status: 401,
                detail: Cow::Borrowed(
                    "Send the credential that keydesk gateway add printed as Authorization: Bearer <credential>.",
                ),
                error: Some("invalid_token"),
                request_id: None,
            },
            Self::InvalidClient => Document {
                r#type: "urn:keydesk:problem:invalid-gateway-credential",
                title: "The gateway's name or credential is not valid",
                status: 401,
                detail: Cow::Borrowed(
                    "Send the gateway's name and the credential that keydesk gateway add printed, both form-encoded.",
                ),
                error: Some("invalid_client"),
                request_id: None,
            },
            Self::SeveralCredentials => Document {
                r#type: "urn:keydesk:problem:several-credentials",
                title: "The request has several credentials",
                status: 401,
                detail: Cow::Borrowed("Send the credential in the Authorization header or in the form, not in both."),
                error: Some("invalid_client"),
                request_id: None,
            },
            Self::TokenMissing => Document {
                r#type: "urn:keydesk:problem:token-missing",
                title: "The form has no token",
                status: 400,
                detail: Cow::Borrowed("Send the key as the field token of a form."),
                error: Some("invalid_request"),
                request_id: None,
            },
            Self::Form(error) => form_document(*error),
            Self::NotFound => Document {
                r#type: "urn:keydesk:problem:not-found",
                title: "There is no such endpoint",
                status: 404,
                detail: Cow::Borrowed("Check the path."),
                error: None,
                request_id: None,
            },
            Self::WrongMethod(_) => Document {
                r#type: "urn:keydesk:problem:method-not-allowed",
                title: "The endpoint does not support this method",
                status: 405,
                detail: Cow::Borrowed("The Allow header lists the supported methods."),
                error: None,
                request_id: None,
            },
            Self::Unavailable(_) => unavailable_document(
                "urn:keydesk:problem:unavailable",
                "The database cannot be reached",
                Cow::Borrowed("The state of the key is unknown. Try again."),
            ),
            Self::OutcomeUnknown(_) => unavailable_document(
                "urn:keydesk:problem:outcome-unknown",
                "The database stopped responding",
                Cow::Borrowed("It is not known whether the key was revoked. Send the request again."),
            ),
            Self::NotReady(reasons) => unavailable_document(
                "urn:keydesk:problem:not-ready",
                "The server is not ready",
                Cow::Owned(reasons.clone()),
            ),
            Self::WentBack(_) => unavailable_document(
                "urn:keydesk:problem:database-went-back",
                "The database was put back to an older state",
                Cow::Borrowed(
                    "The state of the key is unknown until the operator restores the latest database or accepts the loss.",
                ),
            ),
            Self::Internal(_) => Document {
                r#type: "urn:keydesk:problem:internal",
                title: "Something went wrong on our side",
                status: 500,
                detail: Cow::Borrowed("The log names the cause under request_id."),
                error: None,
                request_id: None,
            },
        }
    }
}

const fn unavailable_document(r#type: &'static str, title: &'static str, detail: Cow<'static, str>) -> Document {
    Document { r#type, title, status: 503, detail, error: None, request_id: None }
}

const fn form_document(error: BodyError) -> Document {
    let (r#type, title, status, detail) = match error {
        BodyError::WrongType => (
            "urn:keydesk:problem:unsupported-media-type",
            "The body is not a form",
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
            "Send complete, percent-encoded UTF-8.",
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
    let detail = Cow::Borrowed(detail);
    Document { r#type, title, status, detail, error: Some("invalid_request"), request_id: None }
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
            Self::InvalidClient | Self::SeveralCredentials => {
                response.insert_header((WWW_AUTHENTICATE, r#"Basic realm="Keydesk", charset="UTF-8""#));
            }
            Self::WrongMethod(allowed) => {
                response.insert_header((ALLOW, *allowed));
            }
            Self::Unavailable(_) | Self::OutcomeUnknown(_) | Self::NotReady(_) | Self::WentBack(_) => {
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
