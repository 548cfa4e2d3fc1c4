//! Downloads of the latest checkpoint and of the public key that verifies it.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;

use crate::domain::ids::TrailId;
use crate::domain::trail::checkpoint;
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::components::download;

/// The response header with the public key that verifies the checkpoint.
const PUBLIC_KEY_HEADER: &str = "X-Keydesk-Public-Key";

/// Sends the checkpoint byte for byte as stored.
pub async fn download(cx: PageContext) -> Result<HttpResponse, PageError> {
    let trail = TrailId::from(cx.company_id());
    let head = cx.query(move |db| db.trails().head(trail)).await?;
    let file = format!("{}-{}.checkpoint", file_stem(&cx.user.company.name), head.size);
    Ok(HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .insert_header(download::attachment(file))
        .insert_header((PUBLIC_KEY_HEADER, verifier_key(&cx)))
        .body(head.checkpoint))
}

/// Sends the public key on one line, in the format of signed notes.
pub async fn public_key(cx: PageContext) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .insert_header(download::attachment(format!("{}.vkey", file_stem(&cx.user.company.name))))
        .body(format!("{}\n", verifier_key(&cx)))
}

fn verifier_key(cx: &PageContext) -> String {
    let actions = &cx.app.actions;
    let name = checkpoint::origin(actions.installation, cx.company_id().into());
    actions.secrets.signer().public_key().to_vkey(&name)
}

/// A file name from the company's name, or a fixed one if the name has no ASCII letters and digits.
fn file_stem(company: &str) -> String {
    Some(download::company_slug(company)).filter(|name| !name.is_empty()).unwrap_or_else(|| "audit-trail".to_owned())
}
