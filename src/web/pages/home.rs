//! The start page: redirects to set-up, to sign-in or to the key list.

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::web::app::error::PageError;
use crate::web::app::guards::Visitor;
use crate::web::app::respond::see_other;
use crate::web::app::state::AppState;
use crate::web::paths;

pub async fn show(visitor: Visitor, app: Data<AppState>) -> Result<HttpResponse, PageError> {
    if let Visitor::SignedIn = visitor {
        return Ok(see_other(paths::API_KEYS));
    }
    let is_set_up = app.query(|db| db.users().any_exists()).await?;
    Ok(see_other(if is_set_up { paths::SIGN_IN } else { paths::SETUP }))
}
