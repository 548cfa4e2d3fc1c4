//! Exports the list as CSV. The export is recorded first, then streamed in chunks at the speed of the client.

use actix_web::http::Method;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;

use super::handlers::parse_address;
use super::load;
use crate::actions::{ActionFailure, Actions, RequestContext};
use crate::domain::key::lifecycle::KeyEnd;
use crate::domain::text::csv;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::event_values::KeyExport;
use crate::store::{Db, KeyExportDetails, KeyListItem, KeyListQuery, PageRequest, StoreError, UserNames};
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::query::Query;
use crate::web::app::session::store::Sessions;
use crate::web::app::state::blocking;
use crate::web::components::download::{attachment, company_slug};
use crate::web::components::people::{ActorView, actor_view};
use crate::web::pages::api_keys::assessed::assess;
use crate::web::pages::api_keys::list_address::{KeyListAddress, Search};
use crate::web::pages::api_keys::list_filters::{expiry_word, usage_word};

/// Keys per read.
const KEYS_PER_CHUNK: usize = 500;
const HEADER: [&str; 19] = [
    "key_id",
    "name",
    "service_account_id",
    "preview",
    "state",
    "purpose",
    "department",
    "contact",
    "owner_id",
    "owner",
    "created_by",
    "created_at",
    "expires_at",
    "last_used_at",
    "ended_at",
    "revoked_by",
    "reason",
    "comment",
    "practice",
];

pub async fn csv(request: HttpRequest, cx: PageContext, query: Query) -> Result<HttpResponse, PageError> {
    let (address, _) = parse_address(&query.0, &cx.app.actions.key_format)?;
    load::owner(&cx, &address).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"));
    response.insert_header(attachment(file_name(&cx, &address)));
    if *request.method() == Method::HEAD {
        // The length of the file is unknown until it is written.
        return Ok(response.streaming(stream::empty::<Result<Bytes, PageError>>()));
    }
    assess(&cx, cx.company_id()).await?;
    let recorded = recorded(&address);
    cx.perform(move |actions, context| actions.export_keys(context, recorded)).await??;
    let now = cx.now();
    let query = KeyListQuery { page_size: KEYS_PER_CHUNK, ..load::list_query(&cx, &address, PageRequest::First, now) };
    let export = KeyStream {
        actions: cx.app.actions.clone(),
        sessions: cx.app.sessions(),
        context: cx.request_context(),
        next: (!load::matches_nothing(&address.search)).then_some(query),
        is_begun: false,
    };
    Ok(response.streaming(stream::try_unfold(export, KeyStream::next_chunk)))
}

fn file_name(cx: &PageContext, address: &KeyListAddress) -> String {
    let company = company_slug(&cx.user.company.name);
    let name = if company.is_empty() { String::new() } else { format!("-{company}") };
    let part = if address.lists_all() { "" } else { "-filtered" };
    format!("{}-keys{name}-{}{part}.csv", address.tab.value(), cx.zone.day(cx.now()))
}

/// The filters as the event records them.
fn recorded(address: &KeyListAddress) -> KeyExport {
    let filters = address.filters;
    KeyExport {
        expires: filters.expiry.map(|expiry| expiry_word(expiry).to_owned()),
        owner: filters.owner,
        practice: filters.practice.map(|practice| practice.as_str().to_owned()),
        q: match &address.search {
            Search::Text(text) => Some(text.clone()),
            Search::None | Search::WholeKey => None,
        },
        tab: address.tab.value().to_owned(),
        used: filters.usage.map(|usage| usage_word(usage).to_owned()),
    }
}

/// The state of a running export.
struct KeyStream {
    actions: Actions,
    sessions: Sessions,
    /// The export ends with this session.
    context: RequestContext,
    /// The query of the next chunk.
    next: Option<KeyListQuery>,
    is_begun: bool,
}

