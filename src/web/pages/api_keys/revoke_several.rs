//! The dialog that revokes several keys at once, all or none.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde::Deserialize;

use super::list;
use super::revocation::RevocationFields;
use crate::actions::RevokeKeysError;
use crate::domain::ids::KeyId;
use crate::domain::key::lifecycle::RevocationReason;
use crate::domain::timestamp::Timestamp;
use crate::http::body::FormBody;
use crate::store::KeyRecord;
use crate::web::app::error::PageError;
use crate::web::app::flash::redirect_with_event;
use crate::web::app::guards::Admin;
use crate::web::app::page_context::PageContext;
use crate::web::app::query::Query;
use crate::web::app::respond::html;
use crate::web::app::text::pluralized;
use crate::web::app::time::view::TimeView;
use crate::web::components::dialog::Dialog;
use crate::web::components::key_use;
use crate::web::components::key_use::view::InUse;
use crate::web::paths::{self, API_KEYS};

const MAX_KEYS_AT_ONCE: usize = 50;
const TOO_MANY_KEYS: &str = "You can revoke up to 50 keys at a time. These are the first 50.";

#[derive(Clone, Debug, Template)]
#[template(path = "api_keys/revoke_several.html")]
pub struct RevokeSeveral {
    /// The ids of all keys.
    pub ids: Vec<String>,
    pub in_use: Option<InUse>,
    /// The keys that are not in use.
    pub unused: Vec<NamedKey>,
    pub fields: RevocationFields,
    /// Says why no key was revoked.
    pub error: Option<String>,
}

#[derive(Clone, Debug)]
pub struct NamedKey {
    pub id: String,
    pub name: String,
    pub preview: String,
    /// From `Zone::ago_mid_sentence`; more than a week ago.
    pub last_used: Option<TimeView>,
}

impl RevokeSeveral {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        Dialog::form(self.heading(), self.error.is_some() || self.fields.has_error(), self)
    }

    /// “3 keys”.
    fn count(&self) -> String {
        pluralized(self.ids.len() as u64, "key", "keys")
    }

    fn heading(&self) -> String {
        if self.ids.is_empty() { "Revoke keys".to_owned() } else { format!("Revoke {}", self.count()) }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RevokeSeveralForm {
    key: Vec<String>,
    reason: String,
    comment: String,
}

/// A key and the time of its last use.
type KeyWithUse = (KeyRecord, Option<Timestamp>);

pub async fn show(Admin(cx): Admin, query: Query) -> Result<HttpResponse, PageError> {
    let keys = load_keys(&cx, query.0.get_all("key")).await?;
    let status =
        if (1..=MAX_KEYS_AT_ONCE).contains(&keys.len()) { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let error = (keys.len() > MAX_KEYS_AT_ONCE).then(|| TOO_MANY_KEYS.to_owned());
    render(status, &cx, &keys, RevocationFields::default(), error).await
}

pub async fn submit(Admin(cx): Admin, body: FormBody) -> Result<HttpResponse, PageError> {
    let form: RevokeSeveralForm = body.form().await?;
    let keys = load_keys(&cx, form.key.iter().map(String::as_str)).await?;
    let refuse = |fields, error| render(StatusCode::UNPROCESSABLE_ENTITY, &cx, &keys, fields, error);
    let (reason, comment) = match RevocationFields::parse(&cx.app.actions.key_format, &form.reason, &form.comment) {
        Ok(revocation) => revocation,
        Err(fields) => return refuse(fields, None).await,
    };
    let fields = RevocationFields::of(reason, comment.as_ref());
    if !(1..=MAX_KEYS_AT_ONCE).contains(&keys.len()) {
        return refuse(fields, (!keys.is_empty()).then(|| TOO_MANY_KEYS.to_owned())).await;
    }
    let ids: Vec<KeyId> = keys.iter().map(|(key, _)| key.id).collect();
    match cx.perform(move |actions, context| actions.revoke_keys(context, &ids, reason, comment.as_ref())).await? {
        Ok(event) => Ok(redirect_with_event(API_KEYS, event)),
        Err(RevokeKeysError::Unknown) => Err(PageError::KeyNotFound),
        Err(refusal) => refuse(fields, Some(refusal.to_string())).await,
    }
}

/// Loads the keys with these ids, in order and without duplicates.
async fn load_keys(cx: &PageContext, raw_ids: impl Iterator<Item = &str>) -> Result<Vec<KeyWithUse>, PageError> {
    let mut ids = Vec::new();
    for raw_id in raw_ids {
        let id = KeyId::parse(raw_id).ok_or(PageError::KeyNotFound)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let company_id = cx.company_id();
    cx.read(move |db| {
        let keys = ids.into_iter().map(|id| db.keys().by_id(company_id, id)?.ok_or(PageError::KeyNotFound));
        let keys: Vec<KeyRecord> = keys.collect::<Result<_, PageError>>()?;
        let mut usage = db.usage().of_keys(company_id, keys.iter().map(|key| key.id))?;
        let with_use = |key: KeyRecord| {
            let last_used = usage.remove(&key.id).and_then(|usage| usage.last_used);
            (key, last_used.map(|request| request.at))
        };
        Ok(keys.into_iter().map(with_use).collect())
    })
    .await
}

async fn render(
    status: StatusCode,
    cx: &PageContext,
    keys: &[KeyWithUse],
    fields: RevocationFields,
    error: Option<String>,
) -> Result<HttpResponse, PageError> {
    let keys = &keys[..keys.len().min(MAX_KEYS_AT_ONCE)];
    let records: Vec<KeyRecord> = keys.iter().map(|(key, _)| key.clone()).collect();
    let in_use = key_use::load::among(cx, &records).await?;
    let ids: Vec<String> = keys.iter().map(|(key, _)| key.id.to_string()).collect();
    let is_in_use = |id: &str| in_use.iter().flat_map(|in_use| &in_use.keys).any(|key| key.id == id);
    let named = |(key, last_used): &KeyWithUse| NamedKey {
        id: key.id.to_string(),
        name: key.name.clone(),
        preview: key.preview.clone(),
        last_used: last_used.map(|at| cx.zone.ago_mid_sentence(at, cx.now())),
    };
    let unused = keys.iter().map(named).filter(|key| !is_in_use(&key.id)).collect();
    let dialog = RevokeSeveral { ids, in_use, unused, fields, error };
    html(status, &list::load::with_dialog(cx, dialog.into_dialog()).await?)
}
