//! The Evidence page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::load;
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::query::Query;
use crate::web::app::respond::html;
use crate::web::pages::audit_trail;
use crate::web::pages::audit_trail::filters::TrailQuery;

/// Shows the page. Its export keeps the filters of the Audit Trail page.
pub async fn show(cx: PageContext, query: Query) -> Result<HttpResponse, PageError> {
    let trail_query = TrailQuery::parse(&cx, &query.0).await?;
    if trail_query.has_error() {
        return html(StatusCode::UNPROCESSABLE_ENTITY, &audit_trail::load::page(&cx, trail_query, None).await?);
    }
    html(StatusCode::OK, &load::page(&cx, trail_query.address()).await?)
}
