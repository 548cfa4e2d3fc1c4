//! The view of a service account.

use askama::Template;

use crate::domain::key::lifecycle::KeyState;
use crate::web::app::time::view::TimeView;
use crate::web::components::layout::PageLayout;
use crate::web::components::navigation::{NavItem, Navigation};
use crate::web::components::paging::Pager;
use crate::web::components::people::ActorView;
use crate::web::pages::api_keys::expiry::Expiry;
use crate::web::paths::{self, API_KEYS};
use crate::web::url::with_query;

#[derive(Template)]
#[template(path = "api_keys/service_account.html")]
pub struct ServiceAccountPage {
    pub layout: PageLayout,
    pub id: String,
    pub name: String,
    pub created: TimeView,
    /// The details that are given, with their labels.
    pub details: Vec<(&'static str, String)>,
    /// The newest first.
    pub keys: Vec<AccountKey>,
    pub pager: Pager,
    /// From `Zone::label`.
    pub zone: String,
}

#[derive(Clone, Debug)]
pub struct AccountKey {
    pub id: String,
    pub preview: String,
    pub state: KeyState,
    /// Another key replaces it after the overlap.
    pub is_being_replaced: bool,
    pub created: TimeView,
    pub created_by: ActorView,
    pub owner: ActorView,
    pub ending: KeyEnding,
}

#[derive(Clone, Debug)]
pub enum KeyEnding {
    Coming(Expiry),
    Expired(TimeView),
    Revoked { on: TimeView, reason: &'static str },
}

impl ServiceAccountPage {
    const NAVIGATION: Navigation = Navigation::Beneath(NavItem::ApiKeys);

    fn title(&self) -> String {
        format!("{} – Service accounts – Company Settings – {}", self.name, self.layout.company)
    }

    pub fn page_href(id: &str, cursor: &str) -> String {
        with_query(&paths::service_account(id), &[("cursor", cursor)])
    }
}
