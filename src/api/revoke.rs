//! `POST /v1/revoke`: whoever holds a key may end it (RFC 7009). The answer does not say whether there was one.

use actix_web::HttpResponse;
use actix_web::web::{self, Data};

use super::openapi::{FormRefused, TokenForm};
use super::problem::{Document, Problem};
use crate::actions::Actions;
use crate::domain::actor::Actor;
use crate::edge::body::FormBody;
use crate::edge::caller::Caller;
use crate::store::StoreError;

/// End the key that is sent, for ever.
#[utoipa::path(
    post,
    path = "/v1/revoke",
    operation_id = "revoke",
    tag = "Keys",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "There is no such key that is good, now; no body"),
        FormRefused,
        (status = 503, description = "The database cannot be reached: the key may still be good", body = Document,
            content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds")))
    )
)]
pub(super) async fn answer(body: FormBody, caller: Caller, actions: Data<Actions>) -> Result<HttpResponse, Problem> {
    let fields = body.fields().await?;
    let token = super::token_of(&fields)?;
    if let Ok(key) = actions.key_format.parse(token) {
        let origin = caller.as_origin(Actor::KeyHolder);
        web::block(move || actions.revoke_presented_key(&key, &origin))
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))??;
    }
    Ok(HttpResponse::Ok().finish())
}
