//! Exports the trail as a file. The export is recorded first, then streamed in chunks at the speed of the client.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use futures_util::stream;

use super::encoder::{Encoder, Writer};
use super::row::{Export, ExportedEvent};
use crate::actions::{ActionFailure, Actions, RequestContext};
use crate::store::{StoreError, TrailPageRequest};
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::query::Query;
use crate::web::app::respond::html;
use crate::web::app::session::store::Sessions;
use crate::web::app::state::blocking;
use crate::web::app::text::pluralized;
use crate::web::components::download;
use crate::web::components::event::view::actor_and_target;
use crate::web::components::field::Field;
use crate::web::pages::audit_trail;
use crate::web::pages::audit_trail::address::TrailAddress;
use crate::web::pages::audit_trail::filters::TrailQuery;
use crate::web::pages::evidence::load;
use crate::web::pages::evidence::view::EvidencePage;

/// Events per read. Events never change, so short reads need no common snapshot.
const EVENTS_PER_CHUNK: u32 = 500;

pub async fn csv(request: HttpRequest, cx: PageContext, query: Query) -> Result<HttpResponse, PageError> {
    let trail_query = TrailQuery::parse(&cx, &query.0).await?;
    respond(&request, &cx, trail_query, Encoder::Csv).await
}

pub async fn json_lines(request: HttpRequest, cx: PageContext, query: Query) -> Result<HttpResponse, PageError> {
    let trail_query = TrailQuery::parse(&cx, &query.0).await?;
    if trail_query.has_error() {
        return refuse_dates(&cx, trail_query).await;
    }
    match parse_since(&cx, query.0.get_or_empty("since")?).await? {
        Ok(since) => respond(&request, &cx, trail_query, Encoder::JsonLines { since }).await,
        Err(since) => refuse_since(&cx, trail_query.address(), since).await,
    }
}

/// Shows the Audit Trail page with the errors of its dates.
async fn refuse_dates(cx: &PageContext, query: TrailQuery) -> Result<HttpResponse, PageError> {
    html(StatusCode::UNPROCESSABLE_ENTITY, &audit_trail::load::page(cx, query, None).await?)
}

/// Shows the Evidence page with the error of a checkpoint size.
async fn refuse_since(cx: &PageContext, address: TrailAddress, since: Field) -> Result<HttpResponse, PageError> {
    html(StatusCode::UNPROCESSABLE_ENTITY, &EvidencePage { since, ..load::page(cx, address).await? })
}

/// Parses the size of the checkpoint to prove consistency with. The trail must have at least that many events.
async fn parse_since(cx: &PageContext, typed: &str) -> Result<Result<Option<u64>, Field>, PageError> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(Ok(None));
    }
    let trail = cx.company_id().into();
    let head = cx.query(move |db| db.trails().head(trail)).await?;
    let events = head.size.unsigned_abs();
    let parse =
        |typed: &str| typed.parse().ok().filter(|size| *size <= events).ok_or_else(|| no_such_checkpoint(events));
    Ok(Field::parse(&cx.app.actions.key_format, typed, parse).map(Some))
}

/// The error for a checkpoint size that the trail does not have.
pub fn no_such_checkpoint(events: u64) -> String {
    let counted = pluralized(events, "event", "events");
    format!(
        "Enter the number on the second line of the checkpoint. The audit trail has {counted}. If a genuine checkpoint of this company has a higher number, events were removed from the trail."
    )
}

async fn respond(
    request: &HttpRequest,
    cx: &PageContext,
    query: TrailQuery,
    encoder: Encoder,
) -> Result<HttpResponse, PageError> {
    if query.has_error() {
        return refuse_dates(cx, query).await;
    }
    if *request.method() == Method::HEAD {
        // The length of the file is unknown until it is written.
        return Ok(
            headers(encoder, file_name(cx, encoder, None)).streaming(stream::empty::<Result<Bytes, PageError>>())
        );
    }
    send(cx, query, encoder).await
}

