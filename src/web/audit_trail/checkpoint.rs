//! The company's latest checkpoint and the key that it is signed with, as files to be kept elsewhere.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::Data;

use super::files::{self, attachment};
use crate::domain::checkpoint;
use crate::domain::ids::TrailId;
use crate::web::error::PageError;
use crate::web::guards::SignedIn;
use crate::web::{Site, blocking};

/// The header in which a checkpoint comes with the key that checks it.
const PUBLIC_KEY: &str = "X-Keydesk-Public-Key";

/// The checkpoint, byte for byte as it is stored.
pub(in crate::web) async fn download(signed_in: SignedIn, site: Data<Site>) -> Result<HttpResponse, PageError> {
    let trail = TrailId::from(signed_in.company.id);
    let public_key = public_key_of(&site, trail);
    let head = blocking(move || site.actions.store.ask(|questions| questions.trail_head(trail))).await?;
    let file = format!("{}-{}.checkpoint", file_name(&signed_in.company.name), head.size);
    Ok(HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .insert_header(attachment(file))
        .insert_header((PUBLIC_KEY, public_key))
        .body(head.checkpoint))
}

/// The public key in one line, as verifiers of signed notes take it.
pub(in crate::web) async fn public_key(signed_in: SignedIn, site: Data<Site>) -> HttpResponse {
    let line = public_key_of(&site, TrailId::from(signed_in.company.id));
    HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .insert_header(attachment(format!("{}.vkey", file_name(&signed_in.company.name))))
        .body(format!("{line}\n"))
}

fn public_key_of(site: &Site, trail: TrailId) -> String {
    let name = checkpoint::origin(site.actions.installation, trail);
    site.actions.secrets.signer.public_key().to_vkey(&name)
}

/// A company without a letter that files may have is not named.
fn file_name(company: &str) -> String {
    Some(files::of_company(company)).filter(|name| !name.is_empty()).unwrap_or_else(|| "audit-trail".to_owned())
}
