//! The list of API keys, with or without the drawer of key activity.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

use super::view::KeyListPage;
use super::{banner, cursor, load};
use crate::domain::ids::{KeyId, ServiceAccountId};
use crate::domain::key::api_key::KeyFormat;
use crate::http::body::Fields;
use crate::store::PageRequest;
use crate::web::app::error::PageError;
use crate::web::app::inline_reader::InlineReader;
use crate::web::app::page_context::PageContext;
use crate::web::app::query::Query;
use crate::web::app::respond::{html, see_other};
use crate::web::components::dialog::Dialog;
use crate::web::pages::api_keys::activity;
use crate::web::pages::api_keys::activity::view::Placement;
use crate::web::pages::api_keys::list_address::{KeyListAddress, Search, Sort, Tab};
use crate::web::pages::api_keys::list_filters::Filters;
use crate::web::paths;

pub async fn show(cx: PageContext, query: Query, reader: Data<InlineReader>) -> Result<HttpResponse, PageError> {
    let (address, paging) = parse_address(&query.0, &cx.app.actions.key_format)?;
    if let Some(page) = page_of_id(&cx, &address.search).await? {
        return Ok(see_other(&page));
    }
    let dialog = drawer(&cx, &query.0, &address).await?;
    let banner = banner::load(&cx, &query.0).await?;
    let page = load::page(&cx, Some(&reader), address, paging).await?;
    html(StatusCode::OK, &KeyListPage { banner, dialog, ..page })
}

/// The page of the key or service account whose id was searched for. Machines report ids, and people paste them into the
/// search.
async fn page_of_id(cx: &PageContext, search: &Search) -> Result<Option<String>, PageError> {
    let Search::Text(text) = search else { return Ok(None) };
    let (key, account) = (KeyId::parse(text), ServiceAccountId::parse(text));
    if key.is_none() && account.is_none() {
        return Ok(None);
    }
    let company_id = cx.company_id();
    cx.read(move |db| {
        if let Some(id) = key
            && db.keys().by_id(company_id, id)?.is_some()
        {
            return Ok(Some(paths::api_key(&id.to_string())));
        }
        match account {
            Some(id) if db.service_accounts().by_id(company_id, id)?.is_some() => {
                Ok(Some(paths::service_account(&id.to_string())))
            }
            _ => Ok(None),
        }
    })
    .await
}

async fn drawer(cx: &PageContext, query: &Fields, address: &KeyListAddress) -> Result<Option<Dialog>, PageError> {
    match query.get("audit")? {
        None => Ok(None),
        Some("open") => {
            let request = activity::load::ActivityRequest::parse(query, "audit_cursor")?;
            let activity = activity::load::load(cx, request, Placement::Drawer(address.clone())).await?;
            Ok(Some(activity.into_dialog()))
        }
        Some(_) => Err(PageError::PageNotFound),
    }
}

/// Parses the address of the list.
pub(super) fn parse_address(query: &Fields, format: &KeyFormat) -> Result<(KeyListAddress, PageRequest), PageError> {
    let tab = query.get("tab")?.map_or(Some(Tab::Active), Tab::parse).ok_or(PageError::PageNotFound)?;
    let sort = query.get("sort")?;
    let sort = sort.map_or(Some(tab.default_sort()), |sort| Sort::parse(tab, sort)).ok_or(PageError::PageNotFound)?;
    let search = match query.get_or_empty("q")?.trim() {
        "" => Search::None,
        text if format.is_contained_in(text) => Search::WholeKey,
        text => Search::Text(text.to_owned()),
    };
    let cursor = query.get("cursor")?;
    let paging = match cursor {
        None => PageRequest::First,
        Some(cursor) => cursor::decode(cursor, sort).ok_or(PageError::PageNotFound)?,
    };
    let filters = Filters::parse(query)?;
    Ok((KeyListAddress { tab, sort, search, filters, cursor: cursor.map(str::to_owned) }, paging))
}
