//! Flash messages: a redirect carries the id of the event it follows, and the page reads that event from the trail.

use std::time::Duration;

use actix_web::HttpResponse;

use super::error::PageError;
use super::page_context::PageContext;
use super::respond::see_other;
use crate::domain::ids::EventId;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::action::Action;
use crate::domain::trail::event::Event;
use crate::http::body::Fields;
use crate::web::url::with_query;

/// A reload after this time shows no message.
const MESSAGE_LIFETIME: Duration = Duration::from_mins(10);

/// Redirects to a page, which reports the event if there is one.
#[must_use]
pub fn redirect_with_event(path: &str, event: Option<EventId>) -> HttpResponse {
    match event {
        None => see_other(path),
        Some(event) => see_other(&with_query(path, &[("done", &event.to_string())])),
    }
}

/// Reads the event that the parameter `done` names. `None` unless this user caused it in the last ten minutes.
pub async fn load(cx: &PageContext, query: &Fields) -> Result<Option<(Action, Event)>, PageError> {
    let Some(id) = query.get("done")?.and_then(EventId::parse) else { return Ok(None) };
    let (company_id, now) = (cx.company_id(), cx.now());
    let event = cx.query(move |db| db.trails().event(company_id, id)).await?;
    let user_id = cx.user.user_id.to_string();
    let recent = event.filter(|event| {
        event.actor_id.as_deref() == Some(user_id.as_str())
            && now.since(Timestamp::from_micros(event.at)) < MESSAGE_LIFETIME
    });
    Ok(recent.and_then(|event| Some((Action::parse(&event.action)?, event))))
}
