//! The view of the users list.

use askama::Template;

use crate::domain::user::profile::Role;
use crate::web::app::text::pluralized;
use crate::web::app::time::view::TimeView;
use crate::web::components::dialog::Dialog;
use crate::web::components::layout::PageLayout;
use crate::web::components::navigation::{NavItem, Navigation};
use crate::web::components::paging::Pager;
use crate::web::components::people::{ActorView, Person};
use crate::web::paths::{self, USERS};
use crate::web::url::with_query;

#[derive(Template)]
#[template(path = "users/page.html")]
pub struct UsersPage {
    pub layout: PageLayout,
    pub rows: Vec<UserRow>,
    pub pager: Pager,
    /// The number of users in the company.
    pub total: u64,
    /// True for admins. Auditors see no buttons.
    pub can_change: bool,
    /// From `Zone::label`.
    pub zone: String,
    pub banner: Option<UsersBanner>,
    pub dialog: Option<Dialog>,
}

#[derive(Clone, Debug)]
pub struct UserRow {
    pub id: String,
    pub person: Person,
    pub email: String,
    pub role: Role,
    pub has_second_factor: bool,
    pub last_sign_in: LastSignIn,
    /// This is the signed-in user.
    pub is_you: bool,
    /// This is the only admin who can sign in, whose role and account cannot change.
    pub is_only_admin: bool,
}

impl UserRow {
    fn has_signed_in(&self) -> bool {
        matches!(self.last_sign_in, LastSignIn::At(_))
    }
}

#[derive(Clone, Debug)]
pub enum LastSignIn {
    At(TimeView),
    NotYet,
    /// The user has not opened the invitation link yet.
    Invited,
}

/// Reports the change that led to this page, as the trail records it.
#[derive(Clone, Debug)]
pub enum UsersBanner {
    RoleChanged { name: String, role: Role },
    Deleted { keys_handed_over: u64, keys_revoked: u64, new_owner: Option<ActorView> },
}

impl UsersPage {
    const NAVIGATION: Navigation = Navigation::On(NavItem::Users);

    /// The title of the page behind a dialog.
    fn page_title(&self) -> String {
        format!("Users – Access Control – {}", self.layout.company)
    }

    fn title(&self) -> String {
        let page = self.page_title();
        self.dialog.as_ref().map_or_else(|| page.clone(), |dialog| dialog.document_title(" – ", &page))
    }

    fn summary(&self) -> String {
        pluralized(self.total, "user", "users")
    }

    pub fn page_href(cursor: &str) -> String {
        with_query(USERS, &[("cursor", cursor)])
    }
}
