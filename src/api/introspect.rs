//! `POST /v1/introspect`: a gateway asks about a key that was presented to it (RFC 7662).

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use tokio::time::{Instant, timeout};
use utoipa::ToSchema;

use super::bearer::BearerKey;
use super::openapi::{FormRefused, KeyRefused, TokenForm};
use super::presented::Desk;
use super::problem::Problem;
use crate::config::PublicUrl;
use crate::domain::instant;
use crate::domain::usage::Presenter;
use crate::edge::body::FormBody;
use crate::edge::caller;
use crate::store::StoreError;
use crate::verify::{LONGEST_WAIT, Refused};

/// A key that is good (RFC 7662 section 2.2).
#[derive(Serialize, ToSchema)]
pub(super) struct GoodKey {
    active: bool,
    iss: String,
    sub: String,
    client_id: String,
    key_id: String,
    company_id: String,
    /// The name of the service account.
    service_account: String,
    /// Seconds since 1970, as RFC 7519 section 2 counts them.
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    token_type: &'static str,
}

/// Nothing more is said of a key that is not good (RFC 7662 section 2.2).
#[derive(Serialize, ToSchema)]
pub(super) struct NoGoodKey {
    active: bool,
}

/// What an introspection is answered with.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Introspection {
    Good(GoodKey),
    NotGood(NoGoodKey),
}

/// Is the key that was presented to a gateway good?
#[utoipa::path(
    post,
    path = "/v1/introspect",
    operation_id = "introspect",
    tag = "Keys",
    security(("gateway" = [])),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "What is to be known of the key", body = Introspection),
        FormRefused,
        KeyRefused
    )
)]
pub(super) async fn answer(
    request: HttpRequest,
    credential: BearerKey,
    body: FormBody,
    desk: Data<Desk>,
    public_url: Data<PublicUrl>,
) -> Result<HttpResponse, Problem> {
    let began = Instant::now();
    let gateway = desk.verifier().gateway(credential.expose()).await.map_err(Problem::unknown_truth)?;
    // Both look-ups together keep nobody waiting longer than one may.
    let patience = LONGEST_WAIT.saturating_sub(began.elapsed());
    let gateway = gateway.ok_or(Problem::InvalidGateway)?;
    let fields = body.fields().await?;
    let token = super::token_of(&fields)?;
    // Who presented the key to the gateway is not known here.
    let client = format!("gateway {}", gateway.name);
    let by = Presenter { address: caller::address_of(&request), client: Some(&client) };
    let verified = timeout(patience, desk.verify_for(&request, token, by)).await;
    match verified.unwrap_or_else(|_| Err(StoreError::too_late().into())) {
        Ok(key) => {
            let service_account_id = key.service_account_id.to_string();
            Ok(HttpResponse::Ok().json(Introspection::Good(GoodKey {
                active: true,
                iss: public_url.as_str().to_owned(),
                sub: service_account_id.clone(),
                client_id: service_account_id,
                key_id: key.id.to_string(),
                company_id: key.company.id.to_string(),
                service_account: key.service_account.clone(),
                iat: key.created_at.as_seconds(),
                exp: key.ends.first().map(instant::Instant::as_seconds),
                token_type: "api_key",
            })))
        }
        Err(Refused::Unavailable(error)) => Err(Problem::unknown_truth(error)),
        Err(_) => Ok(HttpResponse::Ok().json(Introspection::NotGood(NoGoodKey { active: false }))),
    }
}
