//! Reads forms and query strings: limited in size and time, decoded strictly. A field occurs once unless it may repeat.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;
use percent_encoding::percent_decode;
use serde::de::DeserializeOwned;
use std::future::{Ready, ready};

const MAX_BODY_BYTES: usize = 64 * 1_024;
/// actix-web limits the time for the head of a request, but not for its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Marks a request whose body was read to the end.
pub(super) struct BodyRead;

/// Why a body or a query is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// The body is not a form.
    WrongType,
    /// The body is larger than 64 KiB.
    TooLarge,
    /// The body does not decode to text, or is incomplete.
    Undecodable,
    /// A field that takes one value occurs more than once.
    Repeated,
    /// The body did not arrive within 30 s.
    TooSlow,
}

/// The decoded fields of a form or a query.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Decodes `application/x-www-form-urlencoded` (WHATWG URL Standard), but rejects what the standard would repair.
    ///
    /// # Errors
    /// [`BodyError::Undecodable`] for an invalid escape or bytes that are not UTF-8.
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

    /// Returns the value of a field that may occur once; a missing field is empty.
    pub fn get_or_empty(&self, name: &str) -> Result<&str, BodyError> {
        Ok(self.get(name)?.unwrap_or(""))
    }

    /// Returns the values of a field that may repeat.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the value of a field that may occur once.
    pub fn get(&self, name: &str) -> Result<Option<&str>, BodyError> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() { Err(BodyError::Repeated) } else { Ok(first) }
    }
}

/// Refuses what a lenient decoder would repair: a broken escape, and bytes that are not UTF-8.
fn refuse_undecodable(encoded: &[u8]) -> Result<(), BodyError> {
    decode(encoded).map(drop)
}

/// Decodes one form-encoded name or value.
///
/// # Errors
/// [`BodyError::Undecodable`] for an invalid escape or bytes that are not UTF-8.
pub fn decode(encoded: &[u8]) -> Result<String, BodyError> {
    let has_invalid_escape = encoded
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'%')
        .any(|(at, _)| !encoded.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)));
    if has_invalid_escape {
        return Err(BodyError::Undecodable);
    }
    let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let text = percent_decode(&spaced).decode_utf8().map_err(|_| BodyError::Undecodable)?;
    Ok(text.into_owned())
}

/// An unread form: a handler reads it after it has authorized the request.
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
    /// Reads the form into a struct: a missing field counts as empty, an unknown one is ignored, and only a `Vec` may
    /// be given more than once. The struct derives `Deserialize` and `Default` with `#[serde(default)]`.
    ///
    /// # Errors
    /// [`BodyError`].
    pub async fn form<T: DeserializeOwned>(self) -> Result<T, BodyError> {
        let body = self.bytes().await?;
        refuse_undecodable(&body)?;
        serde_html_form::from_bytes(&body).map_err(|_| BodyError::Repeated)
    }

    /// Reads a form whose fields do not matter.
    ///
    /// # Errors
    /// [`BodyError`].
    pub async fn discard(self) -> Result<(), BodyError> {
        refuse_undecodable(&self.bytes().await?)
    }

    /// Reads the form field by field.
    ///
    /// # Errors
    /// [`BodyError`]: why the form is invalid.
    pub async fn fields(self) -> Result<Fields, BodyError> {
        Fields::decode(&self.bytes().await?)
    }

    async fn bytes(self) -> Result<Vec<u8>, BodyError> {
        let Self { request, payload } = self;
        let content_length =
            request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if content_length.is_some_and(|length: usize| length > MAX_BODY_BYTES) {
            return Err(BodyError::TooLarge);
        }
        let is_form = request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded");
        let is_compressed = request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
        let is_empty = !request.headers().contains_key(header::CONTENT_TYPE)
            && !request.headers().contains_key(header::TRANSFER_ENCODING)
            && content_length.is_none_or(|length| length == 0);
        if is_compressed || !(is_form || is_empty) {
            return Err(BodyError::WrongType);
        }
        let body = tokio::time::timeout(BODY_TIMEOUT, read(payload)).await.map_err(|_| BodyError::TooSlow)??;
        request.extensions_mut().insert(BodyRead);
        Ok(body)
    }
}

async fn read(mut payload: Payload) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| BodyError::Undecodable)?;
        if body.len() + chunk.len() > MAX_BODY_BYTES {
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
    fn fields_are_decoded_and_a_missing_field_is_empty() {
        let fields = Fields::decode(b"name=ERP+Sync%20%C3%A9&empty=&bare").unwrap();
        assert_eq!(fields.get_or_empty("name"), Ok("ERP Sync é"));
        assert_eq!(fields.get("empty"), Ok(Some("")));
        assert_eq!(fields.get("bare"), Ok(Some("")));
        assert_eq!(fields.get_or_empty("absent"), Ok(""));
        assert_eq!(fields.get("absent"), Ok(None));
    }

    #[test]
    fn a_repeated_field_is_rejected_when_it_is_read() {
        let fields = Fields::decode(b"a=1&b=2&a=3").unwrap();
        assert_eq!(fields.get_or_empty("a"), Err(BodyError::Repeated));
        assert_eq!(fields.get_or_empty("b"), Ok("2"));
    }

    #[test]
    fn bytes_that_are_not_text_are_rejected() {
        for invalid in [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%FF", b"a=\xFF", b"%C3=a"] {
            assert_eq!(Fields::decode(invalid).unwrap_err(), BodyError::Undecodable, "{invalid:?}");
        }
    }

    proptest! {
        #[test]
        fn the_decoder_never_panics(bytes: Vec<u8>) {
            let _ = Fields::decode(&bytes);
        }
    }
}
