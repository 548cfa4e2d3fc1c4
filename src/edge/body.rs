//! Form bodies and query strings: limited in size and time, decoded strictly, each field given once unless it may repeat.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;
use percent_encoding::percent_decode;
use std::future::{Ready, ready};

const LARGEST_BODY: usize = 64 * 1_024;
/// actix-web limits the time for a request's head, but not for its body.
const DEADLINE: Duration = Duration::from_secs(30);

/// Marks a request whose body was read to its end.
pub(super) struct WasRead;

/// Why a body or a query cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is no form.
    WrongType,
    /// It is larger than 64 KiB.
    TooLarge,
    /// It does not decode to text, or ended early.
    Undecodable,
    /// A field that has one value was given twice.
    Repeated,
    /// It did not arrive within 30 s.
    TooSlow,
}

/// The fields of a form or a query, decoded.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Decodes `application/x-www-form-urlencoded` (WHATWG URL Standard), but refuses what it would repair.
    ///
    /// # Errors
    /// [`BodyError::Undecodable`] for a broken escape or bytes that are not UTF-8.
    pub fn decode(encoded: &[u8]) -> Result<Self, BodyError> {
        let pairs = encoded.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair
                .iter()
                .position(|byte| *byte == b'=')
                .map_or((pair, &[][..]), |equals| (&pair[..equals], &pair[equals + 1..]));
            Ok((decode(name)?, decode(value)?))
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }

    /// The value of a field that may be given once; a missing one counts as empty.
    ///
    /// # Errors
    /// [`BodyError::Repeated`].
    pub fn one(&self, name: &str) -> Result<&str, BodyError> {
        Ok(self.given(name)?.unwrap_or(""))
    }

    /// The values of a field that may be given more than once.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a field that may be given once, where it was given.
    ///
    /// # Errors
    /// [`BodyError::Repeated`].
    pub fn given(&self, name: &str) -> Result<Option<&str>, BodyError> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() { Err(BodyError::Repeated) } else { Ok(first) }
    }
}

fn decode(encoded: &[u8]) -> Result<String, BodyError> {
    let broken = encoded
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'%')
        .any(|(at, _)| !encoded.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)));
    if broken {
        return Err(BodyError::Undecodable);
    }
    let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let text = percent_decode(&spaced).decode_utf8().map_err(|_| BodyError::Undecodable)?;
    Ok(text.into_owned())
}

/// A form that has not been read yet: handlers read it once they know that the sender may send it.
pub struct FormBody {
    request: HttpRequest,
    payload: Payload,
}

impl FromRequest for FormBody {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self { request: request.clone(), payload: payload.take() }))
    }
}

impl FormBody {
    /// Reads the form.
    ///
    /// # Errors
    /// [`BodyError`].
    pub async fn fields(self) -> Result<Fields, BodyError> {
        let Self { request, payload } = self;
        let announced =
            request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if announced.is_some_and(|length: usize| length > LARGEST_BODY) {
            return Err(BodyError::TooLarge);
        }
        let is_form = request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded");
        let is_encoded = request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
        let is_bare = !request.headers().contains_key(header::CONTENT_TYPE)
            && !request.headers().contains_key(header::TRANSFER_ENCODING)
            && announced.is_none_or(|length| length == 0);
        if is_encoded || !(is_form || is_bare) {
            return Err(BodyError::WrongType);
        }
        let body = tokio::time::timeout(DEADLINE, read(payload)).await.map_err(|_| BodyError::TooSlow)??;
        request.extensions_mut().insert(WasRead);
        Fields::decode(&body)
    }
}

async fn read(mut payload: Payload) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| BodyError::Undecodable)?;
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_decoded_and_a_missing_one_is_empty() {
        let fields = Fields::decode(b"name=ERP+Sync%20%C3%A9&empty=&bare").unwrap();
        assert_eq!(fields.one("name"), Ok("ERP Sync é"));
        assert_eq!(fields.given("empty"), Ok(Some("")));
        assert_eq!(fields.given("bare"), Ok(Some("")));
        assert_eq!(fields.one("absent"), Ok(""));
        assert_eq!(fields.given("absent"), Ok(None));
    }

    #[test]
    fn a_field_given_twice_is_refused_when_it_is_asked_for() {
        let fields = Fields::decode(b"a=1&b=2&a=3").unwrap();
        assert_eq!(fields.one("a"), Err(BodyError::Repeated));
        assert_eq!(fields.one("b"), Ok("2"));
    }

    #[test]
    fn what_does_not_decode_to_text_is_refused() {
        for broken in [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%FF", b"a=\xFF", b"%C3=a"] {
            assert_eq!(Fields::decode(broken).unwrap_err(), BodyError::Undecodable, "{broken:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_decoder_panic(bytes: Vec<u8>) {
            let _ = Fields::decode(&bytes);
        }
    }
}
