//! The start page, which is none: it leads to set-up, to sign-in or to the keys.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::error::PageError;
use super::guards::Visitor;
use super::{Site, blocking, paths, see_other};

pub(super) async fn show(visitor: Visitor, site: Data<Site>) -> Result<HttpResponse, PageError> {
    if visitor.is_signed_in {
        return Ok(see_other(paths::API_KEYS));
    }
    let store = site.actions.store.clone();
    let is_set_up = blocking(move || store.ask(|questions| questions.any_user_exists())).await?;
    Ok(see_other(if is_set_up { paths::SIGN_IN } else { paths::SETUP }))
}
