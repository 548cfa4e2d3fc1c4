//! The sign-in page as it is drawn.

use askama::Template;

use crate::web::page::OutsideShell;

#[derive(Template)]
#[template(path = "sign_in/page.html")]
pub struct SignInPage {
    pub shell: OutsideShell,
    /// Kept after a failure; the password never is.
    pub email: String,
    /// A local path to go on to.
    pub next: Option<String>,
    pub notice: Option<SignInNotice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInNotice {
    /// One message for all causes.
    Incorrect,
    Throttled {
        minutes: u64,
    },
    SignedOut,
}

impl SignInPage {
    fn title(&self) -> String {
        let error = if self.failed() { "Error: " } else { "" };
        format!("{error}Sign in – {} administration", self.shell.platform)
    }

    fn failed(&self) -> bool {
        matches!(self.notice, Some(SignInNotice::Incorrect | SignInNotice::Throttled { .. }))
    }
}
