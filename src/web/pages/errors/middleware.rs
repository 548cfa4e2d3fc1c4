//! Renders errors as pages and logs server failures.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::HeaderValue;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpResponse, ResponseError, web};
use askama::Template;

use super::view::{Message, MessagePage, SignedInMessagePage};
use crate::http::body::BodyError;
use crate::http::log_limit::LogLimit;
use crate::http::panics::HandlerPanicked;
use crate::http::request_id::RequestId;
use crate::web::app::change_outcome;
use crate::web::app::error::PageError;
use crate::web::app::guards::EnrollmentContext;
use crate::web::app::page_context::CurrentUser;
use crate::web::app::state::AppState;
use crate::web::components::layout::{PageLayout, SignedOutLayout};
use crate::web::paths;

/// Finds the session behind a request that the client must correct: its error page keeps the navigation. It runs inside
/// the session middleware. A failure of the server asks the database for nothing more, and a
/// link to choose a password is for people without a session.
///
/// # Errors
/// Those of the inner layers.
pub async fn identify<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let response = next.call(request).await?;
    let keeps_navigation = |error: &Error| !matches!(error.as_error(), Some(PageError::InvitationExpired));
    if response.response().error().is_some_and(keeps_navigation) && response.status().is_client_error() {
        let request = response.request().clone();
        if let Ok(EnrollmentContext(context)) = EnrollmentContext::extract(&request).await {
            request.extensions_mut().insert(context.user);
        }
    }
    Ok(response)
}

/// Replaces an error response with its page. A server failure is logged once, under the request id that the page shows.
///
/// # Errors
/// An error of an inner layer stays an error, but carries the rendered page.
pub async fn render<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let app = request.app_data::<web::Data<AppState>>().cloned();
    let id = request.extensions().get::<RequestId>().copied();
    let path = request.path().to_owned();
    let retry_path = if request.method() == Method::GET { path.as_str() } else { paths::form_page(&path) };
    let Some(app) = app else { return Ok(next.call(request).await?.map_into_boxed_body()) };
    let is_read = request.method().is_safe();
    let (handled, may_have_changed) = change_outcome::track(next.call(request)).await;
    let failed =
        FailedRequest { app: &app, id: id.as_ref(), retry_path, may_have_changed: may_have_changed && !is_read };
    match handled {
        Ok(response) => {
            let user = response.request().extensions_mut().remove::<CurrentUser>();
            let Some(page) = response.response().error().map(|error| failed.error_page(error, user.as_ref())) else {
                return Ok(response.map_into_boxed_body());
            };
            Ok(response.into_response(page))
        }
        Err(error) => {
            let page = failed.error_page(&error, None);
            Err(InternalError::from_response(error, page).into())
        }
    }
}

thread_local! {
    /// While the database is down, every page fails.
    static FAILURES: LogLimit = LogLimit::new();
}

/// A request whose error becomes a page.
struct FailedRequest<'a> {
    app: &'a AppState,
    id: Option<&'a RequestId>,
    retry_path: &'a str,
    /// Whether the request submitted a form whose change may have been made.
    may_have_changed: bool,
}

impl FailedRequest<'_> {
    fn error_page(&self, error: &Error, user: Option<&CurrentUser>) -> HttpResponse {
        let converted;
        let error = if let Some(page_error) = error.as_error::<PageError>() {
            page_error
        } else {
            converted = from_other_error(error);
            &converted
        };
        self.log(error);
        let mut response = error.error_response();
        if response.status() == StatusCode::SEE_OTHER {
            return response;
        }
        let (message, request_id) = (self.message(error), self.id.map(ToString::to_string));
        let page = match user {
            Some(user) => SignedInMessagePage { layout: PageLayout::new(self.app, user), message, request_id }.render(),
            None => MessagePage { layout: SignedOutLayout::new(self.app), message, request_id }.render(),
        };
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(actix_web::http::header::CONTENT_TYPE, html);
        response.set_body(BoxBody::new(page.unwrap_or_default()))
    }

    /// A failure after a change, such as of the query for the next page, does not say that nothing was saved.
    fn message(&self, error: &PageError) -> Message {
        match error {
            PageError::Unavailable(_) | PageError::OutcomeUnknown(_) if self.may_have_changed => {
                Message::outcome_unknown(self.retry_path)
            }
            error => Message::for_error(error, self.retry_path),
        }
    }

    fn log(&self, error: &PageError) {
        let is_server_failure = matches!(
            error,
            PageError::Internal(_) | PageError::Unavailable(_) | PageError::OutcomeUnknown(_) | PageError::WentBack(_)
        );
        if is_server_failure {
            let request = self.id.map(ToString::to_string).unwrap_or_default();
            FAILURES.with(|failures| {
                failures.write(|suppressed| tracing::error!(request, cause = %error, suppressed, "page failed"));
            });
        }
    }
}

/// Converts an error of actix-web or of another middleware.
fn from_other_error(error: &Error) -> PageError {
    match error.as_response_error().status_code() {
        StatusCode::NOT_FOUND => PageError::PageNotFound,
        status if status.is_client_error() => PageError::Body(BodyError::Undecodable),
        _ if error.as_error::<HandlerPanicked>().is_some() => PageError::Internal(error.to_string()),
        // Only the session middleware is left: its store failed to load or save a session.
        _ => PageError::Unavailable(error.to_string()),
    }
}
