//! `POST /v1/introspect`: a gateway verifies a key that a client presented to it (RFC 7662).

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use tokio::time::{Instant, timeout};
use utoipa::ToSchema;

use super::authenticate::KeyAuthenticator;
use super::bearer::BearerKey;
use super::problem::Problem;
use super::schema::{FormRefused, KeyRefused, TokenForm};
use crate::config::PublicUrl;
use crate::domain::key::usage::RequestSource;
use crate::domain::timestamp::Timestamp;
use crate::http::body::FormBody;
use crate::http::client_address;
use crate::store::StoreError;
use crate::verify::{LOOKUP_TIMEOUT, VerifyError};

/// An active key (RFC 7662 section 2.2).
#[derive(Serialize, ToSchema)]
pub(super) struct ActiveToken {
    active: bool,
    iss: String,
    sub: String,
    client_id: String,
    key_id: String,
    company_id: String,
    /// The name of the service account.
    service_account: String,
    /// Seconds since 1970 (RFC 7519 section 2).
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    token_type: &'static str,
}

/// Any other token; the response does not say why (RFC 7662 section 2.2).
#[derive(Serialize, ToSchema)]
pub(super) struct InactiveToken {
    active: bool,
}

/// The result of an introspection.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Introspection {
    Active(ActiveToken),
    Inactive(InactiveToken),
}

/// Verify a key that was presented to a gateway.
#[utoipa::path(
    post,
    path = "/v1/introspect",
    operation_id = "introspect",
    tag = "Keys",
    security(("gateway" = [])),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The state of the key", body = Introspection),
        FormRefused,
        KeyRefused
    )
)]
pub(super) async fn post(
    request: HttpRequest,
    credential: BearerKey,
    body: FormBody,
    authenticator: Data<KeyAuthenticator>,
    public_url: Data<PublicUrl>,
) -> Result<HttpResponse, Problem> {
    let started = Instant::now();
    let gateway = authenticator.verifier().gateway(credential.expose()).await.map_err(Problem::unavailable)?;
    // Both look-ups together take no longer than one may.
    let remaining = LOOKUP_TIMEOUT.saturating_sub(started.elapsed());
    let gateway = gateway.ok_or(Problem::InvalidGateway)?;
    let fields = body.fields().await?;
    let token = TokenForm::token(&fields)?;
    // The gateway does not say which client presented the key.
    let client = format!("gateway {}", gateway.name);
    let source = RequestSource { address: client_address::address_of(&request), client: Some(&client) };
    let verified = timeout(remaining, authenticator.verify_from(&request, token, source)).await;
    match verified.unwrap_or_else(|_| Err(StoreError::timed_out().into())) {
        Ok(key) => {
            let service_account_id = key.service_account_id.to_string();
            Ok(HttpResponse::Ok().json(Introspection::Active(ActiveToken {
                active: true,
                iss: public_url.as_str().to_owned(),
                sub: service_account_id.clone(),
                client_id: service_account_id,
                key_id: key.id.to_string(),
                company_id: key.company.id.to_string(),
                service_account: key.service_account.clone(),
                iat: key.created_at.as_seconds(),
                exp: key.ends.first().map(Timestamp::as_seconds),
                token_type: "api_key",
            })))
        }
        Err(VerifyError::Unavailable(error)) => Err(Problem::unavailable(error)),
        Err(_) => Ok(HttpResponse::Ok().json(Introspection::Inactive(InactiveToken { active: false }))),
    }
}
