//! The dialog that shows a new key, once.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::expiry::OldKey;
use super::list;
use crate::actions::CreatedKey;
use crate::domain::key::api_key::ApiKey;
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::respond::html_with_secret;
use crate::web::components::dialog::Dialog;
use crate::web::paths::{self, API_KEYS};
use crate::web::url::with_query;

#[derive(Template)]
#[template(path = "api_keys/new_key.html")]
pub struct NewKey {
    pub key_id: String,
    pub name: String,
    pub new_key: ApiKey,
    /// The base URL without a trailing slash.
    pub public_url: String,
    /// After a rotation, the key that this one replaces.
    pub old_key: Option<OldKey>,
    /// The page to go to once the key is saved, which reports the event.
    pub saved_href: String,
}

impl NewKey {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        Dialog::secret("Save your API key", self)
    }
}

/// Shows a new key over the list. No other response contains it.
pub async fn show(cx: &PageContext, created: CreatedKey, old_key: Option<OldKey>) -> Result<HttpResponse, PageError> {
    let (id, event) = (created.id.to_string(), created.event.to_string());
    let saved_href = match &old_key {
        Some(_) => with_query(&paths::api_key(&id), &[("done", &event)]),
        None => format!("{}#key-{id}", with_query(API_KEYS, &[("tab", "active"), ("done", &event)])),
    };
    let new_key = NewKey {
        key_id: id,
        saved_href,
        name: created.name,
        new_key: created.key,
        public_url: cx.app.public_url.as_str().to_owned(),
        old_key,
    };
    html_with_secret(StatusCode::CREATED, &list::load::with_dialog(cx, new_key.into_dialog()).await?)
}
