//! Loads the users list, single users and possible key owners.

use super::cursor;
use super::view::{LastSignIn, UserRow, UsersPage};
use crate::domain::ids::UserId;
use crate::domain::user::profile::Role;
use crate::store::{User, UserPageRequest};
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::components::dialog::Dialog;
use crate::web::components::layout::PageLayout;
use crate::web::components::paging::{self, PAGE_SIZE, PageDirection, Pager};
use crate::web::components::people::Person;

/// A form offers at most this many owners. A longer list is too long to search by eye.
const MAX_OWNER_OPTIONS: i64 = 1_000;

/// Loads the user with the id from a path.
///
/// # Errors
/// [`PageError::UserNotFound`] if the company has no such user.
pub async fn user(cx: &PageContext, id: &str) -> Result<User, PageError> {
    let (company_id, id) = (cx.company_id(), UserId::parse(id).ok_or(PageError::UserNotFound)?);
    cx.query(move |db| db.users().by_id(company_id, id)).await?.ok_or(PageError::UserNotFound)
}

/// Loads the users who can own a key, sorted by name.
pub async fn possible_owners(cx: &PageContext) -> Result<Vec<User>, PageError> {
    let company_id = cx.company_id();
    cx.query(move |db| db.users().list(company_id, &UserPageRequest::First, MAX_OWNER_OPTIONS)).await
}

/// Loads the first page of the list, with a dialog over it.
pub async fn with_dialog(cx: &PageContext, dialog: Dialog) -> Result<UsersPage, PageError> {
    Ok(UsersPage { dialog: Some(dialog), ..page(cx, UserPageRequest::First).await? })
}

/// Loads one page of the list.
pub async fn page(cx: &PageContext, paging: UserPageRequest) -> Result<UsersPage, PageError> {
    let company_id = cx.company_id();
    let you = cx.user.user_id;
    let (mut users, total, paging, has_colleague) = cx
        .read(move |db| {
            let (mut paging, mut users) = (paging.clone(), db.users().list(company_id, &paging, paging::limit())?);
            if matches!(paging, UserPageRequest::Before(_)) && users.len() < PAGE_SIZE {
                // Paging back reached the start with less than a full page: show the first page.
                paging = UserPageRequest::First;
                users = db.users().list(company_id, &paging, paging::limit())?;
            }
            let has_colleague = db.users().has_another_admin(company_id, you)?;
            Ok((users, db.users().count(company_id)?, paging, has_colleague))
        })
        .await?;
    let direction = match paging {
        UserPageRequest::First => PageDirection::First,
        UserPageRequest::After(_) => PageDirection::Forward,
        UserPageRequest::Before(_) => PageDirection::Backward,
    };
    let previous = |user: &User| UsersPage::page_href(&cursor::before(user));
    let next = |user: &User| UsersPage::page_href(&cursor::after(user));
    let pager = Pager::trim(&mut users, direction, previous, next);
    Ok(UsersPage {
        layout: PageLayout::new(&cx.app, &cx.user),
        rows: users.into_iter().map(|user| row(user, cx, has_colleague)).collect(),
        pager,
        total: u64::try_from(total).unwrap_or(0),
        can_change: cx.can_change(),
        zone: cx.zone.label(cx.now()),
        banner: None,
        dialog: None,
    })
}

fn row(user: User, cx: &PageContext, has_colleague: bool) -> UserRow {
    UserRow {
        id: user.id.to_string(),
        person: Person::named(user.name),
        email: user.email,
        role: user.role,
        has_second_factor: user.has_second_factor,
        last_sign_in: match user.last_signed_in_at {
            Some(at) => LastSignIn::At(cx.zone.date_time(at)),
            None if user.has_password => LastSignIn::NotYet,
            None => LastSignIn::Invited,
        },
        is_you: user.id == cx.user.user_id,
        is_only_admin: user.id == cx.user.user_id && user.role == Role::Admin && !has_colleague,
    }
}
