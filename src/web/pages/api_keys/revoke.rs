//! The dialog that revokes a key.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;

use super::revocation::RevocationFields;
use super::usage::load::UsageSnapshot;
use super::{list, show};
use crate::actions::RevokeKeyError;
use crate::domain::ids::KeyId;
use crate::domain::key::lifecycle::{KeyState, RevocationReason};
use crate::http::body::FormBody;
use crate::store::KeyRecord;
use crate::web::app::error::PageError;
use crate::web::app::flash::redirect_with_event;
use crate::web::app::guards::Admin;
use crate::web::app::page_context::PageContext;
use crate::web::app::respond::{html, see_other};
use crate::web::app::time::view::TimeView;
use crate::web::components::dialog::Dialog;
use crate::web::components::key_use::view::InUse;
use crate::web::components::people::{ActorView, actor_view};
use crate::web::paths::{self, API_KEYS};
use crate::web::url::with_query;

#[derive(Clone, Debug, Template)]
#[template(path = "api_keys/revoke.html")]
pub struct Revoke {
    pub key_id: String,
    pub name: String,
    pub preview: String,
    pub created_by: ActorView,
    pub created: TimeView,
    /// From `Zone::date_time`.
    pub last_used: Option<TimeView>,
    pub in_use: Option<InUse>,
    pub fields: RevocationFields,
}

impl Revoke {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        Dialog::form(format!("Revoke {}", self.name), self.fields.has_error(), self)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RevokeForm {
    reason: String,
    comment: String,
}

pub async fn show(Admin(cx): Admin, id: Path<String>) -> Result<HttpResponse, PageError> {
    let key = show::load::key(&cx, &id).await?;
    if key.state(cx.now()) != KeyState::Active {
        return Ok(already_ended(key.id));
    }
    render(StatusCode::OK, &cx, &key, RevocationFields::default()).await
}

pub async fn submit(Admin(cx): Admin, id: Path<String>, body: FormBody) -> Result<HttpResponse, PageError> {
    let key = show::load::key(&cx, &id).await?;
    let form: RevokeForm = body.form().await?;
    let (reason, comment) = match RevocationFields::parse(&cx.app.actions.key_format, &form.reason, &form.comment) {
        Ok(revocation) => revocation,
        Err(fields) => return render(StatusCode::UNPROCESSABLE_ENTITY, &cx, &key, fields).await,
    };
    let key_id = key.id;
    match cx.perform(move |actions, context| actions.revoke_key(context, key_id, reason, comment)).await? {
        Ok((event, _)) => Ok(redirect_with_event(API_KEYS, Some(event))),
        Err(RevokeKeyError::AlreadyEnded(key)) => Ok(already_ended(key.id)),
        Err(_) => Err(PageError::KeyNotFound),
    }
}

fn already_ended(id: KeyId) -> HttpResponse {
    see_other(&with_query(API_KEYS, &[("tab", "revoked"), ("already", &id.to_string())]))
}

async fn render(
    status: StatusCode,
    cx: &PageContext,
    key: &KeyRecord,
    fields: RevocationFields,
) -> Result<HttpResponse, PageError> {
    let (company_id, creator) = (cx.company_id(), key.created_by);
    let names = cx.query(move |db| db.users().names(company_id, creator.user())).await?;
    let usage = UsageSnapshot::load(cx, key.id).await?;
    let dialog = Revoke {
        key_id: key.id.to_string(),
        name: key.name.clone(),
        preview: key.preview.clone(),
        created_by: actor_view(creator, &names),
        created: cx.zone.date(key.created_at),
        last_used: usage.last_used_at(),
        in_use: usage.in_use(key),
        fields,
    };
    html(status, &list::load::with_dialog(cx, dialog.into_dialog()).await?)
}
