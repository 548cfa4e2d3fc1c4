//! The dialog that ends the overlap of an old key.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::show;
use super::usage::load::UsageSnapshot;
use super::usage::view::OldKeyUse;
use crate::actions::OverlapError;
use crate::domain::key::lifecycle::{KeyState, RevocationReason};
use crate::web::app::error::PageError;
use crate::web::app::guards::Admin;
use crate::web::app::respond::html;
use crate::web::app::time::view::TimeView;
use crate::web::components::dialog::Dialog;
use crate::web::components::key_use::view::InUse;
use crate::web::paths;

#[derive(Clone, Debug, Template)]
#[template(path = "api_keys/end.html")]
pub struct EndKey {
    pub key_id: String,
    pub name: String,
    pub preview: String,
    /// When the key stops working anyway, from `Zone::date_time`.
    pub ends: TimeView,
    pub in_use: Option<InUse>,
    pub old_key: OldKeyUse,
    /// The new key has ended, so that no key of the account is left.
    pub is_last_key: bool,
}

impl EndKey {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        Dialog::new("End the old key now", self)
    }

    /// Whether the use of the key needs a sentence: the warning about a key in use says most of it.
    fn gives_advice(&self) -> bool {
        self.in_use.is_none() || matches!(self.old_key, OldKeyUse::Pausing(_))
    }
}

pub async fn show(Admin(cx): Admin, id: Path<String>) -> Result<HttpResponse, PageError> {
    let found = show::load::key_with_neighbours(&cx, &id).await?;
    let (key, now) = (&found.key, cx.now());
    let is_active = key.state(now) == KeyState::Active;
    let overlap_ends_at = key.ends().overlap_ends_at.filter(|_| is_active);
    if overlap_ends_at.is_none() {
        return Err(PageError::KeyStateConflict(key.id, OverlapError::NoOverlap.to_string()));
    }
    let usage = UsageSnapshot::load(&cx, key.id).await?;
    let old_key = usage.old_key_use();
    let is_in_use = matches!(old_key, OldKeyUse::Still(_) | OldKeyUse::Pausing(_));
    let dialog = EndKey {
        key_id: key.id.to_string(),
        name: key.name.clone(),
        preview: key.preview.clone(),
        ends: cx.zone.date_time(key.ends().first().unwrap_or(now)),
        in_use: usage.in_use(key).filter(|_| is_in_use),
        old_key,
        is_last_key: !found.is_being_replaced(now),
    };
    html(StatusCode::OK, &show::load::with_dialog(&cx, &found, dialog.into_dialog()).await?)
}
