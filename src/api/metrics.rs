//! `GET /metrics`: the metrics in OpenMetrics text, for holders of the metrics token, and for loopback clients where no
//! proxy is listed.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::bearer::BearerKey;
use super::problem::{Document, Problem};
use crate::http::client_address;

/// The metrics, and the token that opens them.
#[derive(Clone, Debug)]
pub struct MetricsEndpoint {
    pub registry: Arc<Registry>,
    pub token: Option<SecretString>,
}

impl MetricsEndpoint {
    fn is_allowed(&self, request: &HttpRequest, presented: &BearerKey) -> bool {
        let is_token =
            |token: &SecretString| token.expose_secret().as_bytes().ct_eq(presented.expose().as_bytes()).into();
        client_address::is_from_this_machine(request) || self.token.as_ref().is_some_and(is_token)
    }
}

/// Return the metrics in OpenMetrics text: to clients that send the metrics token and, if the server lists no trusted
/// proxy, to clients on the same machine.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "Server",
    responses(
        (status = 200, description = "The metrics", body = String, content_type = "application/openmetrics-text"),
        (status = 404, description = "The client may not see the metrics", body = Document, content_type = "application/problem+json")
    )
)]
pub(super) async fn get(
    request: HttpRequest,
    presented: BearerKey,
    endpoint: Data<MetricsEndpoint>,
) -> Result<HttpResponse, Problem> {
    if !endpoint.is_allowed(&request, &presented) {
        return Err(Problem::NotFound);
    }
    let mut text = String::new();
    encode(&mut text, &endpoint.registry).map_err(|error| Problem::Internal(error.to_string()))?;
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(HttpResponse::Ok().content_type(content_type).body(text))
}
