//! Is the server alive, and can it do its work.

use actix_web::HttpResponse;
use actix_web::web::{self, Data};
use serde_json::json;

use super::problem::Problem;
use crate::store::{Store, StoreError};

pub(super) async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "alive" }))
}

/// Ready: the database answers, and its schema is the one that this program brought it to at its start.
pub(super) async fn ready(store: Data<Store>) -> Result<HttpResponse, Problem> {
    let store = store.get_ref().clone();
    let installation = web::block(move || store.ask(|questions| questions.installation()))
        .await
        .map_err(|error| StoreError::Unavailable(error.to_string()))??;
    match installation {
        Some(_) => Ok(HttpResponse::Ok().json(json!({ "status": "ready" }))),
        None => Err(Problem::Unavailable("the database is empty".to_owned())),
    }
}
