//! The layout around every page.

use crate::domain::user::profile::Theme;
use crate::web::app::assets::{self, AssetPaths};
use crate::web::app::page_context::CurrentUser;
use crate::web::app::state::AppState;
use crate::web::components::people::Person;

/// The layout of a page for a signed-in user.
#[derive(Clone, Debug)]
pub struct PageLayout {
    pub company: String,
    pub platform: String,
    pub person: Person,
    pub theme: Theme,
    pub assets: AssetPaths,
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
        }
    }
}

impl SignedOutLayout {
    #[must_use]
    pub fn new(app: &AppState) -> Self {
        Self { platform: app.platform.clone(), assets: assets::paths() }
    }
}
