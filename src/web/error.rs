//! Every way in which a page can fail, and the layer that draws it as a page.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{ALLOW, HeaderValue, LOCATION};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError, web};
use askama::Template;

use super::Site;
use super::message::{Message, MessagePage};
use super::paths;
use crate::domain::ids::KeyId;
use crate::edge::body::BodyError;
use crate::edge::panics::Panicked;
use crate::edge::request_id::RequestId;
use crate::store::StoreError;

/// Why there is no page. Displays as the cause, for the log.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Nobody is signed in; where they wanted to go.
    #[error("nobody is signed in")]
    SignInNeeded(String),
    /// A code was given, or asked for, without a password before it.
    #[error("nobody gave a password")]
    PasswordNeeded,
    /// The company requires a second factor of them.
    #[error("an admin has no second factor and must have one")]
    SecondFactorNeeded,
    /// The role does not allow it.
    #[error("an auditor cannot do this")]
    AdminsOnly,
    /// The request came from another site.
    #[error("the request came from another site")]
    CrossSite,
    /// Set-up without the token of this start.
    #[error("set-up without its link")]
    SetupLinkNeeded,
    /// There is no such page, or not for this user.
    #[error("there is no such page")]
    NoPage,
    /// The company has no such key.
    #[error("there is no such key")]
    NoKey,
    /// The page does not take this method; which ones it takes.
    #[error("the page takes {0}")]
    WrongMethod(String),
    /// The form or the query cannot be used.
    #[error("the body or the query cannot be used: {0:?}")]
    Body(BodyError),
    /// The company has no such user.
    #[error("there is no such user")]
    NoUser,
    /// An invitation was used, has expired, or never was.
    #[error("there is no such invitation")]
    DeadInvitation,
    /// The key's state does not allow it; which key, and why.
    #[error("{1}")]
    KeyStands(KeyId, String),
    /// A form for a new key was sent again.
    #[error("the form was sent before")]
    KeyAlreadyShown,
    /// Too many people are signing in.
    #[error("too many sign-ins at once")]
    TooManyAtOnce,
    /// The database does not answer.
    #[error("{0}")]
    Unavailable(String),
    /// A defect.
    #[error("{0}")]
    Internal(String),
}

impl From<BodyError> for PageError {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable(error.to_string()),
            StoreError::Exists | StoreError::Unexpected(_) => Self::Internal(error.to_string()),
        }
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
            Self::SignInNeeded(_) | Self::PasswordNeeded | Self::SecondFactorNeeded => StatusCode::SEE_OTHER,
            Self::AdminsOnly | Self::CrossSite | Self::SetupLinkNeeded => StatusCode::FORBIDDEN,
            Self::NoPage | Self::NoKey | Self::NoUser | Self::DeadInvitation => StatusCode::NOT_FOUND,
            Self::WrongMethod(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Body(BodyError::WrongType) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Body(BodyError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Body(BodyError::TooSlow) => StatusCode::REQUEST_TIMEOUT,
            Self::Body(BodyError::Undecodable | BodyError::Repeated) => StatusCode::BAD_REQUEST,
            Self::KeyAlreadyShown | Self::KeyStands(..) => StatusCode::CONFLICT,
            Self::TooManyAtOnce | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Without its page, which [`draw`] adds: only there is known which platform this is.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::SignInNeeded(next) => {
                let location = super::keys::address::with_query(paths::SIGN_IN, &[("next", next)]);
                response.insert_header((LOCATION, location));
            }
            Self::PasswordNeeded => {
                response.insert_header((LOCATION, paths::SIGN_IN));
            }
            Self::SecondFactorNeeded => {
                response.insert_header((LOCATION, paths::SECOND_FACTOR));
            }
            Self::WrongMethod(allowed) => {
                response.insert_header((ALLOW, allowed.as_str()));
            }
            Self::TooManyAtOnce | Self::Unavailable(_) => {
                response.insert_header(("Retry-After", "1"));
            }
            _ => {}
        }
        response.finish()
    }
}

