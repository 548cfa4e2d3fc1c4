//! `POST /v1/revoke`: the holder of a key revokes it (RFC 7009). The response does not say whether the key existed.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::problem::{Document, Problem};
use super::schema::{FormRefused, TokenForm};
use crate::actions::Actions;
use crate::domain::client::Client;
use crate::http::blocking;
use crate::http::body::FormBody;

/// Revoke a key permanently.
#[utoipa::path(
    post,
    path = "/v1/revoke",
    operation_id = "revoke",
    tag = "Keys",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "No active key has this value now; no body"),
        FormRefused,
        (status = 503, description = "The database cannot be reached: the key may still be active", body = Document,
            content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds")))
    )
)]
pub(super) async fn post(body: FormBody, client: Client, actions: Data<Actions>) -> Result<HttpResponse, Problem> {
    let fields = body.fields().await?;
    let token = TokenForm::token(&fields)?;
    if let Ok(key) = actions.key_format.parse(token) {
        blocking::run(move || actions.revoke_presented_key(&key, &client)).await??;
    }
    Ok(HttpResponse::Ok().finish())
}
