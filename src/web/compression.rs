//! Pages, the stylesheet and the module as gzip, for browsers that take it. Nothing else, and nothing that holds a secret.
//!
//! The length of a compressed page says how much of it repeats. Whoever sees lengths on the wire and makes somebody's
//! browser ask for addresses of their choice could guess at a page letter by letter (BREACH). So a page is compressed only
//! where its address has nothing that others could have chosen, or where one of our own pages asks for it.

use std::io::Write;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Shorter ones fit into one packet anyway.
const SHORTEST: usize = 1_024;
/// Pages are compressed anew for each reader: speed before the last hundredths.
const LEVEL: Compression = Compression::new(4);

/// Marks an answer that shows what is shown only once, or what lets somebody in.
pub(super) struct HoldsSecret;

/// Compresses what may be and is worth it. What is not in memory yet, such as an export, goes on as it comes.
///
/// # Errors
/// Those of the inner layers.
pub(super) async fn compress<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_wanted = takes_gzip(request.headers()) && (request.query_string().is_empty() || is_ours(request.headers()));
    let mut response = next.call(request).await?.map_into_boxed_body();
    if !is_text(response.headers()) || response.response().extensions().contains::<HoldsSecret>() {
        return Ok(response);
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if !is_wanted {
        return Ok(response);
    }
    let mut is_gzip = false;
    let mut response = response.map_body(|_, body| match body.try_into_bytes() {
        Ok(bytes) => match gzip(&bytes) {
            Some(shorter) => {
                is_gzip = true;
                BoxBody::new(shorter)
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

/// Whether `gzip` is among what the client takes (RFC 9110 section 12.5.3); a weight of nothing refuses it.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(header::ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    codings.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse::<f32>);
        is_gzip && weight.is_ok_and(|weight| weight > 0.0)
    })
}

/// Whether one of our own pages asks, or somebody who typed the address: browsers say so, and no page can say it for them.
fn is_ours(headers: &HeaderMap) -> bool {
    headers.get("Sec-Fetch-Site").is_some_and(|site| site == "same-origin" || site == "none")
}

fn is_text(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    ["text/html", "text/css", "text/javascript"].iter().any(|known| content_type.starts_with(known))
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() < SHORTEST {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), LEVEL);
    encoder.write_all(bytes).and_then(|()| encoder.finish()).ok()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    fn says(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_refused() {
        for taken in ["gzip", "GZIP", "gzip, deflate, br, zstd", "br, gzip;q=0.5", "deflate,gzip ; q=1"] {
            assert!(takes_gzip(&says(header::ACCEPT_ENCODING, taken)), "{taken}");
        }
        for refused in ["", "br", "identity", "gzip;q=0", "gzip; q=0.000", "gzip;q=much", "*", "x-gzipped"] {
            assert!(!takes_gzip(&says(header::ACCEPT_ENCODING, refused)), "{refused}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn only_our_own_pages_and_their_readers_ask_for_themselves() {
        let site = HeaderName::from_static("sec-fetch-site");
        assert!(is_ours(&says(site.clone(), "same-origin")) && is_ours(&says(site.clone(), "none")));
        assert!(!is_ours(&says(site.clone(), "same-site")) && !is_ours(&says(site, "cross-site")));
        assert!(!is_ours(&HeaderMap::new()));
    }
}
