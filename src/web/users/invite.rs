//! Add user: the form, and the one answer that shows the link for a new user, or for one who lost theirs.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};

use super::list::UsersOverlay;
use super::listing;
use crate::actions::{AddUserError, ChangeUserError, Invited, NewUser};
use crate::domain::email::EmailAddress;
use crate::domain::name::PersonName;
use crate::domain::user::Role;
use crate::edge::body::FormBody;
use crate::edge::caller::Caller;
use crate::web::error::PageError;
use crate::web::guards::{Admin, SignedIn};
use crate::web::page::{Field, ShownTime};
use crate::web::paths::{self, USERS};
use crate::web::time::Zone;
use crate::web::{Site, blocking, html, html_with_secret};

/// The form over the list.
#[derive(Clone, Debug)]
pub struct AddUser {
    pub name: Field,
    pub email: Field,
    /// The word of a [`Role`].
    pub role: Field,
}

impl Default for AddUser {
    /// The form as it is opened, with the role that can do less.
    fn default() -> Self {
        Self { name: Field::default(), email: Field::default(), role: Field::kept(Role::Auditor.as_str()) }
    }
}

impl AddUser {
    pub(super) fn failed(&self) -> bool {
        self.name.error.is_some() || self.email.error.is_some() || self.role.error.is_some()
    }

    /// The field to start from: the first that is wrong, else the first.
    pub(super) fn focus(&self) -> &'static str {
        let fields = [("name", &self.name), ("email", &self.email), ("role", &self.role)];
        fields.into_iter().find(|(_, field)| field.error.is_some()).map_or("name", |(name, _)| name)
    }
}

/// The link that an admin sends, shown in this one answer.
#[derive(Clone, Debug)]
pub struct InvitationLink {
    pub user_id: String,
    pub name: String,
    pub email: String,
    pub link: String,
    pub until: ShownTime,
}

impl InvitationLink {
    /// Where a fresh link is asked for.
    #[must_use]
    pub fn path(user_id: &str) -> String {
        format!("{USERS}/{user_id}/invitation")
    }
}

pub(in crate::web) async fn show(Admin(admin): Admin, zone: Zone, site: Data<Site>) -> Result<HttpResponse, PageError> {
    let overlay = UsersOverlay::AddUser(AddUser::default());
    html(StatusCode::OK, &listing::load_beneath(&site, &admin, &zone, overlay).await?)
}

pub(in crate::web) async fn submit(
    Admin(admin): Admin,
    body: FormBody,
    zone: Zone,
    caller: Caller,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let fields = body.fields().await?;
    let typed = [fields.one("name")?, fields.one("email")?, fields.one("role")?];
    let name = site.name_field(typed[0], PersonName::parse);
    let email = site.name_field(typed[1], EmailAddress::parse);
    let role = Role::parse(typed[2]).ok_or_else(|| Field::refused("", "Choose one of the roles"));
    let kept = |field: Option<Field>, value: &str| field.unwrap_or_else(|| Field::kept(value));
    let form = |name: Option<Field>, email: Option<Field>, role: Option<Field>| AddUser {
        name: kept(name, typed[0]),
        email: kept(email, typed[1]),
        role: kept(role, typed[2]),
    };
    let (name, email, role) = match (name, email, role) {
        (Ok(name), Ok(email), Ok(role)) => (name, email, role),
        (name, email, role) => {
            let form = form(name.err(), email.err(), role.err());
            return refuse(form, &admin, &zone, &site).await;
        }
    };
    let (actions, origin, company_id) = (site.actions.clone(), caller.as_origin(admin.actor()), admin.company.id);
    let address = email.clone();
    let invited = blocking(move || {
        let user = NewUser { role, name: &name, email: &email };
        match actions.invite_user(company_id, &user, &origin) {
            Err(AddUserError::Store(error)) => Err(PageError::from(error)),
            other => Ok(other),
        }
    });
    match invited.await? {
        Ok(invited) => draw_link(&invited, address.as_str(), &admin, &zone, &site).await,
        Err(taken) => {
            let email = Field::refused(typed[1], taken.to_string());
            refuse(form(None, Some(email), None), &admin, &zone, &site).await
        }
    }
}

/// A fresh link for somebody who lost theirs, or their password.
pub(in crate::web) async fn renew(
    Admin(admin): Admin,
    id: Path<String>,
    body: FormBody,
    zone: Zone,
    caller: Caller,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let user = listing::find(&site, &admin, &id).await?;
    body.fields().await?;
    let (actions, origin, company_id) = (site.actions.clone(), caller.as_origin(admin.actor()), admin.company.id);
    let invited = blocking(move || match actions.renew_invitation(company_id, user.id, &origin) {
        Err(ChangeUserError::Store(error)) => Err(PageError::from(error)),
        Err(_) => Err(PageError::NoUser),
        Ok(invited) => Ok(invited),
    });
    draw_link(&invited.await?, &user.email, &admin, &zone, &site).await
}

async fn refuse(form: AddUser, admin: &SignedIn, zone: &Zone, site: &Data<Site>) -> Result<HttpResponse, PageError> {
    let page = listing::load_beneath(site, admin, zone, UsersOverlay::AddUser(form)).await?;
    html(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

async fn draw_link(
    invited: &Invited,
    email: &str,
    admin: &SignedIn,
    zone: &Zone,
    site: &Data<Site>,
) -> Result<HttpResponse, PageError> {
    let link = InvitationLink {
        user_id: invited.user_id.to_string(),
        name: invited.name.clone(),
        email: email.to_owned(),
        link: paths::invitation_link(&site.public_url, &invited.token),
        until: zone.date_time(invited.expires_at),
    };
    html_with_secret(
        StatusCode::CREATED,
        &listing::load_beneath(site, admin, zone, UsersOverlay::Invitation(link)).await?,
    )
}
