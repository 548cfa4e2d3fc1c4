//! Editing a key: what its service account is called, and whom it belongs to.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};

use super::key_page::KeyOverlay;
use super::one_key::{self, Found};
use crate::actions::EditKeyError;
use crate::domain::api_key::KeyState;
use crate::domain::ids::UserId;
use crate::domain::name::ServiceAccountName;
use crate::edge::body::FormBody;
use crate::edge::caller::Caller;
use crate::web::error::PageError;
use crate::web::guards::{Admin, SignedIn};
use crate::web::keys::key_page::KeyPage;
use crate::web::page::Field;
use crate::web::time::Zone;
use crate::web::users::listing;
use crate::web::{Site, blocking, done, html};

/// The dialog over the key's page.
#[derive(Clone, Debug)]
pub struct Edit {
    pub key_id: String,
    pub current_name: String,
    pub name: Field,
    /// The id of one of the people, or of the deleted owner.
    pub owner: Field,
    /// Id and name of everybody it can belong to.
    pub people: Vec<(String, String)>,
    /// The id of the present owner, where that user is deleted.
    pub deleted_owner: Option<String>,
}

impl Edit {
    /// Where the form is sent, and where its page is.
    #[must_use]
    pub fn path(key_id: &str) -> String {
        format!("{}/edit", KeyPage::path(key_id))
    }

    pub(super) fn failed(&self) -> bool {
        self.name.error.is_some() || self.owner.error.is_some()
    }

    /// The field to start from: the first that is wrong, else the first.
    pub(super) fn focus(&self) -> &'static str {
        if self.name.error.is_none() && self.owner.error.is_some() { "owner" } else { "name" }
    }

    pub(super) fn is_owner(&self, id: &str) -> bool {
        self.owner.value == id
    }
}

pub(in crate::web) async fn show(
    Admin(admin): Admin,
    id: Path<String>,
    zone: Zone,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let found = find(&site, &admin, &id).await?;
    let (name, owner) = (Field::kept(&found.key.name), Field::kept(found.key.owner.to_string()));
    draw(StatusCode::OK, &found, name, owner, &admin, &zone, &site).await
}

pub(in crate::web) async fn submit(
    Admin(admin): Admin,
    id: Path<String>,
    body: FormBody,
    zone: Zone,
    caller: Caller,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let found = find(&site, &admin, &id).await?;
    let fields = body.fields().await?;
    let (typed, typed_owner) = (fields.one("name")?, fields.one("owner")?);
    // A form without an owner changes none.
    let owner = match typed_owner {
        "" => None,
        id => Some(UserId::parse(id).ok_or(PageError::NoUser)?),
    };
    // Before the name is looked at: whoever does not exist is the same 404 whatever else was typed.
    if let Some(new_owner) = owner.filter(|owner| *owner != found.key.owner) {
        let (store, company_id) = (site.actions.store.clone(), admin.company.id);
        let user = blocking(move || store.ask(|questions| questions.user(company_id, new_owner)));
        user.await?.ok_or(PageError::NoUser)?;
    }
    let refuse = |name, owner| draw(StatusCode::UNPROCESSABLE_ENTITY, &found, name, owner, &admin, &zone, &site);
    let name = match site.name_field(typed, ServiceAccountName::parse) {
        Ok(name) => name,
        Err(field) => return refuse(field, Field::kept(typed_owner)).await,
    };
    let (actions, origin) = (site.actions.clone(), caller.as_origin(admin.actor()));
    let (company_id, key_id) = (admin.company.id, found.key.id);
    let edited = blocking(move || match actions.edit_key(company_id, key_id, &name, owner, &origin) {
        Err(EditKeyError::Store(error)) => Err(PageError::from(error)),
        other => Ok(other),
    });
    match edited.await? {
        Ok(events) => Ok(done::lead_to(&KeyPage::path(&key_id.to_string()), events.first().copied())),
        Err(EditKeyError::UnknownOwner) => Err(PageError::NoUser),
        Err(EditKeyError::Unknown) => Err(PageError::NoKey),
        Err(revoked @ EditKeyError::Revoked) => Err(PageError::KeyStands(key_id, revoked.to_string())),
        Err(taken) => refuse(Field::refused(typed, taken.to_string()), Field::kept(typed_owner)).await,
    }
}

async fn find(site: &Data<Site>, admin: &SignedIn, id: &str) -> Result<Found, PageError> {
    let found = one_key::find(site, admin, id).await?;
    if found.key.state(site.actions.clock.now()) == KeyState::Revoked {
        return Err(PageError::KeyStands(found.key.id, EditKeyError::Revoked.to_string()));
    }
    Ok(found)
}

async fn draw(
    status: StatusCode,
    found: &Found,
    name: Field,
    owner: Field,
    admin: &SignedIn,
    zone: &Zone,
    site: &Data<Site>,
) -> Result<HttpResponse, PageError> {
    let people = listing::people(site, admin).await?.into_iter();
    let people = people.map(|user| (user.id.to_string(), user.name)).collect();
    let present = found.key.owner.to_string();
    let form = Edit {
        key_id: found.key.id.to_string(),
        current_name: found.key.name.clone(),
        name,
        owner,
        deleted_owner: Some(present).filter(|_| !found.names.contains_key(&found.key.owner)),
        people,
    };
    html(status, &one_key::load_beneath(site, admin, zone, found, KeyOverlay::Edit(form)).await?)
}
