//! The banner after a change of the key, from its event in the trail.

use super::view::KeyBanner;
use crate::domain::ids::UserId;
use crate::domain::key::lifecycle::RevocationReason;
use crate::domain::trail::event_detail::EventDetail;
use crate::http::body::Fields;
use crate::store::KeyRecord;
use crate::web::app::error::PageError;
use crate::web::app::flash;
use crate::web::app::page_context::PageContext;
use crate::web::components::people::ActorView;

/// Loads the banner for the event in the parameter `done`, if the event is about this key.
pub async fn load(cx: &PageContext, key: &KeyRecord, query: &Fields) -> Result<Option<KeyBanner>, PageError> {
    let Some((_, event)) = flash::load(cx, query).await? else { return Ok(None) };
    if event.key_id.as_deref() != Some(key.id.to_string().as_str()) {
        return Ok(None);
    }
    Ok(match event.detail() {
        EventDetail::ApiKeyRenamed { before, after } => Some(KeyBanner::Renamed { old: before.name, new: after.name }),
        EventDetail::ApiKeyHandedOver { after, .. } => {
            let to = user(cx, after.owner).await?;
            Some(KeyBanner::HandedOver { name: after.name, to })
        }
        EventDetail::ApiKeyRevoked { .. } | EventDetail::ApiKeySuperseded { .. } => {
            let is_superseded = event.reason.as_deref() == Some(RevocationReason::Superseded.as_str());
            is_superseded.then_some(KeyBanner::OldKeyEnded)
        }
        EventDetail::ApiKeyExpiryChanged { after, .. } => {
            Some(KeyBanner::OldKeyExtended { until: cx.zone.date_time(after.ends_at) })
        }
        _ => None,
    })
}

async fn user(cx: &PageContext, id: UserId) -> Result<ActorView, PageError> {
    let company_id = cx.company_id();
    let names = cx.query(move |db| db.users().names(company_id, [id])).await?;
    Ok(ActorView::user(names.get(&id).cloned()))
}
