//! Builds responses: pages, redirects, and 429 with `Retry-After`.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, HeaderValue, RETRY_AFTER};
use askama::Template;

use super::compression::NoCompress;
use super::error::PageError;

/// The size of a full list. A page that outgrows its buffer is copied.
const PAGE_BUFFER_BYTES: usize = 96 * 1_024;
/// `Retry-After` for a blocked client, whose wait has no fixed end. An admin may have unlocked the user by then.
pub const MAX_LOCKOUT: Duration = Duration::from_mins(15);

pub fn html(status: StatusCode, page: &impl Template) -> Result<HttpResponse, PageError> {
    let mut text = String::with_capacity(PAGE_BUFFER_BYTES);
    page.render_into(&mut text)?;
    Ok(HttpResponse::build(status).content_type(ContentType::html()).body(text))
}

/// Like [`html`], for a page that contains a secret. It is not compressed.
pub fn html_with_secret(status: StatusCode, page: &impl Template) -> Result<HttpResponse, PageError> {
    let mut response = html(status, page)?;
    response.extensions_mut().insert(NoCompress);
    Ok(response)
}

/// Status 429 with `Retry-After` in whole seconds, rounded up.
pub fn too_many_attempts(page: &impl Template, wait: Duration) -> Result<HttpResponse, PageError> {
    let mut response = html(StatusCode::TOO_MANY_REQUESTS, page)?;
    let seconds = wait.as_millis().div_ceil(1_000).to_string();
    if let Ok(seconds) = HeaderValue::from_str(&seconds) {
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    Ok(response)
}

/// Rounds a wait up to whole minutes, at least one.
pub fn wait_minutes(wait: Duration) -> u64 {
    wait.as_secs().div_ceil(60).max(1)
}

pub fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header(("Location", path)).finish()
}
