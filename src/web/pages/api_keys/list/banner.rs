//! The banner after a change, from its event in the trail.

use super::view::KeyListBanner;
use crate::domain::ids::KeyId;
use crate::domain::key::lifecycle::KeyEnd;
use crate::domain::trail::action::Action;
use crate::domain::trail::event::Event;
use crate::domain::trail::event_detail::EventDetail;
use crate::http::body::Fields;
use crate::web::app::error::PageError;
use crate::web::app::flash;
use crate::web::app::page_context::PageContext;
use crate::web::components::people::actor_view;

/// Loads the banner for the parameter `done` or `already`, if the database confirms it.
pub async fn load(cx: &PageContext, query: &Fields) -> Result<Option<KeyListBanner>, PageError> {
    match flash::load(cx, query).await? {
        Some((Action::ApiKeyRevoked, event)) => return Ok(revocation_banner(&event)),
        Some((Action::ApiKeyCreated, event)) => {
            return Ok(event.subject_name().map(|name| KeyListBanner::Created { name }));
        }
        Some(_) => return Ok(None),
        None => {}
    }
    match query.get("already")?.and_then(KeyId::parse) {
        Some(id) => already_ended_banner(cx, id).await,
        None => Ok(None),
    }
}

fn revocation_banner(event: &Event) -> Option<KeyListBanner> {
    let detail = event.detail();
    if let EventDetail::ApiKeyRevoked { after, .. } = &detail
        && let Some(count) = after.keys_together
    {
        return Some(KeyListBanner::RevokedSeveral { count });
    }
    detail.name().map(|name| KeyListBanner::Revoked { name })
}

async fn already_ended_banner(cx: &PageContext, id: KeyId) -> Result<Option<KeyListBanner>, PageError> {
    let company_id = cx.company_id();
    let found = cx
        .read(move |db| {
            let Some(key) = db.keys().by_id(company_id, id)? else { return Ok(None) };
            let names = db.users().names(company_id, key.users())?;
            Ok(Some((key, names)))
        })
        .await?;
    let now = cx.now();
    Ok(found.and_then(|(key, names)| match key.end(now)? {
        KeyEnd::Revoked(revocation) => {
            let (by, on) = (actor_view(revocation.by, &names), cx.zone.date(revocation.at));
            Some(KeyListBanner::AlreadyRevoked { name: key.name, by, on })
        }
        KeyEnd::Expired(at) => Some(KeyListBanner::AlreadyExpired { name: key.name, on: cx.zone.date(at) }),
    }))
}
