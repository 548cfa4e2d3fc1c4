//! Refuses cross-site requests, by `Sec-Fetch-Site` or else by `Origin`.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use crate::web::app::error::PageError;
use crate::web::app::state::AppState;

/// Refuses a request unless it comes from one of our own pages. Guards every route that changes something.
pub async fn require_same_origin<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let public_url = request.app_data::<web::Data<AppState>>().map_or("", |app| app.public_url.as_str());
    if is_same_origin(request.headers(), public_url) {
        next.call(request).await
    } else {
        Err(PageError::CrossSite.into())
    }
}

/// Refuses a request if a browser reports another site as its source. Guards reads that are recorded as events. A
/// client that sends no `Sec-Fetch-Site` passes: it is not a browser that another site could misuse.
pub async fn refuse_cross_site<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if fetch_site_is_ours(request.headers()) == Some(false) {
        return Err(PageError::CrossSite.into());
    }
    next.call(request).await
}

fn is_same_origin(headers: &HeaderMap, public_url: &str) -> bool {
    if let Some(is_ours) = fetch_site_is_ours(headers) {
        return is_ours;
    }
    let mut origins = headers.get_all(ORIGIN);
    let (Some(origin), None) = (origins.next().and_then(|origin| origin.to_str().ok()), origins.next()) else {
        return false;
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let matches_host = host.is_some_and(|host| {
        origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
    });
    origin == public_url || matches_host
}

/// Whether `Sec-Fetch-Site` names one of our own pages or a typed address. `None` if the header is missing.
fn fetch_site_is_ours(headers: &HeaderMap) -> Option<bool> {
    let mut sites = headers.get_all("sec-fetch-site").peekable();
    sites.peek()?;
    Some(sites.all(|site| site == "same-origin" || site == "none"))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn is_allowed(headers: &[(&'static str, &'static str)]) -> bool {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        is_same_origin(&headers.collect(), "https://keys.example.com")
    }

    #[test]
    fn sec_fetch_site_decides_if_it_is_present() {
        assert!(is_allowed(&[("sec-fetch-site", "same-origin")]));
        assert!(is_allowed(&[("sec-fetch-site", "none")]));
        assert!(!is_allowed(&[("sec-fetch-site", "cross-site"), ("origin", "https://keys.example.com")]));
        assert!(!is_allowed(&[("sec-fetch-site", "same-site")]));
        assert!(!is_allowed(&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn without_sec_fetch_site_the_origin_must_be_ours() {
        assert!(is_allowed(&[("origin", "https://keys.example.com")]));
        assert!(is_allowed(&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")]));
        assert!(!is_allowed(&[("origin", "https://evil.example"), ("host", "keys.example.com")]));
        assert!(!is_allowed(&[("origin", "null"), ("host", "keys.example.com")]));
        assert!(!is_allowed(&[("origin", "https://keys.example.com"), ("origin", "https://keys.example.com")]));
    }

    #[test]
    fn a_request_without_both_headers_is_refused() {
        assert!(!is_allowed(&[("host", "keys.example.com")]));
    }
}
