//! The Audit Trail page, with or without the dialog of one event.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;

use super::event_dialog::EventDialog;
use super::filters::TrailQuery;
use super::load;
use super::view::TrailPage;
use crate::actions::Actions;
use crate::domain::ids::EventId;
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::query::Query;
use crate::web::app::respond::html;

pub async fn show(cx: PageContext, query: Query) -> Result<HttpResponse, PageError> {
    let trail_query = TrailQuery::parse(&cx, &query.0).await?;
    report_refused_sign_ins(&cx).await;
    respond(&load::page(&cx, trail_query, query.0.get("cursor")?).await?)
}

/// Brings the trail up to date before it is shown or exported. If that fails, the trail is shown as it is.
pub async fn report_refused_sign_ins(cx: &PageContext) {
    if let Err(error) = cx.app.perform(Actions::report_refused_sign_ins).await {
        tracing::warn!(%error, "refused sign-ins not reported");
    }
}

pub async fn show_event(cx: PageContext, id: Path<String>, query: Query) -> Result<HttpResponse, PageError> {
    let id = EventId::parse(&id).ok_or(PageError::PageNotFound)?;
    let event = EventDialog::load(&cx, id).await?;
    let trail_query = TrailQuery::parse(&cx, &query.0).await?;
    let has_error = trail_query.has_error();
    let page = load::page(&cx, trail_query, query.0.get("cursor")?).await?;
    let dialog = (!has_error).then(|| event.into_dialog(page.current_href()));
    respond(&TrailPage { dialog, ..page })
}

/// Renders the page with the errors in its fields.
pub async fn refuse(cx: &PageContext, query: TrailQuery) -> Result<HttpResponse, PageError> {
    respond(&load::page(cx, query, None).await?)
}

fn respond(page: &TrailPage) -> Result<HttpResponse, PageError> {
    html(if page.has_error() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, page)
}
