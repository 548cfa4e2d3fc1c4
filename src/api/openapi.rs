//! `GET /v1/openapi.json`: what the machine endpoints take and answer, in OpenAPI 3.1, made from the code that does so.

use actix_web::HttpResponse;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, PathItem};
use utoipa::{IntoResponses, Modify, OpenApi, ToSchema};

use super::problem::Document;
use super::{forward_auth, health, introspect, metrics, revoke, whoami};

/// The form that carries a key (RFC 7009 section 2.1, RFC 7662 section 2.1). Further fields are ignored.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a form that is read field by field")]
pub(super) struct TokenForm {
    /// The key.
    #[schema(min_length = 1)]
    token: String,
    /// Ignored: there is one kind of token.
    token_type_hint: Option<String>,
}

/// The answers to a key that is not good, whatever is wrong with it, and where nobody can say.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers")]
pub(super) enum KeyRefused {
    /// The key is not good. The answer does not say why.
    #[response(
        status = 401,
        content_type = "application/problem+json",
        headers(("WWW-Authenticate" = String, description = "Bearer error=\"invalid_token\""))
    )]
    InvalidKey(Document),
    /// The database cannot be asked: nobody can say now whether the key is good.
    #[response(
        status = 503,
        content_type = "application/problem+json",
        headers(("Retry-After" = u32, description = "Seconds"))
    )]
    Unavailable(Document),
}

/// The answers to a form that cannot be used.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers")]
pub(super) enum FormRefused {
    /// The form has no token, or a field twice, or cannot be decoded.
    #[response(status = 400, content_type = "application/problem+json")]
    Bad(Document),
    /// The form did not arrive within 30 seconds.
    #[response(status = 408, content_type = "application/problem+json")]
    Slow(Document),
    /// The form is larger than 64 KiB.
    #[response(status = 413, content_type = "application/problem+json")]
    Large(Document),
    /// The body is no form.
    #[response(status = 415, content_type = "application/problem+json")]
    WrongType(Document),
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Keydesk",
        description = "Whether API keys are good, asked now: every answer rests on a read of the database that began after the question arrived."
    ),
    paths(
        whoami::show,
        forward_auth::answer,
        introspect::answer,
        revoke::answer,
        health::alive,
        health::ready,
        metrics::show,
    ),
    modifiers(&Credentials, &DistinctOperations),
    tags(
        (name = "Keys", description = "Is this key good, whose is it, and its end"),
        (name = "Server", description = "Whether the server is well")
    )
)]
struct Description;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let components = description.components.get_or_insert_with(Components::new);
        let bearer = |said: &str| {
            let mut scheme = Http::new(HttpAuthScheme::Bearer);
            scheme.description = Some(said.to_owned());
            SecurityScheme::Http(scheme)
        };
        components.add_security_scheme("api_key", bearer("The API key"));
        components.add_security_scheme("gateway", bearer("The credential that `keydesk gateway add` printed"));
    }
}

/// An endpoint that takes every method is one operation for each.
struct DistinctOperations;

impl Modify for DistinctOperations {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        for path in description.paths.paths.values_mut() {
            let several = operations(path).filter(|(_, operation)| operation.is_some()).count() > 1;
            for (method, operation) in operations(path).filter(|_| several) {
                if let Some(Operation { operation_id: Some(id), .. }) = operation {
                    *id = format!("{id}_{method}");
                }
            }
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Option<Operation>)> {
    let PathItem { get, put, post, delete, options, head, patch, trace, .. } = path;
    let names = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
    names.into_iter().zip([get, put, post, delete, options, head, patch, trace])
}

pub(super) async fn show() -> HttpResponse {
    HttpResponse::Ok().json(Description::openapi())
}
