//! `GET /healthz` and `GET /readyz`: liveness and readiness probes.

use actix_web::HttpResponse;
use actix_web::web::{self, Data};
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::{Document, Problem};
use crate::actions::Actions;
use crate::clock::Clock;
use crate::store::StoreError;

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

/// Report whether the database can be read and its schema is up to date.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "ready",
    tag = "Server",
    responses(
        (status = 200, description = "The server is ready", body = Health),
        (status = 400, description = "The request is not valid HTTP; no body"),
        (status = 503, description = "The database cannot be reached, its schema is not up to date, or it was put back to an older state", body = Document,
            content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds")))
    )
)]
pub(super) async fn readiness(actions: Data<Actions>) -> Result<HttpResponse, Problem> {
    if actions.memory.is_unconfirmed() {
        return Err(Problem::Unavailable("the audit trails are yet to be compared".to_owned()));
    }
    if let Some(lacking) = actions.memory.summary() {
        return Err(StoreError::WentBack(lacking).into());
    }
    let store = actions.store.clone();
    let is_ready = web::block(move || store.query(|db| Ok(db.is_up_to_date()? && db.installation().get()?.is_some())));
    if is_ready.await.map_err(StoreError::unavailable)?? {
        Ok(HttpResponse::Ok().json(Health { status: "ready", warning: clock_warning(&actions.clock) }))
    } else {
        Err(Problem::Unavailable("the database is empty, or its schema is older than this program".to_owned()))
    }
}

fn clock_warning(clock: &Clock) -> Option<String> {
    let seconds = clock.excessive_offset_seconds()?;
    let direction = if seconds > 0.0 { "ahead of" } else { "behind" };
    let seconds = seconds.abs();
    Some(format!(
        "The system's clock is {seconds:.0} s {direction} the database's, which is used instead. Synchronise it."
    ))
}
