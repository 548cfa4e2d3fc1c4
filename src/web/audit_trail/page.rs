//! The Audit Trail page as it is drawn: filters, the table, and the event that lies over it.

use askama::Template;

use crate::web::audit_trail::address::TrailAddress;
use crate::web::audit_trail::asked::NO_DATE;
use crate::web::audit_trail::detail::{EventDetail, Shown};
use crate::web::audit_trail::labels::{self, GROUPS};
use crate::web::audit_trail::told::{Part, ToldEvent};
use crate::web::audit_trail::witnesses::ShownWitnesses;
use crate::web::keys::key_page::KeyPage;
use crate::web::page::{Field, Shell, Who, counted};
use crate::web::paging::Pager;
use crate::web::paths::{AUDIT_TRAIL, CHECKPOINT, CHECKPOINT_KEY, EXPORT_JSON_LINES};
use crate::web::rail::{Rail, RailLink};

#[derive(Template)]
#[template(path = "audit_trail/all.html")]
pub struct TrailPage {
    pub shell: Shell,
    pub filters: Filters,
    /// What is filtered; every link keeps it.
    pub address: TrailAddress,
    /// The cursor of this page, for links that come back to it.
    pub cursor: Option<String>,
    pub rows: Vec<ToldEvent>,
    pub pager: Pager,
    /// `Zone::label` now.
    pub zone: String,
    /// Who outside has the trail's checkpoint.
    pub witnesses: ShownWitnesses,
    /// The size of a checkpoint that an export is to be connected with.
    pub since: Field,
    pub overlay: Option<EventDetail>,
}

/// The fields of the form, beside what the address says.
#[derive(Clone, Debug)]
pub struct Filters {
    pub from: Field,
    pub to: Field,
    /// The users of the company by id and name.
    pub people: Vec<(String, String)>,
    /// The id of the deleted user whose events are asked for.
    pub deleted_user: Option<String>,
    /// The key whose events are asked for.
    pub key: Option<FilteredKey>,
}

#[derive(Clone, Debug)]
pub struct FilteredKey {
    pub id: String,
    pub name: String,
    pub preview: String,
}

impl Filters {
    pub(super) fn failed(&self) -> bool {
        self.from.error.is_some() || self.to.error.is_some()
    }
}

impl TrailPage {
    const RAIL: Rail = Rail::On(RailLink::AuditTrail);

    fn page_title(&self) -> String {
        format!("Audit Trail – Company Settings – {}", self.shell.company)
    }

    fn title(&self) -> String {
        let page = self.page_title();
        match &self.overlay {
            Some(event) => format!("Event {} – {page}", event.sequence),
            None if self.filters.failed() || self.since.error.is_some() => format!("Error: {page}"),
            None => page,
        }
    }

    fn summary(&self) -> String {
        counted(self.rows.len() as u64, "event shown", "events shown")
    }

    /// A field for dates would drop a text that is none.
    fn input_type(field: &Field) -> &'static str {
        if field.error.as_deref() == Some(NO_DATE) { "text" } else { "date" }
    }

    fn is_user(&self, id: &str) -> bool {
        self.address.user.as_deref() == Some(id)
    }

    fn is_chosen(&self, word: &str) -> bool {
        self.address.actions.iter().any(|action| action.as_str() == word)
    }

    /// What the choice of actions says while it is closed.
    fn chosen_actions(&self) -> String {
        match self.address.actions.as_slice() {
            [] => "Any action".to_owned(),
            [one] => labels::full(*one),
            several => format!("{} actions", several.len()),
        }
    }

    /// The page that an event lies over.
    fn here(&self) -> String {
        self.cursor.as_deref().map_or_else(|| self.address.href(), |cursor| self.address.page_href(cursor))
    }

    fn event_href(&self, event: &ToldEvent) -> String {
        self.address.event_href(&event.id, self.cursor.as_deref())
    }
}
