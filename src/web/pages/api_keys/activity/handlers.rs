//! The page of key activity.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::load::{self, ActivityRequest};
use super::view::{KeyActivityPage, Placement};
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::query::Query;
use crate::web::app::respond::html;
use crate::web::components::layout::PageLayout;

pub async fn show(cx: PageContext, query: Query) -> Result<HttpResponse, PageError> {
    let request = ActivityRequest::parse(&query.0, "cursor")?;
    let trail = load::load(&cx, request, Placement::Page).await?;
    html(StatusCode::OK, &KeyActivityPage { layout: PageLayout::new(&cx.app, &cx.user), trail })
}
