//! The page of one key, and the form that changes its overlap.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use serde::Deserialize;

use super::view::{KeyBanner, KeyDetailPage};
use super::{banner, load};
use crate::actions::OverlapError;
use crate::http::body::{Fields, FormBody};
use crate::web::app::error::PageError;
use crate::web::app::flash::redirect_with_event;
use crate::web::app::guards::Admin;
use crate::web::app::page_context::PageContext;
use crate::web::app::query::Query;
use crate::web::app::respond::html;
use crate::web::paths;

pub async fn show(cx: PageContext, id: Path<String>, query: Query) -> Result<HttpResponse, PageError> {
    let found = load::key_with_neighbours(&cx, &id).await?;
    let banner = banner::load(&cx, &found.key, &query.0).await?;
    html(StatusCode::OK, &KeyDetailPage { banner, ..load::page(&cx, &found, &query.0).await? })
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct OverlapForm {
    end: String,
}

/// Handles the buttons “End now” and “Extend by 7 days”.
pub async fn change_overlap(Admin(cx): Admin, id: Path<String>, body: FormBody) -> Result<HttpResponse, PageError> {
    let key_id = load::key(&cx, &id).await?.id;
    let form: OverlapForm = body.form().await?;
    let ends_now = match form.end.as_str() {
        "now" => true,
        "7d" => false,
        _ => return refuse_unknown_end(&cx, &id).await,
    };
    let changed = cx.perform(move |actions, context| {
        if ends_now { actions.end_overlap(context, key_id) } else { actions.extend_overlap(context, key_id) }
    });
    match changed.await? {
        Ok(event) => Ok(redirect_with_event(&paths::api_key(&key_id.to_string()), Some(event))),
        Err(OverlapError::Unknown) => Err(PageError::KeyNotFound),
        Err(refusal) => Err(PageError::KeyStateConflict(key_id, refusal.to_string())),
    }
}

async fn refuse_unknown_end(cx: &PageContext, id: &str) -> Result<HttpResponse, PageError> {
    let found = load::key_with_neighbours(cx, id).await?;
    let banner = Some(KeyBanner::UnknownEnd);
    let page = KeyDetailPage { banner, ..load::page(cx, &found, &Fields::default()).await? };
    html(StatusCode::UNPROCESSABLE_ENTITY, &page)
}
