//! Deleting a user: the question before it, and what becomes of their keys.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};

use super::list::UsersOverlay;
use super::listing;
use crate::actions::{ChangeUserError, DeleteUserError, KeysLeftBehind};
use crate::domain::ids::UserId;
use crate::domain::user::Role;
use crate::edge::body::FormBody;
use crate::edge::caller::Caller;
use crate::store::{StoreError, User};
use crate::web::error::PageError;
use crate::web::guards::{Admin, SignedIn};
use crate::web::page::{Field, counted, grouped};
use crate::web::paths::USERS;
use crate::web::time::Zone;
use crate::web::{Site, blocking, done, html};

/// So many keys are named; of more, the number is.
const KEYS_NAMED: i64 = 20;

/// The form over the list.
#[derive(Clone, Debug)]
pub struct DeleteUser {
    pub user_id: String,
    pub name: String,
    pub is_you: bool,
    /// Why the user cannot be deleted.
    pub refusal: Option<String>,
    /// The first of their active keys.
    pub keys: Vec<OwnedKey>,
    /// How many more they have.
    pub more_keys: u64,
    /// Whom the keys can be handed to.
    pub heirs: Vec<Heir>,
    pub choice: KeysChoice,
    /// The id of an heir.
    pub new_owner: Field,
}

#[derive(Clone, Debug)]
pub struct OwnedKey {
    pub id: String,
    pub name: String,
    pub preview: String,
}

#[derive(Clone, Debug)]
pub struct Heir {
    pub id: String,
    pub name: String,
    pub role: Role,
}

/// What becomes of the keys: the field `revoke_keys`, `no` or `yes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysChoice {
    HandOver,
    Revoke,
}

impl DeleteUser {
    /// Where the form is sent, and where its page is.
    #[must_use]
    pub fn path(user_id: &str) -> String {
        format!("{USERS}/{user_id}/delete")
    }

    pub(super) fn failed(&self) -> bool {
        self.refusal.is_some() || self.new_owner.error.is_some()
    }

    /// “and 12 more”.
    pub(super) fn more(&self) -> Option<String> {
        (self.more_keys > 0).then(|| format!("and {} more", grouped(self.more_keys)))
    }

    pub(super) fn hands_over(&self) -> bool {
        self.choice == KeysChoice::HandOver
    }

    /// “1 active key belongs to”, “3 active keys belong to”.
    pub(super) fn keys_belong(&self) -> String {
        let count = (self.keys.len() as u64).saturating_add(self.more_keys);
        let verb = if count == 1 { "belongs" } else { "belong" };
        format!("{} {verb} to", counted(count, "active key", "active keys"))
    }
}

pub(in crate::web) async fn show(
    Admin(admin): Admin,
    id: Path<String>,
    zone: Zone,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let user = listing::find(&site, &admin, &id).await?;
    let question = load(&site, &admin, &user).await?;
    html(StatusCode::OK, &listing::load_beneath(&site, &admin, &zone, UsersOverlay::Delete(question)).await?)
}

pub(in crate::web) async fn submit(
    Admin(admin): Admin,
    id: Path<String>,
    body: FormBody,
    zone: Zone,
    caller: Caller,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let user = listing::find(&site, &admin, &id).await?;
    let fields = body.fields().await?;
    let (revoke_keys, new_owner) = (fields.one("revoke_keys")?, fields.one("new_owner")?);
    let decision = match (revoke_keys, new_owner) {
        ("yes" | "on", _) => KeysLeftBehind::Revoke,
        (_, "") => KeysLeftBehind::Undecided,
        (_, owner) => KeysLeftBehind::HandOver(UserId::parse(owner).ok_or(PageError::NoUser)?),
    };
    let (actions, origin) = (site.actions.clone(), caller.as_origin(admin.actor()));
    let (company_id, user_id) = (admin.company.id, user.id);
    let deleted = blocking(move || match actions.delete_user(company_id, user_id, decision, &origin) {
        Err(DeleteUserError::Store(error) | DeleteUserError::Refused(ChangeUserError::Store(error))) => {
            Err(PageError::from(error))
        }
        other => Ok(other),
    });
    let refused = match deleted.await? {
        Ok(event) => return Ok(done::lead_to(USERS, Some(event))),
        Err(DeleteUserError::UnknownOwner | DeleteUserError::Refused(ChangeUserError::Unknown)) => {
            return Err(PageError::NoUser);
        }
        Err(refused) => refused,
    };
    let mut question = load(&site, &admin, &user).await?;
    match decision {
        KeysLeftBehind::HandOver(owner) => question.new_owner.value = owner.to_string(),
        KeysLeftBehind::Revoke => question.choice = KeysChoice::Revoke,
        KeysLeftBehind::Undecided => {}
    }
    match refused {
        DeleteUserError::Undecided => question.new_owner.error = Some(refused.to_string()),
        _ => question.refusal = Some(refused.to_string()),
    }
    let page = listing::load_beneath(&site, &admin, &zone, UsersOverlay::Delete(question)).await?;
    html(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

async fn load(site: &Data<Site>, admin: &SignedIn, user: &User) -> Result<DeleteUser, PageError> {
    let (store, company_id, user_id) = (site.actions.store.clone(), admin.company.id, user.id);
    let now = site.actions.clock.now();
    let (keys, count) = blocking(move || {
        store.read(|questions| {
            let keys = questions.active_keys_of_owner(company_id, user_id, now, KEYS_NAMED)?;
            let count = questions.count_active_keys_of_owner(company_id, user_id, now)?;
            Ok::<_, StoreError>((keys, count))
        })
    })
    .await?;
    let heirs = listing::people(site, admin).await?.into_iter().filter(|colleague| colleague.id != user_id);
    Ok(DeleteUser {
        user_id: user_id.to_string(),
        name: user.name.clone(),
        is_you: user_id == admin.user_id,
        refusal: None,
        more_keys: u64::try_from(count).unwrap_or(0).saturating_sub(keys.len() as u64),
        keys: keys
            .into_iter()
            .map(|key| OwnedKey { id: key.id.to_string(), name: key.name, preview: key.preview })
            .collect(),
        heirs: heirs.map(|heir| Heir { id: heir.id.to_string(), name: heir.name, role: heir.role }).collect(),
        choice: KeysChoice::HandOver,
        new_owner: Field::default(),
    })
}
