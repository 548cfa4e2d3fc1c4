//! The credential of a request: `Authorization: Bearer …` (RFC 6750 section 2.1).

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use actix_web::{FromRequest, HttpRequest};

/// Optional white space (RFC 9110 section 5.6.3).
const BLANKS: [char; 2] = [' ', '\t'];

/// The presented credential; empty if the header is missing, repeated, of another scheme, or not text.
pub(super) struct BearerKey(Option<HeaderValue>);

impl BearerKey {
    pub(super) fn expose(&self) -> &str {
        self.0.as_ref().and_then(key_in).unwrap_or_default()
    }
}

impl fmt::Debug for BearerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerKey(…)")
    }
}

impl FromRequest for BearerKey {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(single_credential(request.headers()).cloned())))
    }
}

/// Returns the `Authorization` header, unless it is missing or repeated.
pub(super) fn single_credential(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut credentials = headers.get_all(AUTHORIZATION);
    match (credentials.next(), credentials.next()) {
        (first, None) => first,
        _ => None,
    }
}

/// Returns the credential of the scheme `Bearer`.
pub(super) fn key_in(credential: &HeaderValue) -> Option<&str> {
    let (scheme, key) = credential.to_str().ok()?.split_once(BLANKS)?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| key.trim_matches(BLANKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(values: &[&'static str]) -> Option<String> {
        let headers = values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_static(value)));
        let headers: HeaderMap = headers.collect();
        single_credential(&headers).and_then(key_in).map(str::to_owned)
    }

    #[test]
    fn the_scheme_is_case_insensitive() {
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let header: &'static str = format!("{scheme} goa_x").leak();
            assert_eq!(key_of(&[header]).as_deref(), Some("goa_x"));
        }
    }

    #[test]
    fn blanks_and_tabs_separate_the_scheme_from_the_key() {
        for header in ["Bearer goa_x", "Bearer\tgoa_x", "Bearer \t goa_x", "Bearer  goa_x\t "] {
            assert_eq!(key_of(&[header]).as_deref(), Some("goa_x"), "{header:?}");
        }
        assert_eq!(key_of(&["Bearer"]), None);
    }

    #[test]
    fn other_schemes_and_repeated_headers_present_no_key() {
        assert_eq!(key_of(&[]), None);
        assert_eq!(key_of(&["Bearer a", "Bearer a"]), None);
        assert_eq!(key_of(&["Basic goa_x"]), None);
        assert_eq!(key_of(&["goa_x"]), None);
    }
}
