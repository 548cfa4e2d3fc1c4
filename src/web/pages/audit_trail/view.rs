//! The view of the Audit Trail page: filters, table, checkpoint.

use askama::Template;

use crate::web::app::text::pluralized;
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
use crate::web::pages::audit_trail::state_check::StateCheckView;
use crate::web::pages::audit_trail::witnesses::WitnessesView;
use crate::web::paths::{self, AUDIT_TRAIL, CHECKPOINT, CHECKPOINT_KEY, EXPORT_JSON_LINES};

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
    /// From `Zone::label`.
    pub zone: String,
    pub witnesses: WitnessesView,
    pub state_check: StateCheckView,
    /// The size of an earlier checkpoint that an export is to be proven consistent with.
    pub since: Field,
    pub dialog: Option<Dialog>,
}

/// The fields of the filter form.
#[derive(Clone, Debug)]
pub struct Filters {
    pub from: Field,
    pub to: Field,
    /// The id and name of each user of the company.
    pub people: Vec<(String, String)>,
    /// The id of the user to filter by, if that user is deleted.
    pub deleted_user: Option<String>,
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
            None if self.has_error() => format!("Error: {page}"),
            None => page,
        }
    }

    /// Returns whether a field has an error.
    pub fn has_error(&self) -> bool {
        self.filters.has_error() || self.since.error.is_some()
    }

    fn summary(&self) -> String {
        pluralized(self.rows.len() as u64, "event shown", "events shown")
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
            [] => "Any action".to_owned(),
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