impl KeyStream {
    /// Returns the next chunk. A failure cuts the response off, which every client notices.
    async fn next_chunk(self) -> Result<Option<(Bytes, Self)>, PageError> {
        let chunk = blocking(move || self.read_chunk()).await;
        chunk.inspect_err(|cause| match cause {
            PageError::SignInRequired(_) => tracing::info!("key export ended with its session"),
            cause => tracing::error!(%cause, "key export failed"),
        })
    }

    fn read_chunk(mut self) -> Result<Option<(Bytes, Self)>, ActionFailure> {
        let mut text = String::new();
        if !self.is_begun {
            self.is_begun = true;
            csv::write_row(&HEADER, &mut text);
        }
        let Some(query) = self.next.take() else {
            return Ok(Some((text.into(), self)).filter(|(text, _): &(Bytes, Self)| !text.is_empty()));
        };
        let now = self.actions.clock.now();
        let session = self.actions.store.read(|db| self.context.confirm::<_, ActionFailure>(db, now))?;
        self.sessions.touch_if_due(&session, now);
        let last = self.actions.store.read(|db| write_keys(db, &query, &mut text))?;
        self.next = last.map(|last| KeyListQuery { paging: PageRequest::After(last), ..query });
        Ok(Some((text.into(), self)))
    }
}

/// Writes the keys of a query. Returns the position of the last one if there may be more.
fn write_keys(
    db: &mut Db<'_>,
    query: &KeyListQuery,
    text: &mut String,
) -> Result<Option<crate::store::CursorPosition>, StoreError> {
    let keys = db.keys().list(query)?.keys;
    let ids: Vec<_> = keys.iter().map(|key| key.id).collect();
    let names = db.users().names(query.company_id, keys.iter().flat_map(KeyListItem::users))?;
    let details = db.keys().export_details(query.company_id, &ids)?;
    for key in &keys {
        if let Some(details) = details.get(&key.id) {
            write_key(key, details, &names, query.now, text);
        }
    }
    Ok(keys.last().filter(|_| keys.len() == query.page_size).map(|last| last.position(query.sort_by)))
}

fn write_key(key: &KeyListItem, details: &KeyExportDetails, names: &UserNames, now: Timestamp, text: &mut String) {
    let time = |at: Option<Timestamp>| at.and_then(Timestamp::to_rfc_3339).unwrap_or_default();
    let (ends, end) = (key.ends(), key.end(now));
    let (ended_at, revocation) = match &end {
        None => (None, None),
        Some(KeyEnd::Expired(at)) => (Some(*at), None),
        Some(KeyEnd::Revoked(revocation)) => (Some(revocation.at), Some(revocation)),
    };
    let practice: Vec<&str> = details.findings.iter().map(|practice| practice.as_str()).collect();
    let owner = names.get(&key.owner).map_or("Deleted user", String::as_str);
    let cells: [&str; HEADER.len()] = [
        &key.id.to_string(),
        &key.name,
        &details.service_account_id.to_string(),
        &key.preview,
        ends.state(now).as_str(),
        &key.purpose,
        &details.department,
        &details.contact,
        &key.owner.to_string(),
        owner,
        &actor_name(actor_view(key.created_by, names)),
        &time(Some(key.created_at)),
        &time(ends.expires_at),
        &time(key.last_used_at),
        &time(ended_at),
        &revocation.map(|revocation| actor_name(actor_view(revocation.by, names))).unwrap_or_default(),
        revocation.map(|revocation| revocation.reason.as_str()).unwrap_or_default(),
        revocation
            .and_then(|revocation| revocation.comment.as_ref())
            .map(|comment| comment.as_str())
            .unwrap_or_default(),
        &practice.join(" "),
    ];
    csv::write_row(&cells, text);
}

fn actor_name(actor: ActorView) -> String {
    match actor {
        ActorView::Person(person) => person.name,
        ActorView::DeletedUser => "Deleted user".to_owned(),
        ActorView::Label(label) => label.to_owned(),
    }
}
