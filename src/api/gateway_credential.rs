//! The credential of a gateway: `Authorization: Bearer …`, or its name and credential as an OAuth 2.0 client (RFC 6749
//! section 2.3.1).

use std::fmt;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::bearer;
use super::problem::Problem;
use crate::domain::text::normalize;
use crate::http::body::{self, Fields};

/// The credential that a request presents.
pub(super) struct GatewayCredential {
    /// The name of the gateway. Clients of OAuth 2.0 send it, in `Basic` or in the form.
    name: Option<String>,
    secret: String,
}

impl GatewayCredential {
    /// Returns the one credential of a request.
    ///
    /// # Errors
    /// [`Problem::InvalidGateway`] or [`Problem::InvalidClient`] if there is none,
    /// [`Problem::SeveralCredentials`] if the request presents more than one.
    pub(super) fn of(request: &HttpRequest, fields: &Fields) -> Result<Self, Problem> {
        let (id, secret) = (fields.get_or_empty("client_id")?, fields.get_or_empty("client_secret")?);
        let has_header = request.headers().contains_key(AUTHORIZATION);
        match (has_header, secret) {
            (true, "") => Self::in_header(request),
            (true, _) => Err(Problem::SeveralCredentials),
            (false, "") => Err(Problem::InvalidGateway),
            (false, secret) => Ok(Self { name: Some(id.to_owned()), secret: secret.to_owned() }),
        }
    }

    fn in_header(request: &HttpRequest) -> Result<Self, Problem> {
        let header = bearer::single_credential(request.headers()).ok_or(Problem::InvalidGateway)?;
        if let Some(credential) = bearer::key_in(header) {
            return Ok(Self { name: None, secret: credential.to_owned() });
        }
        let text = header.to_str().map_err(|_| Problem::InvalidGateway)?;
        let (scheme, encoded) = text.split_once([' ', '\t']).ok_or(Problem::InvalidGateway)?;
        if !scheme.eq_ignore_ascii_case("Basic") {
            return Err(Problem::InvalidGateway);
        }
        let (name, secret) = decode_basic(encoded.trim()).ok_or(Problem::InvalidClient)?;
        Ok(Self { name: Some(name), secret })
    }

    /// Whether the credential names this gateway. A bearer credential names none.
    pub(super) fn belongs_to(&self, name: &str) -> bool {
        let same = |own: &String| normalize::case_folded(own) == normalize::case_folded(name);
        self.name.as_ref().is_none_or(same)
    }

    pub(super) fn expose(&self) -> &str {
        &self.secret
    }

    /// The answer if no active gateway has the credential.
    pub(super) fn refusal(&self) -> Problem {
        if self.name.is_some() { Problem::InvalidClient } else { Problem::InvalidGateway }
    }
}

impl fmt::Debug for GatewayCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatewayCredential(…)")
    }
}

/// Decodes a name and a credential, each form-encoded before they were joined by a colon.
fn decode_basic(encoded: &str) -> Option<(String, String)> {
    let pair = BASE64_STANDARD.decode(encoded).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    Some((body::decode(&pair[..colon]).ok()?, body::decode(&pair[colon + 1..]).ok()?))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn presented(authorization: Option<&str>, form: &str) -> Result<(Option<String>, String), String> {
        let mut request = TestRequest::default();
        if let Some(value) = authorization {
            request = request.insert_header((AUTHORIZATION, value));
        }
        let fields = Fields::decode(form.as_bytes()).unwrap();
        let credential = GatewayCredential::of(&request.to_http_request(), &fields);
        credential.map(|own| (own.name, own.secret)).map_err(|problem| format!("{problem:?}"))
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }

    #[test]
    fn a_credential_is_sent_in_one_of_three_ways() {
        let named = Ok((Some("Edge Øst: 1".to_owned()), "s3cret".to_owned()));
        assert_eq!(presented(Some("Bearer s3cret"), "token=x"), Ok((None, "s3cret".to_owned())));
        assert_eq!(presented(Some("Bearer s3cret"), "client_id=Edge"), Ok((None, "s3cret".to_owned())));
        assert_eq!(presented(Some(&basic("Edge+%C3%98st%3A+1:s3cret")), ""), named);
        assert_eq!(presented(Some(&basic("Edge+%C3%98st%3A+1:s3cret").replace("Basic", "BASIC")), ""), named);
        assert_eq!(presented(None, "client_id=Edge+%C3%98st%3A+1&client_secret=s3cret"), named);
    }

    #[test]
    fn anything_else_presents_no_credential() {
        for authorization in [None, Some("Digest x"), Some("Basic"), Some("s3cret")] {
            assert_eq!(
                presented(authorization, "client_id=Edge"),
                Err("InvalidGateway".to_owned()),
                "{authorization:?}"
            );
        }
        for pair in ["Edge", "Edge:%zz", "%FF:s3cret"] {
            assert_eq!(presented(Some(&basic(pair)), ""), Err("InvalidClient".to_owned()), "{pair}");
        }
        assert_eq!(presented(Some("Basic !"), ""), Err("InvalidClient".to_owned()));
    }

    #[test]
    fn two_credentials_are_refused() {
        for authorization in ["Bearer s3cret", &basic("Edge:s3cret"), "Digest x"] {
            let both = presented(Some(authorization), "client_id=Edge&client_secret=s3cret");
            assert_eq!(both, Err("SeveralCredentials".to_owned()), "{authorization}");
        }
        assert_eq!(presented(None, "client_secret=a&client_secret=b"), Err("Form(Repeated)".to_owned()));
    }

    #[test]
    fn a_client_must_name_its_own_gateway() {
        let credential =
            |name: Option<&str>| GatewayCredential { name: name.map(str::to_owned), secret: String::new() };
        assert!(credential(None).belongs_to("Edge") && credential(Some(" EDGE ")).belongs_to("Edge"));
        assert!(!credential(Some("Other")).belongs_to("Edge") && !credential(Some("")).belongs_to("Edge"));
    }
}
