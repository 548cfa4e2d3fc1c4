//! `GET /v1/whoami`: verifies the key of the request and returns its service account and company.

use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::authenticate::KeyAuthenticator;
use super::bearer::BearerKey;
use super::problem::Problem;
use super::schema::KeyRefused;
use crate::domain::ids::{CompanyId, KeyId, ServiceAccountId};
use crate::domain::timestamp::Timestamp;
use crate::store::KeyForVerification;

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

/// An active key with its service account and company.
#[derive(Serialize, ToSchema)]
pub(super) struct WhoAmI<'a> {
    #[schema(value_type = String)]
    key_id: KeyId,
    service_account: ServiceAccount<'a>,
    company: Company<'a>,
    #[schema(required, format = DateTime)]
    /// When the key stops working, as known now: RFC 3339, whole seconds.
    expires_at: Option<String>,
}

/// Verify a key and return its service account and company.
#[utoipa::path(
    get,
    path = "/v1/whoami",
    operation_id = "whoami",
    tag = "Keys",
    security(("api_key" = [])),
    responses((status = 200, description = "The key is active", body = WhoAmI), KeyRefused)
)]
pub(super) async fn get(
    request: HttpRequest,
    key: BearerKey,
    authenticator: Data<KeyAuthenticator>,
) -> Result<HttpResponse, Problem> {
    let key = authenticator.verify(&request, key.expose()).await?;
    let body = key.answer.get_or_init(|| body_of(&key));
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, APPLICATION_JSON)).body(body.to_vec()))
}

fn body_of(key: &KeyForVerification) -> Box<[u8]> {
    let who_am_i = WhoAmI {
        key_id: key.id,
        service_account: ServiceAccount { id: key.service_account_id, name: &key.service_account },
        company: Company { id: key.company.id, name: &key.company.name },
        expires_at: key.ends.first().and_then(Timestamp::to_rfc_3339),
    };
    serde_json::to_vec(&who_am_i).unwrap_or_default().into()
}
