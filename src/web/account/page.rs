//! The account page as it is drawn.

use askama::Template;

use crate::domain::user::{Role, Theme};
use crate::web::page::{Field, Shell, ShownTime};
use crate::web::paths::{ACCOUNT, SECOND_FACTOR};
use crate::web::rail::Rail;

#[derive(Template)]
#[template(path = "account/page.html")]
pub struct AccountPage {
    pub shell: Shell,
    pub email: String,
    pub role: Role,
    pub name: Field,
    /// A name of the zone database; empty for whatever the browser is in.
    pub time_zone: Field,
    /// The names to choose from.
    pub zones: Vec<String>,
    /// The word of a [`Theme`].
    pub theme: Field,
    /// Passwords are never kept, only what is wrong with them.
    pub current_password_error: Option<String>,
    pub new_password_error: Option<String>,
    pub second_factor: SecondFactorSummary,
    /// The sessions that are open, this one among them.
    pub sessions: Vec<SessionRow>,
    /// `Zone::label` now.
    pub zone: String,
    pub banner: Option<AccountBanner>,
}

#[derive(Clone, Debug)]
pub struct SecondFactorSummary {
    /// When it was turned on; `None` where it is off.
    pub since: Option<ShownTime>,
    pub recovery_codes_left: u64,
}

#[derive(Clone, Debug)]
pub struct SessionRow {
    pub id: String,
    /// “Firefox on Windows”.
    pub browser: String,
    pub address: Option<String>,
    pub signed_in: ShownTime,
    pub last_seen: ShownTime,
    /// The session that the page is drawn for.
    pub is_this: bool,
}

impl SessionRow {
    /// Where it is ended.
    #[must_use]
    pub fn end_path(&self) -> String {
        format!("{ACCOUNT}/sessions/{}/end", self.id)
    }
}

/// What the database says has just been done.
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
            Self::Saved => "Your changes were saved.",
            Self::PasswordChanged => "Your password was changed. All other sessions have ended.",
            Self::SessionEnded => "The session has ended.",
            Self::OtherSessionsEnded => "All other sessions have ended.",
            Self::SecondFactorRemoved => "The second factor is off.",
        }
    }
}

impl AccountPage {
    const RAIL: Rail = Rail::Elsewhere;

    fn title(&self) -> String {
        let error = if self.first_wrong().is_some() { "Error: " } else { "" };
        format!("{error}Your account – {}", self.shell.company)
    }

    /// The field to start from after a refusal.
    fn first_wrong(&self) -> Option<&'static str> {
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

    fn starts_from(&self, field: &str) -> bool {
        self.first_wrong() == Some(field)
    }

    fn has_other_sessions(&self) -> bool {
        self.sessions.iter().any(|session| !session.is_this)
    }
}
