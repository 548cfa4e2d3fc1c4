//! Shows the page of a service account.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;

use super::{cursor, load};
use crate::domain::ids::ServiceAccountId;
use crate::store::AccountKeysRequest;
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::query::Query;
use crate::web::app::respond::html;

pub async fn show(cx: PageContext, id: Path<String>, query: Query) -> Result<HttpResponse, PageError> {
    let id = ServiceAccountId::parse(&id).ok_or(PageError::PageNotFound)?;
    let request = match query.0.get("cursor")? {
        None => AccountKeysRequest::Newest,
        Some(cursor) => cursor::decode(cursor).ok_or(PageError::PageNotFound)?,
    };
    html(StatusCode::OK, &load::page(&cx, id, request).await?)
}
