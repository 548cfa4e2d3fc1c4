//! The view of key activity, in a drawer, on a page of its own or on the page of a key.

use askama::Template;

use crate::domain::trail::action::Action;
use crate::web::app::text::pluralized;
use crate::web::components::dialog::Dialog;
use crate::web::components::event::text::Part;
use crate::web::components::event::view::EventView;
use crate::web::components::layout::PageLayout;
use crate::web::components::navigation::{NavItem, Navigation};
use crate::web::components::people::ActorView;
use crate::web::pages::api_keys::activity::summary::{EndSummary, KeyHistorySummary};
use crate::web::pages::api_keys::list_address::KeyListAddress;
use crate::web::paths::{self, API_KEYS};
use crate::web::url::with_query;

#[derive(Template)]
#[template(path = "api_keys/activity/page.html")]
pub struct KeyActivityPage {
    pub layout: PageLayout,
    pub trail: KeyActivity,
}

/// Events grouped by day, newest first.
pub struct KeyActivity {
    pub placement: Placement,
    /// From `Zone::label`.
    pub zone: String,
    /// Set if all events are about one key.
    pub key: Option<KeyHistory>,
    pub days: Vec<Day>,
    /// These are not the newest events: the user followed “Show older events”.
    pub continued: bool,
    /// The cursor of the next older events.
    pub older: Option<String>,
}

/// Where the events are shown. Decides where the links lead.
pub enum Placement {
    /// Over the list at this address.
    Drawer(KeyListAddress),
    Page,
    /// On the page of the key with this id.
    Key(String),
}

/// The key that the events are about.
#[derive(Clone, Debug)]
pub struct KeyHistory {
    pub key_id: String,
    pub name: String,
    pub summary: KeyHistorySummary,
}

pub struct Day {
    /// From `Zone::day_heading`.
    pub heading: String,
    pub events: Vec<EventView>,
}

#[derive(Template)]
#[template(path = "api_keys/activity/drawer.html")]
pub struct KeyActivityDrawer {
    pub trail: KeyActivity,
}

impl KeyActivityPage {
    const NAVIGATION: Navigation = Navigation::Beneath(NavItem::ApiKeys);

    fn title(&self) -> String {
        format!("Audit trail – API Keys – Company Settings – {}", self.layout.company)
    }
}

impl KeyActivity {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        Dialog::new("Audit trail", KeyActivityDrawer { trail: self })
    }

    pub fn count_text(&self) -> String {
        let events: usize = self.days.iter().map(|day| day.events.len()).sum();
        pluralized(events as u64, "event shown", "events shown")
    }

    /// The history of the event's key, unless it is already shown.
    pub fn key_href(&self, event: &EventView) -> Option<String> {
        let id = event.key_id.as_deref().filter(|_| self.key.is_none())?;
        Some(self.href(Some(id)))
    }

    /// The newest events of one key, or of all keys.
    pub fn href(&self, key_id: Option<&str>) -> String {
        self.href_at(key_id, None)
    }

    pub fn newest_href(&self) -> String {
        self.href_at(self.key_id(), None)
    }

    pub fn older_href(&self, cursor: &str) -> String {
        self.href_at(self.key_id(), Some(cursor))
    }

    pub fn page_href(&self) -> String {
        let key: Vec<_> = self.key_id().map(|id| ("key", id)).into_iter().collect();
        with_query(&format!("{API_KEYS}/audit-trail"), &key)
    }

    /// The list without the drawer.
    pub fn close_href(&self) -> String {
        match &self.placement {
            Placement::Drawer(list) => list.href(),
            Placement::Page | Placement::Key(_) => API_KEYS.to_owned(),
        }
    }

    fn key_id(&self) -> Option<&str> {
        self.key.as_ref().map(|key| key.key_id.as_str())
    }

    fn href_at(&self, key_id: Option<&str>, cursor: Option<&str>) -> String {
        let key = key_id.map(|id| ("key", id));
        match &self.placement {
            Placement::Drawer(list) => {
                let cursor = cursor.map(|cursor| ("audit_cursor", cursor));
                let parameters: Vec<_> = [Some(("audit", "open")), key, cursor].into_iter().flatten().collect();
                list.href_with(&parameters)
            }
            Placement::Page => {
                let cursor = cursor.map(|cursor| ("cursor", cursor));
                let parameters: Vec<_> = [key, cursor].into_iter().flatten().collect();
                with_query(&format!("{API_KEYS}/audit-trail"), &parameters)
            }
            Placement::Key(id) => {
                let cursor: Vec<_> = cursor.map(|cursor| ("cursor", cursor)).into_iter().collect();
                with_query(&paths::api_key(id), &cursor)
            }
        }
    }
}
