//! The dialog that rotates a key: a new key replaces it, now or after an overlap.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;

use super::expiry::{self, ExpiryField, OldKey, TypedExpiry};
use super::show::load::KeyWithNeighbours;
use super::usage::load::UsageSnapshot;
use super::{new_key, show, submission};
use crate::actions::{RotateKeyError, RotationRequest};
use crate::domain::ids::KeyId;
use crate::domain::key::lifecycle::KeyState;
use crate::domain::key::rotation::Overlap;
use crate::domain::key::submission::KeyForm;
use crate::http::body::FormBody;
use crate::web::app::error::PageError;
use crate::web::app::guards::Admin;
use crate::web::app::page_context::PageContext;
use crate::web::app::respond::html;
use crate::web::components::dialog::Dialog;
use crate::web::components::field::Field;
use crate::web::components::key_use::view::InUse;
use crate::web::paths;

#[derive(Clone, Debug, Template)]
#[template(path = "api_keys/rotate.html")]
pub struct Rotate {
    pub key_id: String,
    pub name: String,
    /// What is known of the use of the old key.
    pub in_use: Option<InUse>,
    pub overlap: Field,
    pub expiry: ExpiryField,
    pub submission: String,
    /// The submission token is missing, too old, or belongs to another form.
    pub is_outdated: bool,
    /// The old key has expired, so there is no overlap.
    pub is_expired: bool,
    /// Says why the key cannot be rotated.
    pub refusal: Option<String>,
    /// The id of the key that already replaces this one.
    pub replaced_by: Option<String>,
}

