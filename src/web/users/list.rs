//! The Users page as it is drawn: the table and whatever lies over it.

use askama::Template;

use crate::domain::user::Role;
use crate::web::keys::address::with_query;
use crate::web::page::{Person, Shell, ShownTime, Who, counted};
use crate::web::paging::Pager;
use crate::web::paths::USERS;
use crate::web::rail::{Rail, RailLink};
use crate::web::users::change_role::ChangeRole;
use crate::web::users::delete::DeleteUser;
use crate::web::users::invite::{AddUser, InvitationLink};

#[derive(Template)]
#[template(path = "users/list.html")]
pub struct UsersPage {
    pub shell: Shell,
    pub rows: Vec<UserRow>,
    pub pager: Pager,
    /// All users of the company.
    pub total: u64,
    /// Admins add, change and delete; auditors see none of it.
    pub can_change: bool,
    /// `Zone::label` now.
    pub zone: String,
    pub banner: Option<UsersBanner>,
    pub overlay: UsersOverlay,
}

/// One user: a line of the table.
#[derive(Clone, Debug)]
pub struct UserRow {
    pub id: String,
    pub person: Person,
    pub email: String,
    pub role: Role,
    pub has_second_factor: bool,
    pub last_sign_in: LastSignIn,
    /// Whoever looks at the page.
    pub is_you: bool,
}

#[derive(Clone, Debug)]
pub enum LastSignIn {
    At(ShownTime),
    NotYet,
    /// Their link has not been used yet.
    Invited,
}

/// What the database says has just been done.
#[derive(Clone, Debug)]
pub enum UsersBanner {
    RoleChanged { name: String, role: Role },
    Deleted { keys_handed_over: u64, keys_revoked: u64, new_owner: Option<Who> },
}

/// What is drawn over the list.
pub enum UsersOverlay {
    None,
    AddUser(AddUser),
    Invitation(InvitationLink),
    ChangeRole(ChangeRole),
    Delete(DeleteUser),
}

impl UsersOverlay {
    fn is_open(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Whether a step aside may close it: what is shown only once stays.
    fn is_dismissible(&self) -> bool {
        !matches!(self, Self::Invitation(_))
    }
}

impl UsersPage {
    const RAIL: Rail = Rail::On(RailLink::Users);

    /// The title of the page behind an overlay.
    fn page_title(&self) -> String {
        format!("Users – Access Control – {}", self.shell.company)
    }

    fn title(&self) -> String {
        let list = self.page_title();
        let (failed, heading) = match &self.overlay {
            UsersOverlay::None => return list,
            UsersOverlay::AddUser(form) => (form.failed(), "Add user".to_owned()),
            UsersOverlay::Invitation(link) => (false, format!("Send this link to {}", link.name)),
            UsersOverlay::ChangeRole(form) => (form.role.error.is_some(), format!("Change the role of {}", form.name)),
            UsersOverlay::Delete(form) => (form.failed(), format!("Delete {}", form.name)),
        };
        format!("{}{heading} – {list}", if failed { "Error: " } else { "" })
    }

    fn summary(&self) -> String {
        counted(self.total, "user", "users")
    }

    pub(super) fn page_href(cursor: &str) -> String {
        with_query(USERS, &[("cursor", cursor)])
    }
}
