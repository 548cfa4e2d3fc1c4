//! Compresses pages, the stylesheet and the script module with gzip, except responses that contain a secret.
//!
//! The length of a compressed page reveals how much of it repeats. An attacker who sees lengths on the wire and makes a
//! user's browser request chosen URLs could guess the page byte by byte (BREACH). So a page is compressed only if its
//! URL has no query, or if the request comes from one of our own pages.

use std::io::Write;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Shorter bodies fit into one packet anyway.
const MIN_BODY_BYTES: usize = 1_024;
/// Every response is compressed separately, so speed matters more than the last percent.
const GZIP_LEVEL: Compression = Compression::new(4);

/// Marks a response that contains a secret: a new key, or a link or token that signs a user in.
pub struct NoCompress;

/// Compresses text responses that are in memory. A streamed body, such as an export, passes unchanged.
pub async fn compress<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let headers = request.headers();
    let is_allowed = accepts_gzip(headers) && (request.query_string().is_empty() || is_same_origin(headers));
    let mut response = next.call(request).await?.map_into_boxed_body();
    if !is_text(response.headers()) || response.response().extensions().contains::<NoCompress>() {
        return Ok(response);
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if !is_allowed {
        return Ok(response);
    }
    let mut is_gzip = false;
    let mut response = response.map_body(|_, body| match body.try_into_bytes() {
        Ok(bytes) => match gzip(&bytes) {
            Some(compressed) => {
                is_gzip = true;
                BoxBody::new(compressed)
            }
            None => BoxBody::new(bytes),
        },
        Err(body) => body,
    });
    if is_gzip {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// Whether `Accept-Encoding` lists `gzip` with a weight above zero (RFC 9110 section 12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(header::ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    codings.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse::<f32>);
        is_gzip && weight.is_ok_and(|weight| weight > 0.0)
    })
}

/// Whether the request comes from one of our own pages or from a typed address. Scripts cannot set this header.
fn is_same_origin(headers: &HeaderMap) -> bool {
    headers.get("Sec-Fetch-Site").is_some_and(|site| site == "same-origin" || site == "none")
}

fn is_text(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    ["text/html", "text/css", "text/javascript"].iter().any(|text_type| content_type.starts_with(text_type))
}

/// The bytes as gzip. `None` if they are too short to be worth it.
pub fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() < MIN_BODY_BYTES {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), GZIP_LEVEL);
    encoder.write_all(bytes).and_then(|()| encoder.finish()).ok()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn gzip_is_used_only_if_the_client_accepts_it() {
        for accepted in ["gzip", "GZIP", "gzip, deflate, br, zstd", "br, gzip;q=0.5", "deflate,gzip ; q=1"] {
            assert!(accepts_gzip(&headers(header::ACCEPT_ENCODING, accepted)), "{accepted}");
        }
        for refused in ["", "br", "identity", "gzip;q=0", "gzip; q=0.000", "gzip;q=much", "*", "x-gzipped"] {
            assert!(!accepts_gzip(&headers(header::ACCEPT_ENCODING, refused)), "{refused}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn only_our_own_pages_and_typed_addresses_are_same_origin() {
        let fetch_site = |value| headers(HeaderName::from_static("sec-fetch-site"), value);
        assert!(is_same_origin(&fetch_site("same-origin")) && is_same_origin(&fetch_site("none")));
        assert!(!is_same_origin(&fetch_site("same-site")) && !is_same_origin(&fetch_site("cross-site")));
        assert!(!is_same_origin(&HeaderMap::new()));
    }
}
