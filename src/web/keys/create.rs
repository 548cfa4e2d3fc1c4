//! Add API Key: the form, and the one answer that shows the new key.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

use super::list::Overlay;
use super::listing;
use crate::actions::CreateKeyError;
use crate::domain::key::ApiKey;
use crate::domain::name::ServiceAccountName;
use crate::domain::submission::KeyForm;
use crate::edge::body::FormBody;
use crate::edge::caller::Caller;
use crate::random;
use crate::web::error::PageError;
use crate::web::guards::{Admin, SignedIn};
use crate::web::page::Field;
use crate::web::paths::ADD_API_KEY;
use crate::web::time::Zone;
use crate::web::{Site, blocking, html};

/// The form over the list.
#[derive(Clone, Debug)]
pub struct AddKey {
    pub name: Field,
    pub submission: String,
    /// The hidden `submission` that came was missing, foreign or too old; the one above is new.
    pub outdated: bool,
}

impl AddKey {
    pub(super) fn failed(&self) -> bool {
        self.outdated || self.name.error.is_some()
    }
}

/// The new key, shown in this one answer.
pub struct NewKey {
    pub key_id: String,
    pub name: String,
    pub new_key: ApiKey,
    /// Without a slash at its end.
    pub public_url: String,
}

pub(in crate::web) async fn show(Admin(admin): Admin, zone: Zone, site: Data<Site>) -> Result<HttpResponse, PageError> {
    draw_form(StatusCode::OK, &site, &admin, &zone, Field::default(), false).await
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
    let now = site.actions.clock.now();
    let submission = fields.one("submission")?;
    let submission = site.actions.secrets.submissions.check(submission, KeyForm::Create, admin.session_id, now);
    let name = site.name_field(typed, ServiceAccountName::parse);
    let Some(submission) = submission else {
        let field = name.err().unwrap_or_else(|| Field::kept(typed));
        return draw_form(StatusCode::UNPROCESSABLE_ENTITY, &site, &admin, &zone, field, true).await;
    };
    let store = site.actions.store.clone();
    if blocking(move || store.ask(|questions| questions.submission_was_used(submission))).await? {
        return Err(PageError::KeyAlreadyShown);
    }
    let name = match name {
        Ok(name) => name,
        Err(field) => return draw_form(StatusCode::UNPROCESSABLE_ENTITY, &site, &admin, &zone, field, false).await,
    };
    let (actions, origin) = (site.actions.clone(), caller.as_origin(admin.actor()));
    let (company_id, creator) = (admin.company.id, admin.user_id);
    let created = blocking(move || match actions.create_key(company_id, creator, &name, submission, &origin) {
        Err(CreateKeyError::Store(error)) => Err(PageError::from(error)),
        other => Ok(other),
    });
    match created.await? {
        Ok(created) => {
            let overlay = Overlay::NewKey(NewKey {
                key_id: created.id.to_string(),
                name: created.name,
                new_key: created.key,
                public_url: site.public_url.as_str().to_owned(),
            });
            html(StatusCode::CREATED, &listing::load_beneath(&site, &admin, &zone, overlay).await?)
        }
        Err(CreateKeyError::AlreadyShown) => Err(PageError::KeyAlreadyShown),
        Err(CreateKeyError::CreatorDeleted) => Err(PageError::SignInNeeded(ADD_API_KEY.to_owned())),
        Err(taken) => {
            let field = Field::refused(typed, taken.to_string());
            draw_form(StatusCode::UNPROCESSABLE_ENTITY, &site, &admin, &zone, field, false).await
        }
    }
}

/// The form, with a new submission: one that was not used stays good, but nobody needs the old one any more.
async fn draw_form(
    status: StatusCode,
    site: &Data<Site>,
    admin: &SignedIn,
    zone: &Zone,
    name: Field,
    outdated: bool,
) -> Result<HttpResponse, PageError> {
    let now = site.actions.clock.now();
    let submission = site.actions.secrets.submissions.issue(KeyForm::Create, admin.session_id, now, random::bytes());
    let form = AddKey { name, submission, outdated };
    html(status, &listing::load_beneath(site, admin, zone, Overlay::AddKey(form)).await?)
}
