//! The trail taken away as a file: recorded first, then read a few hundred events at a time, as fast as they are taken.

use actix_web::http::Method;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use futures_util::stream;

use super::asked::Asked;
use super::exported::{Encoder, Export, ExportedEvent, Writer};
use super::files;
use super::listing;
use super::told::actor_and_target;
use crate::actions::Actions;
use crate::edge::caller::Caller;
use crate::store::{StoreError, TrailPaging};
use crate::web::error::PageError;
use crate::web::guards::SignedIn;
use crate::web::page::{Field, counted};
use crate::web::request::Query;
use crate::web::time::Zone;
use crate::web::{Site, blocking};

/// So many events are read in one go: events never change, so each read is short and none has to see what another saw.
const EVENTS_AT_A_TIME: u32 = 500;

/// What a request for a file brings, whatever its format.
type Request = (HttpRequest, SignedIn, Query, Zone, Caller, Data<Site>);

pub(in crate::web) async fn csv(request: Request) -> Result<HttpResponse, PageError> {
    let asked = ask(&request).await?;
    answer(Encoder::Csv, asked, request).await
}

pub(in crate::web) async fn json_lines(request: Request) -> Result<HttpResponse, PageError> {
    let mut asked = ask(&request).await?;
    let (_, signed_in, query, zone, _, site) = &request;
    match since(site, signed_in, query.0.one("since")?).await? {
        Ok(since) => answer(Encoder::JsonLines { since }, asked, request).await,
        Err(refused) => {
            asked.since = refused;
            listing::refuse(site, signed_in, zone, asked).await
        }
    }
}

async fn ask((_, signed_in, query, zone, _, site): &Request) -> Result<Asked, PageError> {
    Asked::read(site, signed_in, zone, &query.0).await
}

/// The size of the checkpoint that an export is to be connected with: the trail must have that many events.
async fn since(site: &Data<Site>, signed_in: &SignedIn, typed: &str) -> Result<Result<Option<u64>, Field>, PageError> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(Ok(None));
    }
    let (store, trail) = (site.actions.store.clone(), signed_in.company.id.into());
    let head = blocking(move || store.ask(|questions| questions.trail_head(trail))).await?;
    let events = head.size.unsigned_abs();
    let asked_about = typed.parse().ok().filter(|asked_about| *asked_about <= events);
    Ok(asked_about.map(Some).ok_or_else(|| Field::refused(typed, no_such_checkpoint(events))))
}

/// What is wrong with a size, and what it may mean.
pub(super) fn no_such_checkpoint(events: u64) -> String {
    let counted = counted(events, "event", "events");
    format!(
        "Enter the number in the second line of the checkpoint. The audit trail has {counted}: if a genuine checkpoint of this company says more, events were removed from the trail."
    )
}

async fn answer(
    encoder: Encoder,
    asked: Asked,
    (request, signed_in, _, zone, caller, site): Request,
) -> Result<HttpResponse, PageError> {
    if asked.is_refused() {
        return listing::refuse(&site, &signed_in, &zone, asked).await;
    }
    if *request.method() == Method::HEAD {
        // How long the file is would be known only by writing it.
        return Ok(headers(encoder, file_name(encoder, &signed_in, &zone, &site, None))
            .streaming(stream::empty::<Result<Bytes, PageError>>()));
    }
    send(encoder, &site, &signed_in, &caller, asked, &zone).await
}

/// Records the export and begins it. The name of its file says how many events it has, so that one which broke off can be
/// told from a whole one after it was saved.
async fn send(
    encoder: Encoder,
    site: &Data<Site>,
    signed_in: &SignedIn,
    caller: &Caller,
    asked: Asked,
    zone: &Zone,
) -> Result<HttpResponse, PageError> {
    let (actions, company) = (site.actions.clone(), signed_in.company.clone());
    let (origin, filter) = (caller.as_origin(signed_in.actor()), asked.filter);
    let export = blocking(move || {
        let head = actions.export_trail(company.id, &filter, encoder.format(), &origin)?;
        let count = actions.store.ask(|questions| questions.count_filtered_events(company.id, &filter, head.size))?;
        let count = u64::try_from(count).unwrap_or(0);
        Ok::<_, StoreError>(Export { company, filter, head, count })
    })
    .await?;
    let mut answer = headers(encoder, file_name(encoder, signed_in, zone, site, Some(export.count)));
    answer.insert_header(("X-Keydesk-Events", export.count.to_string()));
    let reading = Reading { actions: site.actions.clone(), writer: encoder.writer(), export, next: Next::Begin };
    Ok(answer.streaming(stream::try_unfold(reading, Reading::go_on)))
}

fn headers(encoder: Encoder, file_name: String) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_TYPE, encoder.content_type()));
    answer.insert_header(files::attachment(file_name));
    answer
}

fn file_name(encoder: Encoder, signed_in: &SignedIn, zone: &Zone, site: &Site, count: Option<u64>) -> String {
    let company = files::of_company(&signed_in.company.name);
    let today = zone.day(site.actions.clock.now());
    let count = match count {
        None => String::new(),
        Some(1) => "-1-event".to_owned(),
        Some(count) => format!("-{count}-events"),
    };
    let name = if company.is_empty() { String::new() } else { format!("-{company}") };
    format!("audit-trail{name}-{today}{count}.{}", encoder.extension())
}

/// An export under way.
struct Reading {
    actions: Actions,
    writer: Writer,
    export: Export,
    next: Next,
}

enum Next {
    Begin,
    EventsBefore(i64),
    Nothing,
}

impl Reading {
    /// The next piece. A failure ends the answer without its end, which every client sees.
    async fn go_on(self) -> Result<Option<(Bytes, Self)>, PageError> {
        let company = self.export.company.id;
        let piece = blocking(move || self.piece()).await;
        piece.inspect_err(|cause| tracing::error!(%company, %cause, "an export of the trail broke off"))
    }

    fn piece(mut self) -> Result<Option<(Bytes, Self)>, StoreError> {
        let text = match self.next {
            Next::Begin => {
                self.next = Next::EventsBefore(self.export.head.size.saturating_add(1));
                self.writer.begin(&self.actions, &self.export)?
            }
            Next::EventsBefore(place) => self.events_before(place)?,
            Next::Nothing => return Ok(None),
        };
        Ok(Some((text.into(), self)))
    }

    /// Some events, and after the last of them the end.
    fn events_before(&mut self, place: i64) -> Result<String, StoreError> {
        self.writer.prepare(&self.actions, &self.export)?;
        let (Export { company, filter, .. }, writer) = (&self.export, &mut self.writer);
        let mut text = String::new();
        let (read, last) = self.actions.store.read(|questions| {
            let paging = TrailPaging::Before(place);
            let events = questions.filtered_events(company.id, filter, paging, EVENTS_AT_A_TIME.into())?;
            let names =
                questions.names_of(company.id, events.iter().flat_map(|listed| actor_and_target(&listed.event)))?;
            let (read, last) = (events.len(), events.last().map_or(0, |listed| listed.event.sequence));
            for listed in events {
                writer.event(questions, &ExportedEvent::new(listed, &names, company), &mut text)?;
            }
            Ok::<_, StoreError>((read, last))
        })?;
        if read == EVENTS_AT_A_TIME as usize {
            self.next = Next::EventsBefore(last);
        } else {
            text.push_str(&self.writer.end(&self.actions, &self.export));
            self.next = Next::Nothing;
        }
        Ok(text)
    }
}
