//! The view of the Audit Trail page: filters and table.

use askama::Template;

use crate::domain::actor::Actor;
use crate::web::app::text::{pluralized, with_thousands};
use crate::web::components::dialog::Dialog;
use crate::web::components::event::labels::{self, ACTION_GROUPS};
use crate::web::components::event::text::Part;
use crate::web::components::event::view::EventView;
use crate::web::components::field::Field;
use crate::web::components::layout::PageLayout;
use crate::web::components::navigation::{NavItem, Navigation};
use crate::web::components::paging::Pager;
use crate::web::components::people::ActorView;
use crate::web::pages::audit_trail::address::TrailAddress;
use crate::web::pages::audit_trail::filters::INVALID_DATE;
use crate::web::pages::audit_trail::presets::Preset;
use crate::web::paths::{self, AUDIT_TRAIL};

#[derive(Template)]
#[template(path = "audit_trail/page.html")]
pub struct TrailPage {
    pub layout: PageLayout,
    pub filters: Filters,
    /// The filters in use. Every link keeps them.
    pub address: TrailAddress,
    /// The cursor of this page, for links back to it.
    pub cursor: Option<String>,
    pub rows: Vec<EventView>,
    pub pager: Pager,
    pub total: TrailTotal,
    pub presets: Vec<Preset>,
    /// From `Zone::label`.
    pub zone: String,
    pub dialog: Option<Dialog>,
}

/// The addresses of the matching events before and after an event.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    pub newer: Option<String>,
    pub older: Option<String>,
}

/// More matching events than this are not counted.
pub const MAX_COUNTED_EVENTS: i64 = 1_000;

/// How many events match the filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrailTotal {
    Exactly(u64),
    /// More than [`MAX_COUNTED_EVENTS`].
    More,
}

impl Default for TrailTotal {
    fn default() -> Self {
        Self::Exactly(0)
    }
}

/// The actors that are not users, as the filter offers them.
const OTHER_ACTORS: [(Actor, &str); 3] =
    [(Actor::System, "Keydesk"), (Actor::CommandLine, "Command line"), (Actor::KeyHolder, "Key holder")];

/// The fields of the filter form.
#[derive(Clone, Debug)]
pub struct Filters {
    pub from: Field,
    pub to: Field,
    /// The id and name of each user of the company.
    pub people: Vec<(String, String)>,
    /// The id and label of each deleted user.
    pub deleted: Vec<(String, String)>,
    /// The key to filter by.
    pub key: Option<FilteredKey>,
}

#[derive(Clone, Debug)]
pub struct FilteredKey {
    pub id: String,
    pub name: String,
    pub preview: String,
}

impl Filters {
    pub fn has_error(&self) -> bool {
        self.from.error.is_some() || self.to.error.is_some()
    }
}

impl TrailPage {
    const NAVIGATION: Navigation = Navigation::On(NavItem::AuditTrail);

    fn page_title(&self) -> String {
        format!("Audit Trail – Company Settings – {}", self.layout.company)
    }

    fn title(&self) -> String {
        let page = self.page_title();
        match &self.dialog {
            Some(dialog) => dialog.document_title(" – ", &page),
            None if self.filters.has_error() => format!("Error: {page}"),
            None => page,
        }
    }

    /// “3 events”, “50 of 4,711 events”, “50 of more than 1,000 events”.
    fn summary(&self) -> String {
        let shown = self.rows.len() as u64;
        match self.total {
            TrailTotal::Exactly(total) if total == shown => pluralized(total, "event", "events"),
            TrailTotal::Exactly(total) => format!("{shown} of {}", pluralized(total, "event", "events")),
            TrailTotal::More => {
                format!("{shown} of more than {} events", with_thousands(MAX_COUNTED_EVENTS.unsigned_abs()))
            }
        }
    }

    /// The errors of the dates: id and label of the field, sentence.
    fn date_errors(&self) -> Vec<(&'static str, &'static str, &str)> {
        let dates = [("from", "From", &self.filters.from), ("to", "To", &self.filters.to)];
        dates.into_iter().filter_map(|(id, label, field)| Some((id, label, field.error.as_deref()?))).collect()
    }

    /// An invalid date needs a text field: browsers drop it from a date field.
    fn input_type(field: &Field) -> &'static str {
        if field.error.as_deref() == Some(INVALID_DATE) { "text" } else { "date" }
    }

    fn is_user(&self, id: &str) -> bool {
        self.address.user.as_deref() == Some(id)
    }

    fn is_chosen(&self, word: &str) -> bool {
        self.address.actions.iter().any(|action| action.as_str() == word)
    }

    /// The label of the closed list of actions.
    fn chosen_actions(&self) -> String {
        match self.address.actions.as_slice() {
            [] => "All actions".to_owned(),
            [one] => labels::full_label(*one),
            several => format!("{} actions", several.len()),
        }
    }

    /// The address of this page.
    pub fn current_href(&self) -> String {
        self.cursor.as_deref().map_or_else(|| self.address.href(), |cursor| self.address.page_href(cursor))
    }

    fn event_href(&self, event: &EventView) -> String {
        self.address.event_href(&event.id, self.cursor.as_deref())
    }
}
