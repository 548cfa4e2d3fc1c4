//! `GET /healthz` and `GET /readyz`: liveness and readiness probes.

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::authenticate::KeyAuthenticator;
use super::problem::{Document, Problem};
use super::readiness::Readiness;

#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `alive` or `ready`.
    status: &'static str,
    /// What the operator should correct although the server is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

/// Report that the process answers requests.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "alive",
    tag = "Server",
    responses(
        (status = 200, description = "The server is alive", body = Health),
        (status = 400, description = "The request is not valid HTTP; no body")
    )
)]
pub(super) async fn liveness() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "alive", warning: None })
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Purpose {
    /// `verification`: whether keys can be verified counts alone, as on a server that answers gateways only.
    r#for: Option<String>,
}

/// Report whether a good key would be answered now, and whether a change could be saved.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "ready",
    tag = "Server",
    params(Purpose),
    responses(
        (status = 200, description = "The server is ready", body = Health),
        (status = 400, description = "The request is not valid HTTP; no body"),
        (status = 503, description = "The server is not ready; the detail says what is wrong", body = Document,
            content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds")))
    )
)]
pub(super) async fn readiness(
    request: HttpRequest,
    readiness: Data<Readiness>,
    authenticator: Data<KeyAuthenticator>,
) -> Result<HttpResponse, Problem> {
    let purpose = Query::<Purpose>::from_query(request.query_string());
    // What is not understood asks for everything.
    let is_for_verification = purpose.is_ok_and(|purpose| purpose.r#for.as_deref() == Some("verification"));
    let reasons = readiness.reasons(&authenticator, is_for_verification).await;
    if reasons.is_empty() {
        let warnings = readiness.warnings();
        let warning = (!warnings.is_empty()).then(|| warnings.join(" "));
        Ok(HttpResponse::Ok().json(Health { status: "ready", warning }))
    } else {
        Err(Problem::NotReady(reasons.join(" ")))
    }
}