impl Rotate {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        let has_error =
            self.is_outdated || self.refusal.is_some() || self.overlap.error.is_some() || self.expiry.has_error();
        Dialog::form("Rotate", has_error, self)
    }

    /// The value and label of each overlap, and whether it is selected.
    fn overlaps(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        Overlap::ALL
            .into_iter()
            .map(|overlap| (overlap.as_str(), overlap.label(), self.overlap.value == overlap.as_str()))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RotateForm {
    overlap: String,
    expires: String,
    expires_on: String,
    submission: String,
}

impl RotateForm {
    fn overlap(&self) -> Option<Overlap> {
        if self.overlap.is_empty() { Some(Overlap::default()) } else { Overlap::parse(&self.overlap) }
    }
}

pub async fn show(Admin(cx): Admin, id: Path<String>) -> Result<HttpResponse, PageError> {
    let found = show::load::key_with_neighbours(&cx, &id).await?;
    refuse_revoked(&cx, &found)?;
    let dialog = new_dialog(&cx, &found, expiry::offered(&cx).await?);
    if found.is_being_replaced(cx.now()) {
        return refuse_replaced(&cx, &found, dialog).await;
    }
    render(StatusCode::OK, &cx, &found, dialog).await
}

pub async fn submit(Admin(cx): Admin, id: Path<String>, body: FormBody) -> Result<HttpResponse, PageError> {
    let found = show::load::key_with_neighbours(&cx, &id).await?;
    let form: RotateForm = body.form().await?;
    let submission = submission::check(&cx, KeyForm::Rotate, &form.submission).await?;
    refuse_revoked(&cx, &found)?;
    let overlap = form.overlap();
    let typed_expiry = TypedExpiry { expires: form.expires, expires_on: form.expires_on };
    let expiry = typed_expiry.parse(&cx.zone);
    let mut dialog = new_dialog(&cx, &found, expiry::offered(&cx).await?.with_typed(&typed_expiry));
    dialog.is_outdated = submission.is_none();
    dialog.overlap = overlap_field(overlap);
    if let Err(error) = expiry {
        dialog.expiry = dialog.expiry.with_error(error);
    }
    if found.is_being_replaced(cx.now()) {
        return refuse_replaced(&cx, &found, dialog).await;
    }
    let (Some(submission), Some(overlap), Ok(expiry)) = (submission, overlap, expiry) else {
        return render(StatusCode::UNPROCESSABLE_ENTITY, &cx, &found, dialog).await;
    };
    let (key_id, request) = (found.key.id, RotationRequest { overlap, expiry });
    match cx.perform(move |actions, context| actions.rotate_key(context, key_id, &request, submission)).await? {
        Ok(rotated) => {
            let until = rotated.old_until.map(|until| cx.zone.date_time(until));
            let old_key = OldKey { id: key_id.to_string(), preview: rotated.old_preview, until };
            new_key::show(&cx, rotated.created, Some(old_key)).await
        }
        Err(error) => refuse(&cx, &found, dialog, error).await,
    }
}

async fn refuse(
    cx: &PageContext,
    found: &KeyWithNeighbours,
    dialog: Rotate,
    error: RotateKeyError,
) -> Result<HttpResponse, PageError> {
    match error {
        RotateKeyError::Expiry(error) => {
            let dialog = Rotate { expiry: dialog.expiry.with_error(error), ..dialog };
            render(StatusCode::UNPROCESSABLE_ENTITY, cx, found, dialog).await
        }
        RotateKeyError::AlreadyReplaced | RotateKeyError::HasNewerKey => {
            let dialog = Rotate { refusal: Some(error.to_string()), ..dialog };
            render(StatusCode::CONFLICT, cx, found, dialog).await
        }
        error => Err(page_error(found.key.id, error)),
    }
}

/// The error page for a rotation that fails for any input.
fn page_error(id: KeyId, error: RotateKeyError) -> PageError {
    match error {
        RotateKeyError::AlreadyShown => PageError::KeyAlreadyShown,
        RotateKeyError::Unknown => PageError::KeyNotFound,
        RotateKeyError::Store(error) => error.into(),
        other => PageError::KeyStateConflict(id, other.to_string()),
    }
}

fn refuse_revoked(cx: &PageContext, found: &KeyWithNeighbours) -> Result<(), PageError> {
    if found.key.state(cx.now()) == KeyState::Revoked {
        return Err(page_error(found.key.id, RotateKeyError::Revoked));
    }
    Ok(())
}

/// Refuses the rotation whatever the form says: the user cannot correct anything.
async fn refuse_replaced(
    cx: &PageContext,
    found: &KeyWithNeighbours,
    dialog: Rotate,
) -> Result<HttpResponse, PageError> {
    let refusal = Some(RotateKeyError::AlreadyReplaced.to_string());
    render(StatusCode::CONFLICT, cx, found, Rotate { refusal, ..dialog }).await
}

fn overlap_field(overlap: Option<Overlap>) -> Field {
    match overlap {
        Some(overlap) => Field::new(overlap.as_str()),
        None => Field::invalid(Overlap::default().as_str(), "Choose how long the old key keeps working"),
    }
}

fn new_dialog(cx: &PageContext, found: &KeyWithNeighbours, expiry: ExpiryField) -> Rotate {
    Rotate {
        key_id: found.key.id.to_string(),
        name: found.key.name.clone(),
        in_use: None,
        overlap: Field::new(Overlap::default().as_str()),
        expiry,
        submission: String::new(),
        is_outdated: false,
        is_expired: found.key.state(cx.now()) == KeyState::Expired,
        refusal: None,
        replaced_by: found.replaced_by.as_ref().map(|key| key.id.to_string()),
    }
}

/// Renders the form with a new submission token.
async fn render(
    status: StatusCode,
    cx: &PageContext,
    found: &KeyWithNeighbours,
    dialog: Rotate,
) -> Result<HttpResponse, PageError> {
    let in_use = match found.key.state(cx.now()) {
        KeyState::Active => UsageSnapshot::load(cx, found.key.id).await?.in_use(&found.key),
        KeyState::Revoked | KeyState::Expired => None,
    };
    let dialog = Rotate { submission: submission::issue(cx, KeyForm::Rotate), in_use, ..dialog };
    html(status, &show::load::with_dialog(cx, found, dialog.into_dialog()).await?)
}
