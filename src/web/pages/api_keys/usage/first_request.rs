//! Says whether a new key was used, for the page that shows it.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::Path;

use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::pages::api_keys::show;

/// Sends a sentence about the first request with a key as plain text, or 204 if there was none yet.
pub async fn show(cx: PageContext, id: Path<String>) -> Result<HttpResponse, PageError> {
    let (company_id, key_id) = (cx.company_id(), show::load::key(&cx, &id).await?.id);
    let usage = cx.query(move |db| db.usage().of_keys(company_id, [key_id])).await?.remove(&key_id);
    let Some(request) = usage.and_then(|usage| usage.last_used) else {
        return Ok(HttpResponse::NoContent().finish());
    };
    let address = request.address.as_deref().unwrap_or("an unknown IP address");
    let sentence = format!("First request received from {address}.");
    Ok(HttpResponse::Ok().content_type(ContentType::plaintext()).body(sentence))
}
