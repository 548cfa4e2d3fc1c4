//! The Users page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::view::{UsersBanner, UsersPage};
use super::{cursor, load};
use crate::domain::ids::UserId;
use crate::domain::trail::action::Action;
use crate::domain::trail::event::Event;
use crate::domain::trail::event_detail::EventDetail;
use crate::http::body::Fields;
use crate::store::UserPageRequest;
use crate::web::app::error::PageError;
use crate::web::app::flash;
use crate::web::app::page_context::PageContext;
use crate::web::app::query::Query;
use crate::web::app::respond::html;
use crate::web::components::people::ActorView;

pub async fn show(cx: PageContext, query: Query) -> Result<HttpResponse, PageError> {
    let paging = match query.0.get("cursor")? {
        None => UserPageRequest::First,
        Some(cursor) => cursor::decode(cursor).ok_or(PageError::PageNotFound)?,
    };
    let banner = banner(&cx, &query.0).await?;
    html(StatusCode::OK, &UsersPage { banner, ..load::page(&cx, paging).await? })
}

async fn banner(cx: &PageContext, query: &Fields) -> Result<Option<UsersBanner>, PageError> {
    match flash::load(cx, query).await? {
        Some((Action::UserRoleChanged, event)) => {
            let (company_id, id) = (cx.company_id(), UserId::parse(&event.target_id));
            let Some(id) = id else { return Ok(None) };
            let user = cx.query(move |db| db.users().by_id(company_id, id)).await?;
            Ok(user.map(|user| UsersBanner::RoleChanged { name: user.name, role: user.role }))
        }
        Some((Action::UserDeleted, event)) => deletion_banner(cx, &event).await.map(Some),
        _ => Ok(None),
    }
}

async fn deletion_banner(cx: &PageContext, event: &Event) -> Result<UsersBanner, PageError> {
    let (keys_handed_over, new_owner, keys_revoked) = match event.detail() {
        EventDetail::UserDeletedKeysHandedOver { after, .. } => (after.keys_handed_over, Some(after.new_owner), 0),
        EventDetail::UserDeletedKeysRevoked { after, .. } => (0, None, after.keys_revoked),
        _ => (0, None, 0),
    };
    let company_id = cx.company_id();
    let names = cx.query(move |db| db.users().names(company_id, new_owner)).await?;
    Ok(UsersBanner::Deleted {
        keys_handed_over,
        keys_revoked,
        new_owner: new_owner.map(|id| ActorView::user(names.get(&id).cloned())),
    })
}
