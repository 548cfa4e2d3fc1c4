//! The set-up page as it is drawn: the first company and its first admin.

use askama::Template;

use crate::web::keys::address::with_query;
use crate::web::page::{Field, OutsideShell};

#[derive(Template)]
#[template(path = "setup/page.html")]
pub struct SetupPage {
    pub shell: OutsideShell,
    /// The one-time token of the printed link.
    pub token: String,
    pub company_name: Field,
    pub name: Field,
    pub email: Field,
    /// The password is never kept, only what is wrong with it.
    pub password_error: Option<String>,
}

impl SetupPage {
    fn title(&self) -> String {
        let failed = self.company_name.error.is_some()
            || self.name.error.is_some()
            || self.email.error.is_some()
            || self.password_error.is_some();
        format!("{}Set up {} administration", if failed { "Error: " } else { "" }, self.shell.platform)
    }

    fn action(&self) -> String {
        with_query("/setup", &[("token", &self.token)])
    }

    /// The field to start from: the first that is wrong, else the first.
    fn focus(&self) -> &'static str {
        if self.company_name.error.is_some() {
            "company_name"
        } else if self.name.error.is_some() {
            "name"
        } else if self.email.error.is_some() {
            "email"
        } else if self.password_error.is_some() {
            "password"
        } else {
            "company_name"
        }
    }
}
