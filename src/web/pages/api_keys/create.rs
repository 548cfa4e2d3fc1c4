//! The dialog that adds an API key.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde::Deserialize;

use super::expiry::{self, ExpiryField, TypedExpiry};
use super::{list, new_key, submission};
use crate::actions::{CreateKeyError, NewKeyRequest};
use crate::domain::key::account_details::Purpose;
use crate::domain::key::submission::KeyForm;
use crate::domain::practice::naming::tells_nothing;
use crate::domain::text::name::ServiceAccountName;
use crate::http::body::FormBody;
use crate::web::app::error::PageError;
use crate::web::app::guards::Admin;
use crate::web::app::page_context::PageContext;
use crate::web::app::respond::html;
use crate::web::components::dialog::Dialog;
use crate::web::components::field::Field;
use crate::web::paths::{self, API_KEYS};

#[derive(Clone, Debug, Default, Template)]
#[template(path = "api_keys/create.html")]
pub struct AddKey {
    pub name: Field,
    /// The active key that already has this name.
    pub taken: Option<ConflictingKey>,
    /// The name tells nothing. Submitted again, it is accepted.
    pub unclear_name: Option<String>,
    pub purpose: Field,
    pub expiry: ExpiryField,
    pub submission: String,
    /// The submission token is missing, too old, or belongs to another form.
    pub is_outdated: bool,
}

#[derive(Clone, Debug)]
pub struct ConflictingKey {
    pub name: String,
    pub rotate_path: String,
}

impl AddKey {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        let has_error = self.is_outdated || self.has_name_error() || self.has_later_error();
        Dialog::form("Add API Key", has_error, self)
    }

    fn has_name_error(&self) -> bool {
        self.taken.is_some() || self.unclear_name.is_some() || self.name.error.is_some()
    }

    /// Whether a field below the name has an error.
    fn has_later_error(&self) -> bool {
        self.purpose.error.is_some() || self.expiry.has_error()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct AddKeyForm {
    name: String,
    /// The name that the form has warned of.
    unclear_name: String,
    purpose: String,
    expires: String,
    expires_on: String,
    submission: String,
}

pub async fn show(Admin(cx): Admin) -> Result<HttpResponse, PageError> {
    let dialog = AddKey { expiry: expiry::offered(&cx).await?, ..AddKey::default() };
    render(StatusCode::OK, &cx, dialog).await
}

pub async fn submit(Admin(cx): Admin, body: FormBody) -> Result<HttpResponse, PageError> {
    let form: AddKeyForm = body.form().await?;
    let submission = submission::check(&cx, KeyForm::Create, &form.submission).await?;
    let typed_expiry = TypedExpiry { expires: form.expires, expires_on: form.expires_on };
    let name = Field::parse(&cx.app.actions.key_format, &form.name, ServiceAccountName::parse);
    let purpose = Field::parse(&cx.app.actions.key_format, &form.purpose, Purpose::parse);
    let expiry = typed_expiry.parse(&cx.zone);
    let refuse = |dialog| render(StatusCode::UNPROCESSABLE_ENTITY, &cx, dialog);
    let offered = expiry::offered(&cx).await?.with_typed(&typed_expiry);
    let dialog = AddKey {
        name: name.as_ref().err().cloned().unwrap_or_else(|| Field::new(&form.name)),
        purpose: purpose.as_ref().err().cloned().unwrap_or_else(|| Field::new(&form.purpose)),
        unclear_name: name.as_ref().ok().and_then(|name| unclear_name(&cx, name, &form.unclear_name)),
        is_outdated: submission.is_none(),
        expiry: match expiry {
            Ok(_) => offered,
            Err(error) => offered.with_error(error),
        },
        ..AddKey::default()
    };
    let (Some(submission), Ok(name), Ok(purpose), Ok(expiry)) = (submission, name, purpose, expiry) else {
        return refuse(dialog).await;
    };
    if dialog.unclear_name.is_some() {
        return refuse(dialog).await;
    }
    let request = NewKeyRequest { name, expiry, purpose };
    match cx.perform(move |actions, context| actions.create_key(context, &request, submission)).await? {
        Ok(created) => new_key::show(&cx, created, None).await,
        Err(CreateKeyError::Expiry(error)) => {
            refuse(AddKey { expiry: dialog.expiry.with_error(error), ..dialog }).await
        }
        Err(CreateKeyError::NameTaken(name, active)) => {
            let taken = ConflictingKey { name, rotate_path: paths::rotate_api_key(&active.to_string()) };
            refuse(AddKey { taken: Some(taken), ..dialog }).await
        }
        Err(error) => Err(error.into()),
    }
}

/// A name that tells nothing, unless the form has warned of it before.
fn unclear_name(cx: &PageContext, name: &ServiceAccountName, warned_of: &str) -> Option<String> {
    let is_unclear = tells_nothing(name.as_str(), &cx.app.actions.platform_name) && warned_of != name.as_str();
    is_unclear.then(|| name.as_str().to_owned())
}

impl From<CreateKeyError> for PageError {
    fn from(error: CreateKeyError) -> Self {
        match error {
            CreateKeyError::AlreadyShown => Self::KeyAlreadyShown,
            CreateKeyError::Denied(denied) => denied.into(),
            CreateKeyError::Store(error) => error.into(),
            CreateKeyError::Expiry(_) | CreateKeyError::NameTaken(..) | CreateKeyError::UnknownOwner => {
                Self::Internal(error.to_string())
            }
        }
    }
}

/// Renders the form with a new submission token.
async fn render(status: StatusCode, cx: &PageContext, dialog: AddKey) -> Result<HttpResponse, PageError> {
    let dialog = AddKey { submission: submission::issue(cx, KeyForm::Create), ..dialog };
    html(status, &list::load::with_dialog(cx, dialog.into_dialog()).await?)
}
