//! The view of the account page.

use std::time::Duration;

use askama::Template;

use crate::domain::user::profile::{Role, Theme};
use crate::web::app::respond::wait_minutes;
use crate::web::app::time::view::TimeView;
use crate::web::components::field::Field;
use crate::web::components::layout::PageLayout;
use crate::web::components::navigation::Navigation;
use crate::web::components::versioned_form::VersionedForm;
use crate::web::paths::{self, ACCOUNT, SECOND_FACTOR};

#[derive(Template)]
#[template(path = "account/page.html")]
pub struct AccountPage {
    pub layout: PageLayout,
    pub email: String,
    pub role: Role,
    pub name: Field,
    /// Holds a name from the time zone database, or nothing for the browser's zone.
    pub time_zone: Field,
    /// The time zones to choose from.
    pub zones: Vec<String>,
    /// Holds the form value of a [`Theme`].
    pub theme: Field,
    /// The errors of the password fields. The passwords themselves are never sent back.
    pub current_password_error: Option<String>,
    pub new_password_error: Option<String>,
    pub second_factor: SecondFactorSummary,
    /// The open sessions, including this one.
    pub sessions: Vec<SessionRow>,
    /// From `Zone::label`.
    pub zone: String,
    pub banner: Option<AccountBanner>,
    /// The form of the name and the preferences.
    pub edited: VersionedForm,
}

#[derive(Clone, Debug)]
pub struct SecondFactorSummary {
    /// The day of its set-up. `None` if it is off.
    pub since: Option<TimeView>,
    pub recovery_codes_left: u64,
}

#[derive(Clone, Debug)]
pub struct SessionRow {
    pub id: String,
    /// “Firefox on Windows”.
    pub browser: String,
    pub address: Option<String>,
    pub signed_in: TimeView,
    pub last_seen: TimeView,
    /// This is the session of the request.
    pub is_this: bool,
}

/// Reports the change that led to this page, as the trail records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountBanner {
    Saved,
    PasswordChanged,
    SessionEnded,
    OtherSessionsEnded,
    SecondFactorRemoved,
}

impl AccountBanner {
    fn sentence(self) -> &'static str {
        match self {
            Self::Saved => "Changes saved.",
            Self::PasswordChanged => "Your password was changed. You’re signed out everywhere else.",
            Self::SessionEnded => "Session signed out.",
            Self::OtherSessionsEnded => "You’re signed out everywhere else.",
            Self::SecondFactorRemoved => "The second factor is off.",
        }
    }
}

impl AccountPage {
    const NAVIGATION: Navigation = Navigation::Elsewhere;

    fn title(&self) -> String {
        let error = if self.first_error().is_some() || self.edited.notice.is_some() { "Error: " } else { "" };
        format!("{error}Your account – {}", self.layout.company)
    }

    /// The values of the preferences form, as it submits them.
    pub(super) fn preferences(&self) -> [&str; 3] {
        [&self.name.value, &self.time_zone.value, &self.theme.value]
    }

    /// The name of the first field with an error.
    fn first_error(&self) -> Option<&'static str> {
        [
            ("name", &self.name.error),
            ("time_zone", &self.time_zone.error),
            ("theme", &self.theme.error),
            ("current_password", &self.current_password_error),
            ("new_password", &self.new_password_error),
        ]
        .into_iter()
        .find_map(|(field, error)| error.is_some().then_some(field))
    }

    fn has_focus(&self, field: &str) -> bool {
        self.first_error() == Some(field)
    }

    fn has_other_sessions(&self) -> bool {
        self.sessions.iter().any(|session| !session.is_this)
    }
}

/// The error of a password field after too many attempts.
#[must_use]
pub fn too_many_attempts_sentence(wait: Duration) -> String {
    let minutes = wait_minutes(wait);
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    format!("Too many attempts. Try again in {minutes} {unit}.")
}
