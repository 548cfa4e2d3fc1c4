//! The error pages: a heading, a sentence and a link. Without a session they need no data, so they can always be rendered.

use askama::Template;

use crate::domain::ids::KeyId;
use crate::http::body::BodyError;
use crate::web::app::error::PageError;
use crate::web::components::layout::{PageLayout, SignedOutLayout};
use crate::web::components::navigation::Navigation;
use crate::web::paths::{self, API_KEYS};

#[derive(Template)]
#[template(path = "errors/page.html")]
pub struct MessagePage {
    pub layout: SignedOutLayout,
    pub message: Message,
    /// The reference that a user can quote, to find the request in the log.
    pub request_id: Option<String>,
}

/// The error page of a signed-in user, with the navigation.
#[derive(Template)]
#[template(path = "errors/signed_in.html")]
pub struct SignedInMessagePage {
    pub layout: PageLayout,
    pub message: Message,
    /// The reference that a user can quote, to find the request in the log.
    pub request_id: Option<String>,
}

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

    fn with_start_link(self) -> Self {
        self.with_link("/", "Go to API Keys")
    }

    /// 400: the request cannot be decoded, or repeats a field.
    #[must_use]
    pub fn bad_request() -> Self {
        Self::new("Bad request", "The request could not be read. Go back, reload the page and send it again.")
            .with_start_link()
    }

    /// 403: an auditor opened or sent a form.
    #[must_use]
    pub fn admins_only() -> Self {
        Self::new("Not allowed", "You need to be an administrator to do this.").with_link(API_KEYS, "Back to API keys")
    }

    /// 403: another site sent the form.
    #[must_use]
    pub fn cross_site() -> Self {
        Self::new(
            "Request blocked",
            "The request came from another site and was blocked. Reload the page here and try again.",
        )
        .with_start_link()
    }

    /// 403: the request lacks the set-up token.
    #[must_use]
    pub fn setup_token_required() -> Self {
        Self::new("Set-up link needed", "Open the link printed in the terminal.")
    }

    /// 404: the page does not exist.
    #[must_use]
    pub fn page_not_found() -> Self {
        Self::new("Not found", "This page does not exist.").with_start_link()
    }

    /// 404: the company has no such key.
    #[must_use]
    pub fn key_not_found() -> Self {
        Self::new("Not found", "This API key does not exist.").with_link(API_KEYS, "Back to API keys")
    }

    /// 404: the company has no such user.
    #[must_use]
    pub fn user_not_found() -> Self {
        Self::new("Not found", "This user does not exist.").with_link(paths::USERS, "Back to users")
    }

    /// 404: the invitation link was used, has expired or never existed.
    #[must_use]
    pub fn invitation_expired() -> Self {
        Self::new("Ask for a new link", "This link no longer works. Ask an administrator for a new one.")
            .with_link(paths::SIGN_IN, "Go to sign-in")
    }

    /// 409: the state of the key does not allow the request.
    #[must_use]
    pub fn key_state_conflict(id: KeyId, sentence: &str) -> Self {
        Self::new("Nothing was changed", sentence).with_link(paths::api_key(&id.to_string()), "Back to the key")
    }

    /// 405: the page does not take this method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::new("Not possible here", "This page cannot be opened that way. Go back and use the link or button.")
            .with_start_link()
    }

    /// 408: the body arrived too slowly.
    #[must_use]
    pub fn too_slow() -> Self {
        Self::new("Timed out", "The request took too long to arrive. Go back and send it again.").with_start_link()
    }

    /// 409: the form for a new key was sent again.
    #[must_use]
    pub fn key_already_shown() -> Self {
        Self::new(
            "No new key was created",
            "This key was already shown. If you didn’t save it, rotate it to get a new key.",
        )
        .with_link(API_KEYS, "Back to API keys")
    }

    /// 413: the body is too large.
    #[must_use]
    pub fn too_large() -> Self {
        Self::new("Too large", "The request is larger than 64 KiB. Go back, shorten what you typed and send it again.")
            .with_start_link()
    }

    /// 415: the body is not a form.
    #[must_use]
    pub fn unsupported_type() -> Self {
        Self::new("Wrong format", "Send the form from its page, as application/x-www-form-urlencoded.")
            .with_start_link()
    }

    /// 503: too many passwords are being hashed.
    #[must_use]
    pub fn too_many_at_once(retry_path: impl Into<String>) -> Self {
        Self::new("Too busy", "Too many sign-ins right now. Try again in a few seconds.")
            .with_link(retry_path, "Try again")
    }

    /// 500: a defect of the server.
    #[must_use]
    pub fn internal_error() -> Self {
        Self::new(
            "Unexpected error",
            "Something went wrong. Check the list to see whether your change was saved before you try again.",
        )
        .with_link(API_KEYS, "Back to API keys")
    }

    /// 503: the database does not answer.
    #[must_use]
    pub fn database_unreachable(retry_path: impl Into<String>) -> Self {
        Self::new(
            "Database unavailable",
            "The database is not responding, so changes cannot be saved right now. Try again in a moment.",
        )
        .with_link(retry_path, "Try again")
    }

    /// 503: the database did not confirm a change.
    #[must_use]
    pub fn outcome_unknown(form_path: impl Into<String>) -> Self {
        Self::new(
            "Not known whether saved",
            "The database stopped responding. It is not known whether the change was made. Look at the page again before you repeat it.",
        )
        .with_link(form_path, "Open the page again")
    }

    /// 503: the audit trail of the company lacks events.
    #[must_use]
    pub fn went_back(shortfall: &str) -> Self {
        Self::new(
            "Changes are paused",
            format!(
                "The database was put back to an older state: {shortfall}. Nothing was changed. Ask your operator to restore the latest database, or to accept the loss with keydesk restore --accept-loss."
            ),
        )
        .with_link(API_KEYS, "Back to API keys")
    }

    /// The message for an error. Its “Try again” link leads to `retry_path`.
    #[must_use]
    pub fn for_error(error: &PageError, retry_path: &str) -> Self {
        match error {
            PageError::AdminsOnly => Self::admins_only(),
            PageError::CrossSite => Self::cross_site(),
            PageError::SetupTokenRequired => Self::setup_token_required(),
            PageError::KeyNotFound => Self::key_not_found(),
            PageError::UserNotFound => Self::user_not_found(),
            PageError::InvitationExpired => Self::invitation_expired(),
            // The last three redirect and show no page.
            PageError::PageNotFound
            | PageError::SignInRequired(_)
            | PageError::PasswordRequired
            | PageError::SecondFactorRequired => Self::page_not_found(),
            PageError::MethodNotAllowed(_) => Self::method_not_allowed(),
            PageError::Body(BodyError::WrongType) => Self::unsupported_type(),
            PageError::Body(BodyError::TooLarge) => Self::too_large(),
            PageError::Body(BodyError::TooSlow) => Self::too_slow(),
            PageError::Body(BodyError::Undecodable | BodyError::Repeated) => Self::bad_request(),
            PageError::KeyAlreadyShown => Self::key_already_shown(),
            PageError::KeyStateConflict(id, sentence) => Self::key_state_conflict(*id, sentence),
            PageError::TooManyAtOnce => Self::too_many_at_once(retry_path),
            PageError::Unavailable(_) | PageError::OutcomeUnknown(_) => Self::database_unreachable(retry_path),
            PageError::WentBack(shortfall) => Self::went_back(shortfall),
            PageError::Internal(_) => Self::internal_error(),
        }
    }
}

impl SignedInMessagePage {
    const NAVIGATION: Navigation = Navigation::Elsewhere;

    fn title(&self) -> String {
        format!("{} – {}", self.message.heading, self.layout.company)
    }
}

impl MessagePage {
    fn title(&self) -> String {
        format!("{} – {} administration", self.message.heading, self.layout.platform)
    }
}