impl PageError {
    fn message(&self, again: &str) -> Message {
        match self {
            Self::AdminsOnly => Message::admins_only(),
            Self::CrossSite => Message::cross_site(),
            Self::SetupLinkNeeded => Message::setup_link_needed(),
            Self::NoKey => Message::no_key(),
            Self::NoUser => Message::no_user(),
            Self::DeadInvitation => Message::dead_invitation(),
            // Those that redirect show no page.
            Self::NoPage | Self::SignInNeeded(_) | Self::PasswordNeeded | Self::SecondFactorNeeded => {
                Message::no_page()
            }
            Self::WrongMethod(_) => Message::wrong_method(),
            Self::Body(BodyError::WrongType) => Message::wrong_type(),
            Self::Body(BodyError::TooLarge) => Message::too_large(),
            Self::Body(BodyError::TooSlow) => Message::too_slow(),
            Self::Body(BodyError::Undecodable | BodyError::Repeated) => Message::bad_request(),
            Self::KeyAlreadyShown => Message::key_already_shown(),
            Self::KeyStands(id, sentence) => Message::key_stands(*id, sentence),
            Self::TooManyAtOnce => Message::too_many_at_once(again),
            Self::Unavailable(_) => Message::database_unreachable(again),
            Self::Internal(_) => Message::internal_error(),
        }
    }
}

/// Draws what went wrong inside as a page, and logs a failure of ours once, under the id that the page shows.
///
/// # Errors
/// The page that stands for an error of an inner layer, as an error that carries it.
pub(super) async fn draw<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let site = request.app_data::<web::Data<Site>>().cloned();
    let id = request.extensions().get::<RequestId>().copied();
    let path = request.path().to_owned();
    let again = if request.method() == Method::GET { path.as_str() } else { paths::form_page(&path) };
    let Some(site) = site else { return Ok(next.call(request).await?.map_into_boxed_body()) };
    match next.call(request).await {
        Ok(response) => {
            let Some(drawn) = response.response().error().map(|error| page_of(error, &site, id.as_ref(), again)) else {
                return Ok(response.map_into_boxed_body());
            };
            Ok(response.into_response(drawn))
        }
        Err(error) => {
            let drawn = page_of(&error, &site, id.as_ref(), again);
            Err(InternalError::from_response(error, drawn).into())
        }
    }
}

fn page_of(error: &Error, site: &Site, id: Option<&RequestId>, again: &str) -> HttpResponse {
    let of_a_layer;
    let error = if let Some(known) = error.as_error::<PageError>() {
        known
    } else {
        of_a_layer = of_another_layer(error);
        &of_a_layer
    };
    let ours = matches!(error, PageError::Internal(_) | PageError::Unavailable(_));
    if ours {
        let request = id.map(ToString::to_string).unwrap_or_default();
        tracing::error!(request, cause = %error, "a page could not be made");
    }
    let mut response = error.error_response();
    if response.status() == StatusCode::SEE_OTHER {
        return response;
    }
    let request_id = id.filter(|_| matches!(error, PageError::Internal(_))).map(ToString::to_string);
    let page = MessagePage { shell: site.outside_shell(), message: error.message(again), request_id };
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(actix_web::http::header::CONTENT_TYPE, html);
    response.set_body(BoxBody::new(page.render().unwrap_or_default()))
}

/// What an error of actix-web or of a layer around the handlers means for a page.
fn of_another_layer(error: &Error) -> PageError {
    match error.as_response_error().status_code() {
        StatusCode::NOT_FOUND => PageError::NoPage,
        status if status.is_client_error() => PageError::Body(BodyError::Undecodable),
        _ if error.as_error::<Panicked>().is_some() => PageError::Internal(error.to_string()),
        // What is left is the session layer, whose store did not take or give up a session.
        _ => PageError::Unavailable(error.to_string()),
    }
}
