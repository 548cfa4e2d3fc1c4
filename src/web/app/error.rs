//! Page errors as values. A handler returns one and `pages::errors` renders it. `Unavailable`, `OutcomeUnknown`
//! and `Internal` are our own failures and are logged with their cause.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, LOCATION, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};

use crate::actions::{ActionFailure, Denied};
use crate::domain::ids::KeyId;
use crate::http::blocking::BlockingError;
use crate::http::body::BodyError;
use crate::store::StoreError;
use crate::web::paths;
use crate::web::url::with_query;

/// The error that replaces a page. Its `Display` is the cause, for the log.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The session is missing or has expired. Holds the requested page.
    #[error("sign-in required")]
    SignInRequired(String),
    /// The form for the code was opened before the password was checked.
    #[error("password required")]
    PasswordRequired,
    /// The company requires a second factor of this admin.
    #[error("second factor required")]
    SecondFactorRequired,
    #[error("admins only")]
    AdminsOnly,
    #[error("cross-site request")]
    CrossSite,
    /// The set-up link lacks the token that this process printed when it started.
    #[error("set-up token required")]
    SetupTokenRequired,
    /// The page does not exist, or this user may not know of it.
    #[error("page not found")]
    PageNotFound,
    #[error("key not found")]
    KeyNotFound,
    #[error("user not found")]
    UserNotFound,
    /// The invitation was used, has expired, or never existed.
    #[error("invitation expired")]
    InvitationExpired,
    /// Holds the allowed methods, for the `Allow` header.
    #[error("method not allowed, only {0}")]
    MethodNotAllowed(String),
    #[error("unreadable body or query: {0:?}")]
    Body(BodyError),
    /// The state of the key does not allow the change. Holds the reason as a sentence.
    #[error("{1}")]
    KeyStateConflict(KeyId, String),
    /// The form for a new key was submitted twice. The secret is shown only once.
    #[error("form sent twice")]
    KeyAlreadyShown,
    /// No permit to hash a password became free in time.
    #[error("too many sign-ins at once")]
    TooManyAtOnce,
    /// The database cannot be reached.
    #[error("{0}")]
    Unavailable(String),
    /// The database did not say whether it did what was asked of it.
    #[error("{0}")]
    OutcomeUnknown(String),
    /// The audit trail of the company lacks events. Holds what it lacks.
    #[error("the database went back: {0}")]
    WentBack(String),
    /// A bug in Keydesk.
    #[error("{0}")]
    Internal(String),
}

impl From<BodyError> for PageError {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<BlockingError> for PageError {
    fn from(error: BlockingError) -> Self {
        match error {
            BlockingError::NotStarted => Self::Unavailable(error.to_string()),
            BlockingError::TimedOut => Self::OutcomeUnknown(error.to_string()),
            BlockingError::Panicked => Self::Internal(error.to_string()),
        }
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable(error.to_string()),
            StoreError::OutcomeUnknown(_) => Self::OutcomeUnknown(error.to_string()),
            StoreError::WentBack(shortfall) => Self::WentBack(shortfall),
            StoreError::Exists | StoreError::Unexpected(_) => Self::Internal(error.to_string()),
        }
    }
}

impl From<ActionFailure> for PageError {
    fn from(failure: ActionFailure) -> Self {
        match failure {
            ActionFailure::Denied(Denied::SignedOut) => Self::SignInRequired(paths::API_KEYS.to_owned()),
            ActionFailure::Denied(Denied::AdminsOnly) => Self::AdminsOnly,
            ActionFailure::Denied(Denied::SecondFactorRequired) => Self::SecondFactorRequired,
            ActionFailure::Store(error) => error.into(),
        }
    }
}

impl From<Denied> for PageError {
    fn from(denied: Denied) -> Self {
        ActionFailure::from(denied).into()
    }
}

impl From<askama::Error> for PageError {
    fn from(error: askama::Error) -> Self {
        Self::Internal(error.to_string())
    }
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::SignInRequired(_) | Self::PasswordRequired | Self::SecondFactorRequired => StatusCode::SEE_OTHER,
            Self::AdminsOnly | Self::CrossSite | Self::SetupTokenRequired => StatusCode::FORBIDDEN,
            Self::PageNotFound | Self::KeyNotFound | Self::UserNotFound | Self::InvitationExpired => {
                StatusCode::NOT_FOUND
            }
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Body(BodyError::WrongType) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Body(BodyError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Body(BodyError::TooSlow) => StatusCode::REQUEST_TIMEOUT,
            Self::Body(BodyError::Undecodable | BodyError::Repeated) => StatusCode::BAD_REQUEST,
            Self::KeyAlreadyShown | Self::KeyStateConflict(..) => StatusCode::CONFLICT,
            Self::TooManyAtOnce | Self::Unavailable(_) | Self::OutcomeUnknown(_) | Self::WentBack(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The response without its page, which `pages::errors` adds.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::SignInRequired(next) => {
                response.insert_header((LOCATION, with_query(paths::SIGN_IN, &[("next", next)])));
            }
            Self::PasswordRequired => {
                response.insert_header((LOCATION, paths::SIGN_IN));
            }
            Self::SecondFactorRequired => {
                response.insert_header((LOCATION, paths::SECOND_FACTOR));
            }
            Self::MethodNotAllowed(allowed) => {
                response.insert_header((ALLOW, allowed.as_str()));
            }
            Self::TooManyAtOnce | Self::Unavailable(_) | Self::OutcomeUnknown(_) | Self::WentBack(_) => {
                response.insert_header((RETRY_AFTER, "1"));
            }
            _ => {}
        }
        response.finish()
    }
}
