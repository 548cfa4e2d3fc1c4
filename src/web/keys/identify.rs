//! Which key is this: the form that a whole key is pasted into, drawn again when it is no key of the company.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

use super::key_page::KeyPage;
use super::list::Overlay;
use super::listing;
use crate::edge::body::FormBody;
use crate::web::error::PageError;
use crate::web::guards::SignedIn;
use crate::web::keys::address::LIST;
use crate::web::time::Zone;
use crate::web::{Site, blocking, html, see_other};

/// The dialog over the list. What was pasted is never drawn.
#[derive(Clone, Debug, Default)]
pub struct Identify {
    pub error: Option<String>,
}

impl Identify {
    /// Where the form is sent.
    #[must_use]
    pub fn path() -> String {
        format!("{LIST}/identify")
    }
}

/// For both roles: an incident asks which key it was, revoked ones among them.
pub(in crate::web) async fn submit(
    signed_in: SignedIn,
    body: FormBody,
    zone: Zone,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let fields = body.fields().await?;
    let (actions, company_id) = (site.actions.clone(), signed_in.company.id);
    let found = match site.actions.key_format.parse(fields.one("key")?.trim()) {
        Err(_) => None,
        Ok(key) => {
            let digest = key.digest(&site.actions.secrets.pepper);
            let found = blocking(move || actions.store.ask(|questions| questions.key_by_digest(&digest))).await?;
            found.filter(|key| key.company.id == company_id)
        }
    };
    if let Some(key) = found {
        return Ok(see_other(&KeyPage::path(&key.id.to_string())));
    }
    let identify = Identify { error: Some("No key of this company matches.".to_owned()) };
    let page = listing::load_beneath(&site, &signed_in, &zone, Overlay::Identify(identify)).await?;
    html(StatusCode::UNPROCESSABLE_ENTITY, &page)
}
