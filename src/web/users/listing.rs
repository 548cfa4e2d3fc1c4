//! The Users page: reads what the address asks for, and loads what is drawn.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

use super::cursor;
use super::list::{LastSignIn, UserRow, UsersBanner, UsersOverlay, UsersPage};
use crate::domain::action::Action;
use crate::domain::event::Event;
use crate::domain::ids::UserId;
use crate::domain::user::Role;
use crate::edge::body::Fields;
use crate::store::{StoreError, User, UserPaging};
use crate::web::error::PageError;
use crate::web::guards::SignedIn;
use crate::web::page::{Person, Who};
use crate::web::paging::{self, PAGE_SIZE, Pager, Reached};
use crate::web::request::Query;
use crate::web::time::Zone;
use crate::web::{Site, blocking, done, html};

/// So many people are offered as owners: more could not be found in a list anyway.
const PEOPLE_OFFERED: i64 = 1_000;

pub(in crate::web) async fn show(
    signed_in: SignedIn,
    query: Query,
    zone: Zone,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let paging = match query.0.given("cursor")? {
        None => UserPaging::First,
        Some(cursor) => cursor::read(cursor).ok_or(PageError::NoPage)?,
    };
    let banner = banner(&site, &signed_in, &query.0).await?;
    let page = load(&site, &signed_in, &zone, paging).await?;
    html(StatusCode::OK, &UsersPage { banner, ..page })
}

/// The list as it is reached first, for something to lie over.
pub(super) async fn load_beneath(
    site: &Data<Site>,
    signed_in: &SignedIn,
    zone: &Zone,
    overlay: UsersOverlay,
) -> Result<UsersPage, PageError> {
    let page = load(site, signed_in, zone, UserPaging::First).await?;
    Ok(UsersPage { overlay, ..page })
}

/// The user that a path names.
pub(super) async fn find(site: &Data<Site>, admin: &SignedIn, id: &str) -> Result<User, PageError> {
    let (id, company_id) = (UserId::parse(id).ok_or(PageError::NoUser)?, admin.company.id);
    let store = site.actions.store.clone();
    blocking(move || store.ask(|questions| questions.user(company_id, id))).await?.ok_or(PageError::NoUser)
}

/// The people whom a key can belong to, in the order of their names.
pub(in crate::web) async fn people(site: &Data<Site>, admin: &SignedIn) -> Result<Vec<User>, PageError> {
    let (store, company_id) = (site.actions.store.clone(), admin.company.id);
    blocking(move || store.ask(|questions| questions.list_users(company_id, &UserPaging::First, PEOPLE_OFFERED))).await
}

async fn load(
    site: &Data<Site>,
    signed_in: &SignedIn,
    zone: &Zone,
    mut paging: UserPaging,
) -> Result<UsersPage, PageError> {
    let (store, company_id) = (site.actions.store.clone(), signed_in.company.id);
    let (mut users, total, paging) = blocking(move || {
        store.read(|questions| {
            let mut users = questions.list_users(company_id, &paging, paging::limit())?;
            if matches!(paging, UserPaging::Before(_)) && users.len() < PAGE_SIZE {
                // Going back reached the beginning with less than a page: the first page is what is meant.
                paging = UserPaging::First;
                users = questions.list_users(company_id, &paging, paging::limit())?;
            }
            Ok::<_, StoreError>((users, questions.count_users(company_id)?, paging))
        })
    })
    .await?;
    let reached = match paging {
        UserPaging::First => Reached::First,
        UserPaging::After(_) => Reached::Onwards,
        UserPaging::Before(_) => Reached::Backwards,
    };
    let (back, on) = (
        |user: &User| UsersPage::page_href(&cursor::before(user)),
        |user: &User| UsersPage::page_href(&cursor::after(user)),
    );
    let pager = Pager::cut(&mut users, reached, back, on);
    Ok(UsersPage {
        shell: site.shell(signed_in),
        rows: users.into_iter().map(|user| row(user, signed_in, zone)).collect(),
        pager,
        total: u64::try_from(total).unwrap_or(0),
        can_change: signed_in.role == Role::Admin,
        zone: zone.label(site.actions.clock.now()),
        banner: None,
        overlay: UsersOverlay::None,
    })
}

fn row(user: User, signed_in: &SignedIn, zone: &Zone) -> UserRow {
    UserRow {
        id: user.id.to_string(),
        person: Person::named(user.name),
        email: user.email,
        role: user.role,
        has_second_factor: user.has_second_factor,
        last_sign_in: match user.last_signed_in_at {
            Some(at) => LastSignIn::At(zone.date_time(at)),
            None if user.has_password => LastSignIn::NotYet,
            None => LastSignIn::Invited,
        },
        is_you: user.id == signed_in.user_id,
    }
}

async fn banner(site: &Data<Site>, signed_in: &SignedIn, query: &Fields) -> Result<Option<UsersBanner>, PageError> {
    let Some((action, event)) = done::load(site, signed_in, query).await? else { return Ok(None) };
    match action {
        Action::UserRoleChanged => {
            let Some(id) = UserId::parse(&event.target_id) else { return Ok(None) };
            let (store, company_id) = (site.actions.store.clone(), signed_in.company.id);
            let user = blocking(move || store.ask(|questions| questions.user(company_id, id))).await?;
            Ok(user.map(|user| UsersBanner::RoleChanged { name: user.name, role: user.role }))
        }
        Action::UserDeleted => deleted(site, signed_in, &event).await.map(Some),
        _ => Ok(None),
    }
}

async fn deleted(site: &Data<Site>, signed_in: &SignedIn, event: &Event) -> Result<UsersBanner, PageError> {
    let number = |name| event.detail(name).and_then(|value| value.as_u64()).unwrap_or(0);
    let new_owner = event.detail("new_owner").and_then(|id| UserId::parse(id.as_str()?));
    let (store, company_id) = (site.actions.store.clone(), signed_in.company.id);
    let names = blocking(move || store.ask(|questions| questions.names_of(company_id, new_owner))).await?;
    Ok(UsersBanner::Deleted {
        keys_handed_over: number("keys_handed_over"),
        keys_revoked: number("keys_revoked"),
        new_owner: new_owner.map(|id| Who::user(names.get(&id).cloned())),
    })
}
