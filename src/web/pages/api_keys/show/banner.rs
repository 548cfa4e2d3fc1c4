//! The banner after a change of the key, from the events of that change in the trail.

use super::view::{KeyBanner, KeyChange};
use crate::domain::ids::CompanyId;
use crate::domain::key::lifecycle::RevocationReason;
use crate::domain::trail::event::Event;
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::filter::TrailFilter;
use crate::http::body::Fields;
use crate::store::{Db, KeyRecord, StoreError, TrailPageRequest, UserNames};
use crate::web::app::error::PageError;
use crate::web::app::flash;
use crate::web::app::page_context::PageContext;
use crate::web::components::people::ActorView;

/// The newest events of a key that are searched for those of one edit.
const SEARCHED_EVENTS: i64 = 20;

/// Loads the banner for the event in the parameter `done`, if the event is about this key.
pub async fn load(cx: &PageContext, key: &KeyRecord, query: &Fields) -> Result<Option<KeyBanner>, PageError> {
    let Some((_, event)) = flash::load(cx, query).await? else { return Ok(None) };
    if event.key_id.as_deref() != Some(key.id.to_string().as_str()) {
        return Ok(None);
    }
    Ok(match event.detail() {
        EventDetail::ApiKeyCreated { after } => after.replaces.map(|_| KeyBanner::Rotated),
        EventDetail::ApiKeyRevoked { .. } | EventDetail::ApiKeySuperseded { .. } => {
            let is_superseded = event.reason.as_deref() == Some(RevocationReason::Superseded.as_str());
            is_superseded.then_some(KeyBanner::OldKeyEnded)
        }
        EventDetail::ApiKeyOverlapExtended { after, .. } => {
            Some(KeyBanner::OldKeyExtended { until: cx.zone.date_time(after.ends_at) })
        }
        _ => edit_banner(cx, key, event).await?,
    })
}

/// The banner of an edit, with all of its changes. `None` if the event is of another kind.
async fn edit_banner(cx: &PageContext, key: &KeyRecord, first: Event) -> Result<Option<KeyBanner>, PageError> {
    let (company_id, id) = (cx.company_id(), key.id);
    let filter = TrailFilter { key: Some(id), ..TrailFilter::default() };
    let (events, names) = cx.read(move |db| Ok(events_of_edit(db, company_id, &filter, first)?)).await?;
    let changes: Vec<KeyChange> = events.iter().filter_map(|event| change(cx, &names, event)).collect();
    Ok((!changes.is_empty()).then_some(KeyBanner::Edited(changes)))
}

/// The events of the request that appended `first`, in their order, and the names of their users.
fn events_of_edit(
    db: &mut Db<'_>,
    company_id: CompanyId,
    filter: &TrailFilter,
    first: Event,
) -> Result<(Vec<Event>, UserNames), StoreError> {
    let newest = db.trails().filtered(company_id, filter, TrailPageRequest::Newest, SEARCHED_EVENTS)?;
    let later = newest.into_iter().map(|item| item.event).rev();
    let is_same_edit = |event: &Event| event.sequence > first.sequence && event.request_id == first.request_id;
    let others: Vec<Event> = later.filter(is_same_edit).collect();
    let events: Vec<Event> = [vec![first], others].concat();
    let names = db.users().names(company_id, events.iter().flat_map(|event| event.detail().users()))?;
    Ok((events, names))
}

fn change(cx: &PageContext, names: &UserNames, event: &Event) -> Option<KeyChange> {
    Some(match event.detail() {
        EventDetail::ApiKeyRenamed { before, after } => KeyChange::Renamed { old: before.name, new: after.name },
        EventDetail::ApiKeyHandedOver { after, .. } => {
            KeyChange::HandedOver { name: after.name, to: ActorView::user(names.get(&after.owner).cloned()) }
        }
        EventDetail::ApiKeyDetailsChanged { after, .. } => KeyChange::Details { name: after.name },
        EventDetail::ApiKeyExpiryChanged { after, .. } => {
            KeyChange::Expiry { name: after.name, at: after.expires_at.map(|at| cx.zone.date_time(at)) }
        }
        _ => return None,
    })
}
