//! The page that says in one sentence why there is nothing else to show. Drawn without session data, so that it
//! can always be drawn.

use askama::Template;

use crate::domain::ids::KeyId;
use crate::web::keys::address::LIST;
use crate::web::keys::key_page::KeyPage;
use crate::web::page::OutsideShell;
use crate::web::paths;

#[derive(Template)]
#[template(path = "message/page.html")]
pub struct MessagePage {
    pub shell: OutsideShell,
    pub message: Message,
    /// Told to whoever looks for the cause in the log.
    pub request_id: Option<String>,
}

/// What is said, and the way on where there is one.
#[derive(Clone, Debug)]
pub struct Message {
    pub heading: &'static str,
    pub sentence: String,
    pub link: Option<MessageLink>,
}

#[derive(Clone, Debug)]
pub struct MessageLink {
    pub href: String,
    pub text: &'static str,
}

impl Message {
    #[must_use]
    pub fn new(heading: &'static str, sentence: impl Into<String>) -> Self {
        Self { heading, sentence: sentence.into(), link: None }
    }

    #[must_use]
    pub fn with_link(self, href: impl Into<String>, text: &'static str) -> Self {
        Self { link: Some(MessageLink { href: href.into(), text }), ..self }
    }

    /// For whoever has no page of their own to return to.
    fn with_the_start(self) -> Self {
        self.with_link("/", "Go to the start page")
    }

    /// 400: not decodable, or a field given twice.
    #[must_use]
    pub fn bad_request() -> Self {
        Self::new("Not understood", "The request could not be read. Go back, reload the page and send it again.")
            .with_the_start()
    }

    /// 403: an auditor at a form.
    #[must_use]
    pub fn admins_only() -> Self {
        Self::new("Not allowed", "You need to be an administrator to do this.").with_link(LIST, "Back to API keys")
    }

    /// 403: a form sent from elsewhere.
    #[must_use]
    pub fn cross_site() -> Self {
        Self::new("Not accepted", "The request came from another site. Open the page here and send it again.")
            .with_the_start()
    }

    /// 403: set-up without its token.
    #[must_use]
    pub fn setup_link_needed() -> Self {
        Self::new("Set-up link needed", "Open the link printed in the terminal.")
    }

    /// 404.
    #[must_use]
    pub fn no_page() -> Self {
        Self::new("Not found", "This page does not exist.").with_the_start()
    }

    /// 404: no such key in this company.
    #[must_use]
    pub fn no_key() -> Self {
        Self::new("Not found", "This API key does not exist.").with_link(LIST, "Back to API keys")
    }

    /// 404: no such user in this company.
    #[must_use]
    pub fn no_user() -> Self {
        Self::new("Not found", "This user does not exist.").with_link(paths::USERS, "Back to users")
    }

    /// 404: a link to choose a password that was used, has expired or never was.
    #[must_use]
    pub fn dead_invitation() -> Self {
        Self::new("Link no longer works", "This link no longer works. Ask an administrator for a new one.")
            .with_link(paths::SIGN_IN, "Go to sign-in")
    }

    /// 409: what is asked for is not possible in the state that the key is in.
    #[must_use]
    pub fn key_stands(id: KeyId, sentence: &str) -> Self {
        Self::new("Not possible any more", sentence).with_link(KeyPage::path(&id.to_string()), "Back to the key")
    }

    /// 405.
    #[must_use]
    pub fn wrong_method() -> Self {
        Self::new(
            "Not possible here",
            "This address does not take such a request. Open it from the page that links to it.",
        )
        .with_the_start()
    }

    /// 408.
    #[must_use]
    pub fn too_slow() -> Self {
        Self::new("Timed out", "The request took too long to arrive. Go back and send it again.").with_the_start()
    }

    /// 409: a form for a new key, sent again.
    #[must_use]
    pub fn key_already_shown() -> Self {
        Self::new(
            "Already shown",
            "This key was already shown. If you did not save it, revoke it and create a new one.",
        )
        .with_link(LIST, "Back to API keys")
    }

    /// 413.
    #[must_use]
    pub fn too_large() -> Self {
        Self::new("Too large", "The request is larger than 64 KiB. Go back, shorten what you typed and send it again.")
            .with_the_start()
    }

    /// 415.
    #[must_use]
    pub fn wrong_type() -> Self {
        Self::new("Wrong format", "Send the form from its page, as application/x-www-form-urlencoded.").with_the_start()
    }

    /// 503: more people sign in than passwords can be checked.
    #[must_use]
    pub fn too_many_at_once(again: impl Into<String>) -> Self {
        Self::new("Too busy", "Too many people are signing in at this moment. Try again in a few seconds.")
            .with_link(again, "Try again")
    }

    /// 500.
    #[must_use]
    pub fn internal_error() -> Self {
        Self::new("Something went wrong", "Something went wrong on our side. Check the list before you try again.")
            .with_link(LIST, "Back to API keys")
    }

    /// 503: `again` is the page to try, the form's own for a form.
    #[must_use]
    pub fn database_unreachable(again: impl Into<String>) -> Self {
        Self::new("Database out of reach", "The database cannot be reached. Nothing can be changed until it is back.")
            .with_link(again, "Try again")
    }
}

impl MessagePage {
    fn title(&self) -> String {
        format!("{} – {} administration", self.message.heading, self.shell.platform)
    }
}
