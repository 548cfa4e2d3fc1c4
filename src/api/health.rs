//! Is the server alive, and can it do its work.

use actix_web::HttpResponse;
use actix_web::web::{self, Data};
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::{Document, Problem};
use crate::actions::Actions;
use crate::store::StoreError;

#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `alive` or `ready`.
    status: &'static str,
}

/// Is the server alive?
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "alive",
    tag = "Server",
    responses((status = 200, description = "It is", body = Health))
)]
pub(super) async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "alive" })
}

/// Ready: the database answers, and has the tables that this program works with.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "ready",
    tag = "Server",
    responses(
        (status = 200, description = "It is", body = Health),
        (status = 503, description = "The database cannot be reached, or is not up to date", body = Document,
            content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds")))
    )
)]
pub(super) async fn ready(actions: Data<Actions>) -> Result<HttpResponse, Problem> {
    let store = actions.store.clone();
    let is_ready = web::block(move || {
        store.ask(|questions| Ok(questions.is_up_to_date()? && questions.installation()?.is_some()))
    });
    if is_ready.await.map_err(|error| StoreError::Unavailable(error.to_string()))?? {
        Ok(HttpResponse::Ok().json(Health { status: "ready" }))
    } else {
        Err(Problem::Unavailable("the database is empty, or its schema is older than this program".to_owned()))
    }
}
