//! The layout around every page.

use crate::domain::trail::shortfall::Shortfall;
use crate::domain::user::profile::Theme;
use crate::web::app::assets::{self, AssetPaths};
use crate::web::app::page_context::CurrentUser;
use crate::web::app::state::AppState;
use crate::web::app::text::with_thousands;
use crate::web::components::people::Person;

/// The layout of a page for a signed-in user.
#[derive(Clone, Debug)]
pub struct PageLayout {
    pub company: String,
    pub platform: String,
    pub person: Person,
    pub theme: Theme,
    pub assets: AssetPaths,
    /// What every page says while the company's audit trail lacks events.
    pub warning: Option<String>,
}

/// The layout of a page without a session: sign-in, set-up, errors.
#[derive(Clone, Debug)]
pub struct SignedOutLayout {
    pub platform: String,
    pub assets: AssetPaths,
}

impl PageLayout {
    #[must_use]
    pub fn new(app: &AppState, user: &CurrentUser) -> Self {
        Self {
            company: user.company.name.clone(),
            platform: app.platform.clone(),
            person: Person::named(&user.name),
            theme: user.theme,
            assets: assets::paths(),
            warning: app.actions.memory.shortfall(user.company.id.into()).map(lost_events),
        }
    }
}

/// The warning about a trail that lacks events. The template adds the command.
pub fn lost_events(shortfall: Shortfall) -> String {
    let what = match shortfall.missing() {
        Some(1) => "1 event is missing from the audit trail; keys revoked in it may be valid again.".to_owned(),
        Some(missing) => format!(
            "{} events are missing from the audit trail; keys revoked in them may be valid again.",
            with_thousands(missing)
        ),
        None => {
            "Events of the audit trail were replaced; keys revoked in the original ones may be valid again.".to_owned()
        }
    };
    format!(
        "The database was put back to an older state. {what} Until this is resolved, no key of your company is verified and changes are paused. Ask your operator to restore the latest database, or to accept the loss:"
    )
}

impl SignedOutLayout {
    #[must_use]
    pub fn new(app: &AppState) -> Self {
        Self { platform: app.platform.clone(), assets: assets::paths() }
    }
}
