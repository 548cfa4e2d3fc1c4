//! The dialog that finds a key from its full text.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde::Deserialize;

use super::list;
use crate::http::body::FormBody;
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::respond::{html, see_other};
use crate::web::components::dialog::Dialog;
use crate::web::paths::{self, API_KEYS};

/// The dialog after a key that does not match. It never shows the pasted text.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "api_keys/identify.html")]
pub struct Identify {
    pub error: Option<String>,
}

impl Identify {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        Dialog::form("Find a key", self.error.is_some(), self)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct IdentifyForm {
    key: String,
}

/// Redirects to the page of the pasted key. Open to both roles; finds revoked keys, too.
pub async fn submit(cx: PageContext, body: FormBody) -> Result<HttpResponse, PageError> {
    let form: IdentifyForm = body.form().await?;
    let company_id = cx.company_id();
    let found = match cx.app.actions.key_format.parse(form.key.trim()) {
        Err(_) => None,
        Ok(key) => {
            let digests = key.presented(cx.app.actions.secrets.keyring().peppers());
            let found = cx.query(move |db| db.keys().by_digest(&digests)).await?;
            found.filter(|key| key.company.id == company_id)
        }
    };
    if let Some(key) = found {
        return Ok(see_other(&paths::api_key(&key.id.to_string())));
    }
    let dialog = Identify { error: Some("No key of this company matches.".to_owned()) };
    html(StatusCode::UNPROCESSABLE_ENTITY, &list::load::with_dialog(&cx, dialog.into_dialog()).await?)
}
