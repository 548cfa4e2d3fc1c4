//! Changing what a user may do.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};

use super::list::UsersOverlay;
use super::listing;
use crate::actions::ChangeUserError;
use crate::domain::user::Role;
use crate::edge::body::FormBody;
use crate::edge::caller::Caller;
use crate::store::User;
use crate::web::error::PageError;
use crate::web::guards::{Admin, SignedIn};
use crate::web::page::Field;
use crate::web::paths::USERS;
use crate::web::time::Zone;
use crate::web::{Site, blocking, done, html};

/// The form over the list.
#[derive(Clone, Debug)]
pub struct ChangeRole {
    pub user_id: String,
    pub name: String,
    /// The word of a [`Role`](crate::domain::user::Role).
    pub role: Field,
    pub is_you: bool,
    /// Or was invited, and has not come yet.
    pub has_signed_in: bool,
}

impl ChangeRole {
    /// Where the form is sent, and where its page is.
    #[must_use]
    pub fn path(user_id: &str) -> String {
        format!("{USERS}/{user_id}/role")
    }

    /// Where to start from: at what is wrong, else at the safe choice.
    pub(super) fn focus(&self) -> &'static str {
        if self.role.error.is_some() { "role" } else { "cancel" }
    }
}

pub(in crate::web) async fn show(
    Admin(admin): Admin,
    id: Path<String>,
    zone: Zone,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let user = listing::find(&site, &admin, &id).await?;
    let role = Field::kept(user.role.as_str());
    draw(StatusCode::OK, &user, role, &admin, &zone, &site).await
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
    let Some(role) = Role::parse(fields.one("role")?) else {
        let field = Field::refused(user.role.as_str(), "Choose one of the roles");
        return draw(StatusCode::UNPROCESSABLE_ENTITY, &user, field, &admin, &zone, &site).await;
    };
    let (actions, origin) = (site.actions.clone(), caller.as_origin(admin.actor()));
    let (company_id, user_id) = (admin.company.id, user.id);
    let changed = blocking(move || match actions.change_role(company_id, user_id, role, &origin) {
        Err(ChangeUserError::Store(error)) => Err(PageError::from(error)),
        other => Ok(other),
    });
    match changed.await? {
        Ok(event) => Ok(done::lead_to(USERS, event)),
        Err(ChangeUserError::Unknown) => Err(PageError::NoUser),
        Err(refused) => {
            let field = Field::refused(role.as_str(), refused.to_string());
            draw(StatusCode::UNPROCESSABLE_ENTITY, &user, field, &admin, &zone, &site).await
        }
    }
}

async fn draw(
    status: StatusCode,
    user: &User,
    role: Field,
    admin: &SignedIn,
    zone: &Zone,
    site: &Data<Site>,
) -> Result<HttpResponse, PageError> {
    let form = ChangeRole {
        user_id: user.id.to_string(),
        name: user.name.clone(),
        role,
        is_you: user.id == admin.user_id,
        has_signed_in: user.last_signed_in_at.is_some(),
    };
    html(status, &listing::load_beneath(site, admin, zone, UsersOverlay::ChangeRole(form)).await?)
}
