//! What has just been done: the event that a redirect names, as the trail holds it.

use std::time::Duration;

use actix_web::web::Data;

use super::error::PageError;
use super::guards::SignedIn;
use super::{Site, blocking, see_other};
use crate::domain::action::Action;
use crate::domain::event::Event;
use crate::domain::ids::EventId;
use crate::domain::instant::Instant;
use crate::edge::body::Fields;
use crate::web::keys::address::with_query;

/// A banner is drawn for so long after what it speaks of.
const DRAWN_FOR: Duration = Duration::from_mins(10);

/// Leads to a page that says what was done, where anything was.
pub(super) fn lead_to(path: &str, event: Option<EventId>) -> actix_web::HttpResponse {
    match event {
        None => see_other(path),
        Some(event) => see_other(&with_query(path, &[("done", &event.to_string())])),
    }
}

/// The event that `done` names, where whoever asks did it within the last ten minutes.
pub(super) async fn load(
    site: &Data<Site>,
    signed_in: &SignedIn,
    query: &Fields,
) -> Result<Option<(Action, Event)>, PageError> {
    let Some(id) = query.given("done")?.and_then(EventId::parse) else { return Ok(None) };
    let (store, company_id) = (site.actions.store.clone(), signed_in.company.id);
    let event = blocking(move || store.ask(|questions| questions.event(company_id, id))).await?;
    let now = site.actions.clock.now();
    let recent = event.filter(|event| {
        event.actor_id.as_deref() == Some(signed_in.user_id.to_string().as_str())
            && now.since(Instant::from_micros(event.at)) < DRAWN_FOR
    });
    Ok(recent.and_then(|event| Some((Action::parse(&event.action)?, event))))
}
