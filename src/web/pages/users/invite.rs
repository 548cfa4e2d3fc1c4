//! The dialog that adds a user, and the dialog that shows an invitation link.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde::Deserialize;

use super::load;
use crate::actions::{IssuedInvitation, NewUser};
use crate::domain::key::api_key::KeyFormat;
use crate::domain::text::name::PersonName;
use crate::domain::user::email::EmailAddress;
use crate::domain::user::profile::Role;
use crate::http::body::FormBody;
use crate::web::app::error::PageError;
use crate::web::app::guards::Admin;
use crate::web::app::page_context::PageContext;
use crate::web::app::respond::{html, html_with_secret};
use crate::web::app::time::view::TimeView;
use crate::web::components::dialog::Dialog;
use crate::web::components::field::Field;
use crate::web::paths::{self, USERS};

#[derive(Clone, Debug, Template)]
#[template(path = "users/invite.html")]
pub struct AddUser {
    pub name: Field,
    pub email: Field,
    /// Holds the form value of a [`Role`].
    pub role: Field,
}

impl Default for AddUser {
    /// The empty form, with the less privileged role selected.
    fn default() -> Self {
        Self { name: Field::default(), email: Field::default(), role: Field::new(Role::Auditor.as_str()) }
    }
}

impl AddUser {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        let has_error = self.name.error.is_some() || self.email.error.is_some() || self.role.error.is_some();
        Dialog::form("Add user", has_error, self)
    }

    /// The field to focus: the first one with an error, else the first one.
    fn focus(&self) -> &'static str {
        let fields = [("name", &self.name), ("email", &self.email), ("role", &self.role)];
        fields.into_iter().find(|(_, field)| field.error.is_some()).map_or("name", |(name, _)| name)
    }
}

/// An invitation link for the admin to send, shown once.
#[derive(Clone, Debug, Template)]
#[template(path = "users/invitation_link.html")]
pub struct InvitationLink {
    pub user_id: String,
    pub name: String,
    pub email: String,
    pub link: String,
    pub until: TimeView,
}

impl InvitationLink {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        Dialog::secret(format!("Send this link to {}", self.name), self)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct NewUserForm {
    name: String,
    email: String,
    role: String,
}

impl NewUserForm {
    fn parse(&self, format: &KeyFormat) -> Result<(PersonName, EmailAddress, Role), Box<AddUser>> {
        let name = Field::parse(format, &self.name, PersonName::parse);
        let email = Field::parse(format, &self.email, EmailAddress::parse);
        let role = Role::parse(&self.role).ok_or_else(|| Field::invalid("", "Select a role"));
        match (name, email, role) {
            (Ok(name), Ok(email), Ok(role)) => Ok((name, email, role)),
            (name, email, role) => Err(Box::new(AddUser {
                name: name.err().unwrap_or_else(|| Field::new(&self.name)),
                email: email.err().unwrap_or_else(|| Field::new(&self.email)),
                role: role.err().unwrap_or_else(|| Field::new(&self.role)),
            })),
        }
    }
}

pub async fn show(Admin(cx): Admin) -> Result<HttpResponse, PageError> {
    html(StatusCode::OK, &load::with_dialog(&cx, AddUser::default().into_dialog()).await?)
}

pub async fn submit(Admin(cx): Admin, body: FormBody) -> Result<HttpResponse, PageError> {
    let form: NewUserForm = body.form().await?;
    let (name, email, role) = match form.parse(&cx.app.actions.key_format) {
        Ok(parsed) => parsed,
        Err(dialog) => return refuse(&cx, *dialog).await,
    };
    let address = email.clone();
    let invited =
        cx.perform(move |actions, context| actions.invite_user(context, &NewUser { role, name: &name, email: &email }));
    match invited.await? {
        Ok(invitation) => show_link(&cx, &invitation, address.as_str()).await,
        Err(error) => {
            let email = Field::invalid(form.email, error.to_string());
            refuse(&cx, AddUser { name: Field::new(form.name), email, role: Field::new(form.role) }).await
        }
    }
}

async fn refuse(cx: &PageContext, dialog: AddUser) -> Result<HttpResponse, PageError> {
    html(StatusCode::UNPROCESSABLE_ENTITY, &load::with_dialog(cx, dialog.into_dialog()).await?)
}

/// Shows a new link, once.
pub async fn show_link(
    cx: &PageContext,
    invitation: &IssuedInvitation,
    email: &str,
) -> Result<HttpResponse, PageError> {
    let link = InvitationLink {
        user_id: invitation.user_id.to_string(),
        name: invitation.name.clone(),
        email: email.to_owned(),
        link: paths::invitation_link(&cx.app.public_url, &invitation.token),
        until: cx.zone.date_time(invitation.expires_at),
    };
    html_with_secret(StatusCode::CREATED, &load::with_dialog(cx, link.into_dialog()).await?)
}
