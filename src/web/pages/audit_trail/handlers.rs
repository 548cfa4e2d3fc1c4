//! The Audit Trail page, with or without the drawer of one event.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;

use super::event_drawer::EventDrawer;
use super::filters::TrailQuery;
use super::load;
use super::view::TrailPage;
use crate::domain::ids::EventId;
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::query::Query;
use crate::web::app::respond::html;

pub async fn show(cx: PageContext, query: Query) -> Result<HttpResponse, PageError> {
    let trail_query = TrailQuery::parse(&cx, &query.0).await?;
    load::report_refused_sign_ins(&cx).await;
    respond(&load::page(&cx, trail_query, query.0.get("cursor")?).await?)
}

pub async fn show_event(cx: PageContext, id: Path<String>, query: Query) -> Result<HttpResponse, PageError> {
    let id = EventId::parse(&id).ok_or(PageError::PageNotFound)?;
    let event = EventDrawer::load(&cx, id).await?;
    let trail_query = TrailQuery::parse(&cx, &query.0).await?;
    if trail_query.has_error() {
        return respond(&load::page(&cx, trail_query, None).await?);
    }
    let filter = trail_query.filter.clone();
    let page = load::page(&cx, trail_query, query.0.get("cursor")?).await?;
    let neighbours = load::neighbours(&cx, &page, filter, event.sequence).await?;
    respond(&TrailPage { dialog: Some(event.into_dialog(page.current_href(), neighbours)), ..page })
}

fn respond(page: &TrailPage) -> Result<HttpResponse, PageError> {
    html(if page.filters.has_error() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, page)
}
