//! The audit trail of API keys: loads what the drawer and its page draw.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

use super::audit_trail::{Act, AuditTrail, AuditTrailPage, Day, Event, Narrowed, Place};
use super::cursor;
use crate::domain::actor::Actor;
use crate::domain::api_key::RevocationReason;
use crate::domain::ids::{KeyId, UserId};
use crate::domain::instant::Instant;
use crate::edge::body::Fields;
use crate::store::{AuditPage, ListedEvent, Names, StoreError};
use crate::web::error::PageError;
use crate::web::guards::SignedIn;
use crate::web::page::{Who, who};
use crate::web::request::Query;
use crate::web::time::Zone;
use crate::web::{Site, blocking, html};

const EVENTS_AT_A_TIME: usize = 50;

/// Which part of the trail is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    key: Option<KeyId>,
    before: Option<i64>,
}

impl Request {
    /// The history of one key, as its own page shows it.
    pub(super) fn of_key(key: KeyId, query: &Fields) -> Result<Self, PageError> {
        let request = Self::read(query, "cursor")?;
        Ok(Self { key: Some(key), ..request })
    }

    pub(super) fn read(query: &Fields, cursor: &str) -> Result<Self, PageError> {
        let key = query.given("key")?.map(|id| KeyId::parse(id).ok_or(PageError::NoKey)).transpose()?;
        let before = query.given(cursor)?.map(|cursor| cursor::read_sequence(cursor).ok_or(PageError::NoPage));
        Ok(Self { key, before: before.transpose()? })
    }
}

pub(in crate::web) async fn show(
    signed_in: SignedIn,
    query: Query,
    zone: Zone,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let request = Request::read(&query.0, "cursor")?;
    let trail = load(&site, &signed_in, &zone, request, Place::Page).await?;
    html(StatusCode::OK, &AuditTrailPage { shell: site.shell(&signed_in), trail })
}

pub(super) async fn load(
    site: &Data<Site>,
    signed_in: &SignedIn,
    zone: &Zone,
    request: Request,
    place: Place,
) -> Result<AuditTrail, PageError> {
    let company_id = signed_in.company.id;
    let limit = i64::try_from(EVENTS_AT_A_TIME + 1).unwrap_or(i64::MAX);
    let asked = AuditPage { company_id, key: request.key, before: request.before, limit };
    let store = site.actions.store.clone();
    let (narrowed, mut events, names) = blocking(move || {
        store.read(|questions| {
            let narrowed = match request.key {
                Some(id) => Some(questions.key_of(company_id, id)?.ok_or(PageError::NoKey)?),
                None => None,
            };
            let events = questions.events_about_keys(&asked)?;
            let people = events.iter().flat_map(|listed| actor(listed).user().into_iter().chain(new_owner(listed)));
            let names = questions.names_of(company_id, people)?;
            Ok::<_, PageError>((narrowed, events, names))
        })
    })
    .await?;
    let has_older = events.len() > EVENTS_AT_A_TIME;
    events.truncate(EVENTS_AT_A_TIME);
    let older = events.last().filter(|_| has_older).map(|last| cursor::older_than(last.event.sequence));
    let now = site.actions.clock.now();
    Ok(AuditTrail {
        place,
        zone: zone.label(now),
        narrowed: narrowed.map(|key| Narrowed { key_id: key.id.to_string(), name: key.name }),
        days: days(&events, &names, zone, now)?,
        continued: request.before.is_some(),
        older,
    })
}

fn actor(listed: &ListedEvent) -> Actor {
    Actor::parse(&listed.event.actor_type, listed.event.actor_id.as_deref()).unwrap_or(Actor::System)
}

/// Whom a key was handed over to.
fn new_owner(listed: &ListedEvent) -> Option<UserId> {
    UserId::parse(listed.event.detail("owner")?.as_str()?)
}

fn days(events: &[ListedEvent], names: &Names, zone: &Zone, now: Instant) -> Result<Vec<Day>, StoreError> {
    let at = |listed: &ListedEvent| Instant::from_micros(listed.event.at);
    let same_day = |a: &ListedEvent, b: &ListedEvent| zone.day(at(a)) == zone.day(at(b));
    let day = |events: &[ListedEvent]| {
        let heading = events.first().map(|first| zone.day_heading(at(first), now)).unwrap_or_default();
        let events = events.iter().map(|listed| shown(listed, names, zone)).collect::<Result<_, _>>()?;
        Ok(Day { heading, events })
    };
    events.chunk_by(same_day).map(day).collect()
}

fn shown(listed: &ListedEvent, names: &Names, zone: &Zone) -> Result<Event, StoreError> {
    let event = &listed.event;
    let unreadable = || StoreError::Unexpected(format!("event {} cannot be shown", event.sequence));
    let reason = event.reason.as_deref().and_then(RevocationReason::parse);
    Ok(Event {
        id: event.id.clone(),
        act: Act::of(&event.action).ok_or_else(unreadable)?,
        key_id: event.key_id.clone(),
        preview: listed.key_preview.clone(),
        name: event.subject_name().unwrap_or_default(),
        who: who(actor(listed), names),
        old_name: event.detail_before("name").and_then(|name| name.as_str().map(str::to_owned)),
        new_owner: new_owner(listed).map(|id| Who::user(names.get(&id).cloned())),
        until: event.detail("ends_at").and_then(|at| at.as_i64()).map(|at| zone.date_time(Instant::from_micros(at))),
        at: zone.clock(Instant::from_micros(event.at)),
        address: event.client_address.clone(),
        reason: reason.filter(|reason| *reason != RevocationReason::Unspecified).map(RevocationReason::label),
        comment: event.comment.clone(),
    })
}
