//! `GET /v1/whoami`: whose key is this, and is it good.

use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::bearer::BearerKey;
use super::openapi::KeyRefused;
use super::presented::Desk;
use super::problem::Problem;
use crate::domain::ids::{CompanyId, KeyId, ServiceAccountId};
use crate::domain::instant::Instant;
use crate::store::VerifiableKey;

const APPLICATION_JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A service account.
#[derive(Serialize, ToSchema)]
pub(super) struct ServiceAccount<'a> {
    #[schema(value_type = String)]
    id: ServiceAccountId,
    name: &'a str,
}

/// A company.
#[derive(Serialize, ToSchema)]
pub(super) struct Company<'a> {
    #[schema(value_type = String)]
    id: CompanyId,
    name: &'a str,
}

/// Whose key it is.
#[derive(Serialize, ToSchema)]
pub(super) struct WhoAmI<'a> {
    #[schema(value_type = String)]
    key_id: KeyId,
    service_account: ServiceAccount<'a>,
    company: Company<'a>,
    #[schema(required, format = DateTime)]
    /// When it stops working by itself, as far as is known now: RFC 3339, whole seconds.
    expires_at: Option<String>,
}

/// Whose key is this, and is it good?
#[utoipa::path(
    get,
    path = "/v1/whoami",
    operation_id = "whoami",
    tag = "Keys",
    security(("api_key" = [])),
    responses((status = 200, description = "The key is good", body = WhoAmI), KeyRefused)
)]
pub(super) async fn show(request: HttpRequest, key: BearerKey, desk: Data<Desk>) -> Result<HttpResponse, Problem> {
    let key = desk.verify(&request, key.expose()).await?;
    let answer = key.answer.get_or_init(|| written(&key));
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, APPLICATION_JSON)).body(answer.to_vec()))
}

fn written(key: &VerifiableKey) -> Box<[u8]> {
    let whose = WhoAmI {
        key_id: key.id,
        service_account: ServiceAccount { id: key.service_account_id, name: &key.service_account },
        company: Company { id: key.company.id, name: &key.company.name },
        expires_at: key.ends.first().and_then(Instant::to_rfc_3339),
    };
    serde_json::to_vec(&whose).unwrap_or_default().into()
}
