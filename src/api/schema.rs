//! OpenAPI schemas that several endpoints share, and the form that they describe.

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::{AllOfBuilder, Object, Schema, Type};
use utoipa::{IntoResponses, ToSchema};

use super::problem::{Document, Problem};
use crate::http::body::Fields;

/// The form that carries a key (RFC 7009 section 2.1, RFC 7662 section 2.1). Other fields are ignored.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a form that is read field by field")]
pub(super) struct TokenForm {
    /// The key.
    #[schema(min_length = 1)]
    token: String,
    /// Ignored: there is one kind of token.
    token_type_hint: Option<String>,
}

/// The form of an introspection. Other fields are ignored.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a form that is read field by field")]
pub(super) struct IntrospectionForm {
    /// The key.
    #[schema(min_length = 1)]
    token: String,
    /// Ignored: there is one kind of token.
    token_type_hint: Option<String>,
    /// The name of the gateway, if the request has no `Authorization` header.
    client_id: Option<String>,
    /// The credential of the gateway, if the request has no `Authorization` header.
    client_secret: Option<String>,
}

impl TokenForm {
    /// Returns the key in a form.
    pub(super) fn token(fields: &Fields) -> Result<&str, Problem> {
        fields.get("token_type_hint")?;
        match fields.get_or_empty("token")? {
            "" => Err(Problem::TokenMissing),
            token => Ok(token),
        }
    }
}

/// The schema of a field that always has this value. utoipa has no method for `const`, but writes extensions as they are.
/// The type is in `allOf`: beside `const`, openapi-generator takes the value for a string.
pub(super) fn constant<const VALUE: bool>() -> Schema {
    let extensions: Extensions = [("const", VALUE)].into_iter().collect();
    Schema::AllOf(AllOfBuilder::new().item(Object::with_type(Type::Boolean)).extensions(Some(extensions)).build())
}

/// The responses to a key that is not active, or whose state is unknown.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes responses")]
pub(super) enum KeyRefused {
    /// The key is not valid. The response does not say why.
    #[response(
        status = 401,
        content_type = "application/problem+json",
        headers(("WWW-Authenticate" = String, description = "Bearer error=\"invalid_token\""))
    )]
    InvalidKey(Document),
    /// The database cannot be reached: the state of the key is unknown.
    #[response(
        status = 503,
        content_type = "application/problem+json",
        headers(("Retry-After" = u32, description = "Seconds"))
    )]
    Unavailable(Document),
}

/// The responses to an invalid form.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes responses")]
pub(super) enum FormRefused {
    /// The form has no token, repeats a field, or cannot be decoded.
    #[response(status = 400, content_type = "application/problem+json")]
    Bad(Document),
    /// The form did not arrive within 30 seconds.
    #[response(status = 408, content_type = "application/problem+json")]
    Slow(Document),
    /// The form is larger than 64 KiB.
    #[response(status = 413, content_type = "application/problem+json")]
    Large(Document),
    /// The body is not a form.
    #[response(status = 415, content_type = "application/problem+json")]
    WrongType(Document),
}
