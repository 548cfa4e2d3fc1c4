//! Rotating a key: a new one takes over, and the old one ends now or a while later.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};

use super::create::{draw_new_key, offered, submitted};
use super::expiry::{OldKey, TypedExpiry};
use super::key_page::KeyOverlay;
use super::one_key::{self, Found};
use crate::actions::{RotateKeyError, RotationWish};
use crate::domain::api_key::KeyState;
use crate::domain::rotation::Overlap;
use crate::domain::submission::KeyForm;
use crate::edge::body::FormBody;
use crate::edge::caller::Caller;
use crate::random;
use crate::web::error::PageError;
use crate::web::guards::{Admin, SignedIn};
use crate::web::keys::expiry::ExpiryField;
use crate::web::keys::key_page::KeyPage;
use crate::web::page::Field;
use crate::web::time::Zone;
use crate::web::{Site, blocking, html};

/// The dialog over the key's page.
#[derive(Clone, Debug)]
pub struct Rotate {
    pub key_id: String,
    pub name: String,
    pub overlap: Field,
    pub expiry: ExpiryField,
    pub submission: String,
    /// The hidden `submission` that came was missing, foreign or too old; the one above is new.
    pub outdated: bool,
    /// Then there is no old key to keep working.
    pub is_expired: bool,
    /// Why the key cannot be rotated.
    pub refusal: Option<String>,
}

impl Rotate {
    /// Where the form is sent, and where its page is.
    #[must_use]
    pub fn path(key_id: &str) -> String {
        format!("{}/rotate", KeyPage::path(key_id))
    }

    pub(super) fn failed(&self) -> bool {
        self.outdated || self.refusal.is_some() || self.overlap.error.is_some() || self.expiry.failed()
    }

    /// The values of `overlap`, how the form says them, and which is chosen.
    pub(super) fn overlaps(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        Overlap::ALL
            .into_iter()
            .map(|overlap| (overlap.as_str(), overlap.label(), self.overlap.value == overlap.as_str()))
    }
}

pub(in crate::web) async fn show(
    Admin(admin): Admin,
    id: Path<String>,
    zone: Zone,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let found = find(&site, &admin, &id).await?;
    let form = form(&found, offered(&site, &admin, &zone).await?, &site);
    if found.is_being_replaced(site.actions.clock.now()) {
        let refusal = Some(RotateKeyError::AlreadyReplaced.to_string());
        return draw(StatusCode::CONFLICT, &found, Rotate { refusal, ..form }, &admin, &zone, &site).await;
    }
    draw(StatusCode::OK, &found, form, &admin, &zone, &site).await
}

pub(in crate::web) async fn submit(
    Admin(admin): Admin,
    id: Path<String>,
    body: FormBody,
    zone: Zone,
    caller: Caller,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let found = one_key::find(&site, &admin, &id).await?;
    let fields = body.fields().await?;
    let typed_expiry = TypedExpiry::read(&fields)?;
    let overlap = match fields.one("overlap")? {
        "" => Some(Overlap::default()),
        word => Overlap::parse(word),
    };
    let submission = submitted(&site, &admin, KeyForm::Rotate, &fields).await?;
    refuse_revoked(&found, &site)?;
    let expiry = typed_expiry.wish(&zone);
    let mut form = form(&found, offered(&site, &admin, &zone).await?.kept(&typed_expiry), &site);
    form.outdated = submission.is_none();
    form.overlap = match overlap {
        Some(overlap) => Field::kept(overlap.as_str()),
        None => Field::refused(Overlap::default().as_str(), "Choose how long the old key keeps working"),
    };
    if let Err(error) = expiry {
        form.expiry = form.expiry.refused(error);
    }
    if found.is_being_replaced(site.actions.clock.now()) {
        // Whatever was typed, there is nothing to correct.
        let refusal = Some(RotateKeyError::AlreadyReplaced.to_string());
        return draw(StatusCode::CONFLICT, &found, Rotate { refusal, ..form }, &admin, &zone, &site).await;
    }
    let (Some(submission), Some(overlap), Ok(expiry)) = (submission, overlap, expiry) else {
        return draw(StatusCode::UNPROCESSABLE_ENTITY, &found, form, &admin, &zone, &site).await;
    };
    let (actions, origin) = (site.actions.clone(), caller.as_origin(admin.actor()));
    let (company_id, key_id, rotator) = (admin.company.id, found.key.id, admin.user_id);
    let rotated = blocking(move || {
        let wish = RotationWish { overlap, expiry };
        match actions.rotate_key(company_id, key_id, rotator, &wish, submission, &origin) {
            Err(RotateKeyError::Store(error)) => Err(PageError::from(error)),
            other => Ok(other),
        }
    });
    match rotated.await? {
        Ok(rotated) => {
            let until = rotated.old_until.map(|until| zone.date_time(until));
            let old_key = OldKey { id: key_id.to_string(), preview: rotated.old_preview, until };
            draw_new_key(rotated.created, Some(old_key), &admin, &zone, &site).await
        }
        Err(RotateKeyError::AlreadyShown) => Err(PageError::KeyAlreadyShown),
        Err(RotateKeyError::Unknown) => Err(PageError::NoKey),
        Err(RotateKeyError::RotatorDeleted) => Err(PageError::SignInNeeded(Rotate::path(&key_id.to_string()))),
        Err(revoked @ RotateKeyError::Revoked) => Err(PageError::KeyStands(key_id, revoked.to_string())),
        Err(RotateKeyError::Expiry(error)) => {
            let form = Rotate { expiry: form.expiry.refused(error), ..form };
            draw(StatusCode::UNPROCESSABLE_ENTITY, &found, form, &admin, &zone, &site).await
        }
        Err(refused) => {
            let form = Rotate { refusal: Some(refused.to_string()), ..form };
            draw(StatusCode::CONFLICT, &found, form, &admin, &zone, &site).await
        }
    }
}

async fn find(site: &Data<Site>, admin: &SignedIn, id: &str) -> Result<Found, PageError> {
    let found = one_key::find(site, admin, id).await?;
    refuse_revoked(&found, site)?;
    Ok(found)
}

fn refuse_revoked(found: &Found, site: &Site) -> Result<(), PageError> {
    if found.key.state(site.actions.clock.now()) == KeyState::Revoked {
        return Err(PageError::KeyStands(found.key.id, RotateKeyError::Revoked.to_string()));
    }
    Ok(())
}

fn form(found: &Found, expiry: ExpiryField, site: &Site) -> Rotate {
    Rotate {
        key_id: found.key.id.to_string(),
        name: found.key.name.clone(),
        overlap: Field::kept(Overlap::default().as_str()),
        expiry,
        submission: String::new(),
        outdated: false,
        is_expired: found.key.state(site.actions.clock.now()) == KeyState::Expired,
        refusal: None,
    }
}

/// The form, with a new submission.
async fn draw(
    status: StatusCode,
    found: &Found,
    form: Rotate,
    admin: &SignedIn,
    zone: &Zone,
    site: &Data<Site>,
) -> Result<HttpResponse, PageError> {
    let now = site.actions.clock.now();
    let submission = site.actions.secrets.submissions.issue(KeyForm::Rotate, admin.session_id, now, random::bytes());
    let overlay = KeyOverlay::Rotate(Rotate { submission, ..form });
    html(status, &one_key::load_beneath(site, admin, zone, found, overlay).await?)
}
