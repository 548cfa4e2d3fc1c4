//! The audit trail of API keys: loads what the drawer and its page draw.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

use super::answer::KeyAnswer;
use super::audit_trail::{AuditTrail, AuditTrailPage, Day, Narrowed, Place};
use super::cursor;
use super::known_use::KnownUse;
use crate::domain::ids::KeyId;
use crate::domain::instant::Instant;
use crate::edge::body::Fields;
use crate::store::{AuditPage, ListedEvent, Names};
use crate::web::audit_trail::told::{ToldEvent, people};
use crate::web::error::PageError;
use crate::web::guards::SignedIn;
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
    let (store, now, own_zone) = (site.actions.store.clone(), site.actions.clock.now(), zone.clone());
    let (mut narrowed, mut events, names) = blocking(move || {
        store.read(|questions| {
            let narrowed = match request.key {
                Some(id) => {
                    let key = questions.key_of(company_id, id)?.ok_or(PageError::NoKey)?;
                    let answer = KeyAnswer::load(questions, company_id, &key, &own_zone, now)?;
                    Some(Narrowed { key_id: key.id.to_string(), name: key.name, answer })
                }
                None => None,
            };
            let events = questions.events_about_keys(&asked)?;
            let names = questions.names_of(company_id, events.iter().flat_map(|listed| people(&listed.event)))?;
            Ok::<_, PageError>((narrowed, events, names))
        })
    })
    .await?;
    let has_older = events.len() > EVENTS_AT_A_TIME;
    events.truncate(EVENTS_AT_A_TIME);
    let older = events.last().filter(|_| has_older).map(|last| cursor::older_than(last.event.sequence));
    if let (Some(narrowed), Some(id)) = (&mut narrowed, request.key)
        && narrowed.answer.end.is_some()
        && !matches!(place, Place::Key(_))
    {
        narrowed.answer.since_end = Some(KnownUse::load(site, company_id, id, zone, now).await?.since_end());
    }
    Ok(AuditTrail {
        place,
        zone: zone.label(now),
        narrowed,
        days: days(&events, &names, zone, now),
        continued: request.before.is_some(),
        older,
    })
}

fn days(events: &[ListedEvent], names: &Names, zone: &Zone, now: Instant) -> Vec<Day> {
    let at = |listed: &ListedEvent| Instant::from_micros(listed.event.at);
    let same_day = |a: &ListedEvent, b: &ListedEvent| zone.day(at(a)) == zone.day(at(b));
    let told = |listed: &ListedEvent| ToldEvent::of(listed, names, zone, zone.clock(at(listed)));
    let day = |events: &[ListedEvent]| {
        let heading = events.first().map(|first| zone.day_heading(at(first), now)).unwrap_or_default();
        Day { heading, events: events.iter().map(told).collect() }
    };
    events.chunk_by(same_day).map(day).collect()
}