/// Records the export and starts the stream. The file name contains the number of events, so that an incomplete
/// download can be recognised later.
async fn send(cx: &PageContext, query: TrailQuery, encoder: Encoder) -> Result<HttpResponse, PageError> {
    audit_trail::load::report_refused_sign_ins(cx).await;
    let (company, filter) = (cx.user.company.clone(), query.filter);
    let export = cx.perform(move |actions, context| {
        let head = actions.export_trail(context, &filter, encoder.format())?;
        let count = actions.store.query(|db| db.trails().count_filtered(company.id, &filter, head.size))?;
        Ok::<_, ActionFailure>(Export { company, filter, head, count: u64::try_from(count).unwrap_or(0) })
    });
    let export = export.await??;
    let mut response = headers(encoder, file_name(cx, encoder, Some(export.count)));
    response.insert_header(("X-Keydesk-Events", export.count.to_string()));
    let export_stream = ExportStream {
        actions: cx.app.actions.clone(),
        sessions: cx.app.sessions(),
        context: cx.request_context(),
        writer: encoder.writer(),
        export,
        next: NextChunk::Begin,
    };
    Ok(response.streaming(stream::try_unfold(export_stream, ExportStream::next_chunk)))
}

fn headers(encoder: Encoder, file_name: String) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, encoder.content_type()));
    response.insert_header(download::attachment(file_name));
    response
}

fn file_name(cx: &PageContext, encoder: Encoder, count: Option<u64>) -> String {
    let company = download::company_slug(&cx.user.company.name);
    let today = cx.zone.day(cx.now());
    let count = match count {
        None => String::new(),
        Some(1) => "-1-event".to_owned(),
        Some(count) => format!("-{count}-events"),
    };
    let name = if company.is_empty() { String::new() } else { format!("-{company}") };
    format!("audit-trail{name}-{today}{count}.{}", encoder.extension())
}

/// The state of a running export.
struct ExportStream {
    actions: Actions,
    sessions: Sessions,
    /// The export ends with this session.
    context: RequestContext,
    writer: Writer,
    export: Export,
    next: NextChunk,
}

enum NextChunk {
    Begin,
    EventsBefore(i64),
    Done,
}

impl ExportStream {
    /// Returns the next chunk. A failure cuts the response off, which every client notices.
    async fn next_chunk(self) -> Result<Option<(Bytes, Self)>, PageError> {
        let company = self.export.company.id;
        let chunk = blocking(move || self.read_chunk()).await;
        chunk.inspect_err(|cause| match cause {
            PageError::SignInRequired(_) => tracing::info!(%company, "trail export ended with its session"),
            cause => tracing::error!(%company, %cause, "trail export failed"),
        })
    }

    fn read_chunk(mut self) -> Result<Option<(Bytes, Self)>, ActionFailure> {
        let now = self.actions.clock.now();
        let session = self.actions.store.read(|db| self.context.confirm::<_, ActionFailure>(db, now))?;
        self.sessions.touch_if_due(&session, now);
        let text = match self.next {
            NextChunk::Begin => {
                self.next = NextChunk::EventsBefore(self.export.head.size.saturating_add(1));
                self.writer.begin(&self.actions, &self.export)?
            }
            NextChunk::EventsBefore(sequence) => self.events_before(sequence)?,
            NextChunk::Done => return Ok(None),
        };
        Ok(Some((text.into(), self)))
    }

    /// Returns the next events, and the end of the file after the last of them.
    fn events_before(&mut self, sequence: i64) -> Result<String, StoreError> {
        self.writer.prepare(&self.actions, &self.export)?;
        let (Export { company, filter, .. }, writer) = (&self.export, &mut self.writer);
        let mut text = String::new();
        let (read, last) = self.actions.store.read(|db| {
            let paging = TrailPageRequest::Before(sequence);
            let events = db.trails().filtered(company.id, filter, paging, EVENTS_PER_CHUNK.into())?;
            let names = db.users().names(company.id, events.iter().flat_map(|item| actor_and_target(&item.event)))?;
            let (read, last) = (events.len(), events.last().map_or(0, |item| item.event.sequence));
            for item in events {
                writer.event(db, &ExportedEvent::new(item, &names, company), &mut text)?;
            }
            Ok::<_, StoreError>((read, last))
        })?;
        if read == EVENTS_PER_CHUNK as usize {
            self.next = NextChunk::EventsBefore(last);
        } else {
            text.push_str(&self.writer.end(&self.actions, &self.export));
            self.next = NextChunk::Done;
        }
        Ok(text)
    }
}
