//! `GET /v1/openapi.json`: the OpenAPI 3.1 document of the machine endpoints, generated from their handlers.

use actix_web::HttpResponse;
use actix_web::web::Data;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, PathItem, Server};
use utoipa::{Modify, OpenApi};

use super::{forward_auth, health, introspect, metrics, revoke, whoami};
use crate::config::PublicUrl;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Keydesk",
        description = "Verification of API keys. Every answer comes from a read of the database that started after the request arrived.",
        license(name = "Proprietary", identifier = "LicenseRef-Proprietary")
    ),
    paths(
        whoami::get,
        forward_auth::any,
        introspect::post,
        revoke::post,
        health::liveness,
        health::readiness,
        metrics::get,
    ),
    modifiers(&SecuritySchemes, &OpenOperations, &DistinctOperationIds),
    tags(
        (name = "Keys", description = "Verify and revoke keys"),
        (name = "Server", description = "Monitor the server")
    )
)]
struct ApiDocument;

struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_with(Components::new);
        let mut add = |name, scheme, description: &str| {
            let mut scheme = Http::new(scheme);
            scheme.description = Some(description.to_owned());
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        };
        add("api_key", HttpAuthScheme::Bearer, "The API key");
        add("gateway", HttpAuthScheme::Bearer, "The credential that `keydesk gateway add` printed");
        add("metrics_token", HttpAuthScheme::Bearer, "The value of `--metrics-token`");
        let client = "The name of the gateway and its credential, both form-encoded (RFC 6749 section 2.3.1)";
        add("gateway_client", HttpAuthScheme::Basic, client);
    }
}

/// Marks each operation that names no credential as one that needs none.
struct OpenOperations;

impl Modify for OpenOperations {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for path in document.paths.paths.values_mut() {
            for operation in operations(path).filter_map(|(_, operation)| operation.as_mut()) {
                operation.security.get_or_insert_default();
            }
        }
    }
}

/// Appends the method to the operation ids of a path that supports several methods.
struct DistinctOperationIds;

impl Modify for DistinctOperationIds {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for path in document.paths.paths.values_mut() {
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

pub(super) async fn get(public_url: Data<PublicUrl>) -> HttpResponse {
    let mut document = ApiDocument::openapi();
    document.servers = Some(vec![Server::new(public_url.as_str())]);
    HttpResponse::Ok().json(document)
}
