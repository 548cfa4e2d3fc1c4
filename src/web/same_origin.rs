//! Refuses changes that another site asks a browser for (the contract's rule: `Sec-Fetch-Site`, else `Origin`).

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use super::Site;
use super::error::PageError;

/// Lets a request pass that comes from a page of ours; it guards every route that changes something.
///
/// # Errors
/// [`PageError::CrossSite`].
pub(super) async fn guard<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let public_url = request.app_data::<web::Data<Site>>().map_or("", |site| site.public_url.as_str());
    if is_ours(request.headers(), public_url) { next.call(request).await } else { Err(PageError::CrossSite.into()) }
}

/// Lets a request pass unless a browser says that another site made it; it guards what is read and recorded. Whoever does
/// not say is no browser that another site could send here.
///
/// # Errors
/// [`PageError::CrossSite`].
pub(super) async fn guard_reading<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if said_to_be_ours(request.headers()) == Some(false) {
        return Err(PageError::CrossSite.into());
    }
    next.call(request).await
}

fn is_ours(headers: &HeaderMap, public_url: &str) -> bool {
    if let Some(is_ours) = said_to_be_ours(headers) {
        return is_ours;
    }
    let mut origins = headers.get_all(ORIGIN);
    let (Some(origin), None) = (origins.next().and_then(|origin| origin.to_str().ok()), origins.next()) else {
        return false;
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let of_the_host = host.is_some_and(|host| {
        origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
    });
    origin == public_url || of_the_host
}

/// What a browser says of where a request comes from, where it says so.
fn said_to_be_ours(headers: &HeaderMap) -> Option<bool> {
    let mut sites = headers.get_all("sec-fetch-site").peekable();
    sites.peek()?;
    Some(sites.all(|site| site == "same-origin" || site == "none"))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn ours(headers: &[(&'static str, &'static str)]) -> bool {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        is_ours(&headers.collect(), "https://keys.example.com")
    }

    #[test]
    fn a_browser_that_says_where_a_request_comes_from_is_believed() {
        assert!(ours(&[("sec-fetch-site", "same-origin")]));
        assert!(ours(&[("sec-fetch-site", "none")]));
        assert!(!ours(&[("sec-fetch-site", "cross-site"), ("origin", "https://keys.example.com")]));
        assert!(!ours(&[("sec-fetch-site", "same-site")]));
        assert!(!ours(&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn without_that_the_origin_must_be_ours() {
        assert!(ours(&[("origin", "https://keys.example.com")]));
        assert!(ours(&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")]));
        assert!(!ours(&[("origin", "https://evil.example"), ("host", "keys.example.com")]));
        assert!(!ours(&[("origin", "null"), ("host", "keys.example.com")]));
        assert!(!ours(&[("origin", "https://keys.example.com"), ("origin", "https://keys.example.com")]));
    }

    #[test]
    fn a_request_that_does_not_say_is_refused() {
        assert!(!ours(&[("host", "keys.example.com")]));
    }
}
