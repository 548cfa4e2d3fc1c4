//! The Practice page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::load;
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::respond::html;

pub async fn show(cx: PageContext) -> Result<HttpResponse, PageError> {
    html(StatusCode::OK, &load::page(&cx).await?)
}
