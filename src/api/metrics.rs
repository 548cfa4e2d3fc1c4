//! `GET /metrics`: what is counted, for Prometheus; to programs on this machine, or to whoever knows the token.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::bearer::BearerKey;
use super::problem::{Document, Problem};
use crate::edge::caller;

/// What is counted, and who may see it from another machine.
#[derive(Clone, Debug)]
pub struct ShownMetrics {
    /// What is counted.
    pub registry: Arc<Registry>,
    /// Shows it to callers beyond this machine.
    pub token: Option<SecretString>,
}

impl ShownMetrics {
    fn may_see(&self, request: &HttpRequest, presented: &BearerKey) -> bool {
        let is_token =
            |token: &SecretString| token.expose_secret().as_bytes().ct_eq(presented.expose().as_bytes()).into();
        caller::is_on_this_machine(request) || self.token.as_ref().is_some_and(is_token)
    }
}

/// What is counted, in OpenMetrics text: to programs on the same machine, or to whoever sends the token of the settings.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "Server",
    responses(
        (status = 200, description = "The metrics", body = String, content_type = "application/openmetrics-text"),
        (status = 404, description = "Nothing to see", body = Document, content_type = "application/problem+json")
    )
)]
pub(super) async fn show(
    request: HttpRequest,
    presented: BearerKey,
    metrics: Data<ShownMetrics>,
) -> Result<HttpResponse, Problem> {
    if !metrics.may_see(&request, &presented) {
        return Err(Problem::NotFound);
    }
    let mut text = String::new();
    encode(&mut text, &metrics.registry).map_err(|error| Problem::Internal(error.to_string()))?;
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(HttpResponse::Ok().content_type(content_type).body(text))
}
