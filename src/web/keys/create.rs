//! Add API Key: the form, and the one answer that shows the new key.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

use super::expiry::{ExpiryField, OldKey, TypedExpiry};
use super::list::Overlay;
use super::listing;
use super::rotate::Rotate;
use crate::actions::{CreateKeyError, CreatedKey, KeyWish};
use crate::domain::key::ApiKey;
use crate::domain::name::ServiceAccountName;
use crate::domain::submission::{KeyForm, SubmissionId};
use crate::edge::body::{Fields, FormBody};
use crate::edge::caller::Caller;
use crate::random;
use crate::web::error::PageError;
use crate::web::guards::{Admin, SignedIn};
use crate::web::page::Field;
use crate::web::paths::ADD_API_KEY;
use crate::web::time::Zone;
use crate::web::{Site, blocking, html, html_with_secret};

/// The form over the list.
#[derive(Clone, Debug, Default)]
pub struct AddKey {
    pub name: Field,
    /// The service account of that name has an active key.
    pub taken: Option<Taken>,
    pub expiry: ExpiryField,
    pub submission: String,
    /// The hidden `submission` that came was missing, foreign or too old; the one above is new.
    pub outdated: bool,
}

impl AddKey {
    pub(super) fn failed(&self) -> bool {
        self.outdated || self.taken.is_some() || self.name.error.is_some() || self.expiry.failed()
    }
}

/// An active key that has the name already.
#[derive(Clone, Debug)]
pub struct Taken {
    pub name: String,
    pub rotate_path: String,
}

/// The new key, shown in this one answer.
pub struct NewKey {
    pub key_id: String,
    pub name: String,
    pub new_key: ApiKey,
    /// Without a slash at its end.
    pub public_url: String,
    /// The key that it replaces, after a rotation.
    pub old_key: Option<OldKey>,
}

pub(in crate::web) async fn show(Admin(admin): Admin, zone: Zone, site: Data<Site>) -> Result<HttpResponse, PageError> {
    let form = AddKey { expiry: offered(&site, &admin, &zone).await?, ..AddKey::default() };
    draw_form(StatusCode::OK, &site, &admin, &zone, form).await
}

pub(in crate::web) async fn submit(
    Admin(admin): Admin,
    body: FormBody,
    zone: Zone,
    caller: Caller,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let fields = body.fields().await?;
    let typed = fields.one("name")?;
    let typed_expiry = TypedExpiry::read(&fields)?;
    let submission = submitted(&site, &admin, KeyForm::Create, &fields).await?;
    let name = site.name_field(typed, ServiceAccountName::parse);
    let expiry = typed_expiry.wish(&zone);
    let form = AddKey {
        name: name.as_ref().err().cloned().unwrap_or_else(|| Field::kept(typed)),
        expiry: offered(&site, &admin, &zone).await?.kept(&typed_expiry),
        outdated: submission.is_none(),
        ..AddKey::default()
    };
    let form = match expiry {
        Err(error) => AddKey { expiry: form.expiry.refused(error), ..form },
        Ok(_) => form,
    };
    let refuse = |form| draw_form(StatusCode::UNPROCESSABLE_ENTITY, &site, &admin, &zone, form);
    let Some(submission) = submission else { return refuse(form).await };
    let (Ok(name), Ok(expiry)) = (name, expiry) else { return refuse(form).await };
    let (actions, origin, wish) = (site.actions.clone(), caller.as_origin(admin.actor()), KeyWish { name, expiry });
    let (company_id, creator) = (admin.company.id, admin.user_id);
    let created = blocking(move || match actions.create_key(company_id, creator, &wish, submission, &origin) {
        Err(CreateKeyError::Store(error)) => Err(PageError::from(error)),
        other => Ok(other),
    });
    match created.await? {
        Ok(created) => draw_new_key(created, None, &admin, &zone, &site).await,
        Err(CreateKeyError::AlreadyShown) => Err(PageError::KeyAlreadyShown),
        Err(CreateKeyError::CreatorDeleted) => Err(PageError::SignInNeeded(ADD_API_KEY.to_owned())),
        Err(CreateKeyError::Expiry(error)) => refuse(AddKey { expiry: form.expiry.refused(error), ..form }).await,
        Err(CreateKeyError::NameTaken(spelling, active)) => {
            let taken = Taken { name: spelling, rotate_path: Rotate::path(&active.to_string()) };
            refuse(AddKey { taken: Some(taken), ..form }).await
        }
        Err(CreateKeyError::Store(error)) => Err(error.into()),
    }
}

/// The one answer that shows a new key, over the list.
pub(super) async fn draw_new_key(
    created: CreatedKey,
    old_key: Option<OldKey>,
    admin: &SignedIn,
    zone: &Zone,
    site: &Data<Site>,
) -> Result<HttpResponse, PageError> {
    let overlay = Overlay::NewKey(NewKey {
        key_id: created.id.to_string(),
        name: created.name,
        new_key: created.key,
        public_url: site.public_url.as_str().to_owned(),
        old_key,
    });
    html_with_secret(StatusCode::CREATED, &listing::load_beneath(site, admin, zone, overlay).await?)
}

/// The submission that a form names; `None` where it is missing, foreign or too old.
///
/// # Errors
/// [`PageError::KeyAlreadyShown`] where it was used, whatever else the form says.
pub(super) async fn submitted(
    site: &Data<Site>,
    admin: &SignedIn,
    form: KeyForm,
    fields: &Fields,
) -> Result<Option<SubmissionId>, PageError> {
    let (submissions, now) = (&site.actions.secrets.submissions, site.actions.clock.now());
    let Some(submission) = submissions.check(fields.one("submission")?, form, admin.session_id, now) else {
        return Ok(None);
    };
    let store = site.actions.store.clone();
    if blocking(move || store.ask(|questions| questions.submission_was_used(submission))).await? {
        return Err(PageError::KeyAlreadyShown);
    }
    Ok(Some(submission))
}

/// What the company's policy lets choose.
pub(super) async fn offered(site: &Data<Site>, admin: &SignedIn, zone: &Zone) -> Result<ExpiryField, PageError> {
    let (store, company_id) = (site.actions.store.clone(), admin.company.id);
    let settings = blocking(move || store.ask(|questions| questions.company_settings(company_id))).await?;
    Ok(ExpiryField::offered(&settings.key_policy, zone, site.actions.clock.now()))
}

/// The form, with a new submission: one that was not used stays good, but nobody needs the old one any more.
async fn draw_form(
    status: StatusCode,
    site: &Data<Site>,
    admin: &SignedIn,
    zone: &Zone,
    form: AddKey,
) -> Result<HttpResponse, PageError> {
    let now = site.actions.clock.now();
    let submission = site.actions.secrets.submissions.issue(KeyForm::Create, admin.session_id, now, random::bytes());
    let form = AddKey { submission, ..form };
    html(status, &listing::load_beneath(site, admin, zone, Overlay::AddKey(form)).await?)
}
