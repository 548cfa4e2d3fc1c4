//! The view of the key list.

use askama::Template;

use super::filter_bar::FilterBar;
use super::practice_panel::PracticePanel;
use crate::web::app::text::{pluralized, with_thousands};
use crate::web::app::time::view::TimeView;
use crate::web::components::dialog::Dialog;
use crate::web::components::layout::PageLayout;
use crate::web::components::navigation::{NavItem, Navigation};
use crate::web::components::paging::Pager;
use crate::web::components::people::ActorView;
use crate::web::pages::api_keys::expiry::Expiry;
use crate::web::pages::api_keys::list_address::{Column, KeyListAddress, Search, Tab};
use crate::web::pages::api_keys::usage::view::AsOf;
use crate::web::paths::{self, API_KEYS};

#[derive(Template)]
#[template(path = "api_keys/list/page.html")]
pub struct KeyListPage {
    pub layout: PageLayout,
    pub address: KeyListAddress,
    /// All keys of the company, for the counters on the tabs.
    pub total: Counts,
    /// The keys that match the search and the filters. Equal to `total` without any.
    pub found: Counts,
    pub filters: FilterBar,
    /// What good practice finds. Set where all active keys are listed.
    pub practice: Option<PracticePanel>,
    pub rows: Vec<Row>,
    /// The position of the first row among the matching keys, counted from 1.
    pub first: u64,
    pub pager: Pager,
    /// True for admins. Auditors see no buttons.
    pub can_change: bool,
    /// From `Zone::label`.
    pub zone: String,
    pub as_of: AsOf,
    pub banner: Option<KeyListBanner>,
    pub dialog: Option<Dialog>,
}

#[derive(Clone, Copy, Debug)]
pub struct Counts {
    pub active: u64,
    pub revoked: u64,
}

impl Counts {
    #[must_use]
    pub fn on(self, tab: Tab) -> u64 {
        match tab {
            Tab::Active => self.active,
            Tab::Revoked => self.revoked,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Row {
    pub id: String,
    /// `active`, `revoked` or `expired`.
    pub status: &'static str,
    pub name: String,
    /// The purpose of the service account; empty if there is none.
    pub purpose: String,
    /// Tells the keys of a rotation apart: “New key”, “Old key”.
    pub rotation: Option<&'static str>,
    pub preview: String,
    pub created_by: ActorView,
    /// The owner, if that is not the creator.
    pub owner: Option<RowOwner>,
    pub created: TimeView,
    /// From `Zone::ago`.
    pub last_used: Option<TimeView>,
    pub expires: Expiry,
    /// Set on the Revoked tab.
    pub end: Option<End>,
}

#[derive(Clone, Debug)]
pub struct RowOwner {
    pub view: ActorView,
    /// The keys of this owner. `None` for a deleted user.
    pub href: Option<String>,
}

#[derive(Clone, Debug)]
pub struct End {
    pub by: ActorView,
    pub at: TimeView,
    pub reason: &'static str,
    /// “4 rejected since”.
    pub refused: Option<String>,
    pub comment: Option<String>,
}

/// Reports the change that led to this page, as the database confirms it.
#[derive(Clone, Debug)]
pub enum KeyListBanner {
    Created { name: String },
    Revoked { name: String },
    AlreadyRevoked { name: String, by: ActorView, on: TimeView },
    AlreadyExpired { name: String, on: TimeView },
    RevokedSeveral { count: u64 },
    Renamed { old: String, new: String },
    HandedOver { name: String, to: ActorView },
}

/// A column head that links to another order. `sorted` is the current direction of this column.
struct Head {
    href: String,
    sorted: Option<&'static str>,
}

impl KeyListPage {
    const NAVIGATION: Navigation = Navigation::On(NavItem::ApiKeys);

    /// The title of the page behind a dialog.
    fn page_title(&self) -> String {
        let tab = if self.on_revoked() { "Revoked – " } else { "" };
        format!("{tab}API Keys – Company Settings – {}", self.layout.company)
    }

    fn title(&self) -> String {
        let page = self.page_title();
        self.dialog.as_ref().map_or_else(|| page.clone(), |dialog| dialog.document_title(" – ", &page))
    }

    fn on_revoked(&self) -> bool {
        self.address.tab == Tab::Revoked
    }

    /// Admins can select active keys to revoke several at once.
    fn can_select(&self) -> bool {
        self.can_change && !self.on_revoked()
    }

    fn is_searched(&self) -> bool {
        self.address.search != Search::None
    }

    /// Whether a search or a filter leaves out keys of the tab.
    fn is_narrowed(&self) -> bool {
        !self.address.lists_all()
    }

    fn search_text(&self) -> &str {
        match &self.address.search {
            Search::Text(text) => text,
            Search::None | Search::WholeKey => "",
        }
    }

    fn counter(&self, tab: Tab) -> String {
        with_thousands(self.total.on(tab))
    }

    /// This is a later page, and its keys are gone.
    fn is_past_the_end(&self) -> bool {
        self.rows.is_empty() && self.found.on(self.address.tab) > 0
    }

    fn caption(&self) -> String {
        let state = if self.on_revoked() { "Revoked" } else { "Active" };
        format!("{state} API keys, {}", self.address.sort.words())
    }

    fn head(&self, column: Column) -> Head {
        let sort = self.address.sort;
        let sorted = (sort.column == column).then_some(if sort.descending { "descending" } else { "ascending" });
        Head { href: self.address.sorted(sort.toggled(column)).href(), sorted }
    }

    /// The tab without a search and without filters.
    fn all_href(&self) -> String {
        KeyListAddress { sort: self.address.sort, ..KeyListAddress::of(self.address.tab) }.href()
    }

    fn audit_href(&self) -> String {
        self.address.href_with(&[("audit", "open")])
    }

    /// “7 active keys”, “1–50 of 10,000 active keys”, “3 active keys match”. Empty on a single page of revoked keys.
    fn summary(&self) -> String {
        let tab = self.address.tab;
        let found = self.found.on(tab);
        let keys = pluralized(found, &format!("{} key", tab.value()), &format!("{} keys", tab.value()));
        let row_count = self.rows.len() as u64;
        let paged = self.pager.previous.is_some() || self.pager.next.is_some();
        let last = self.first.saturating_add(row_count).saturating_sub(1);
        let range = if paged {
            format!("{}–{} of ", with_thousands(self.first), with_thousands(last))
        } else {
            String::new()
        };
        if self.is_narrowed() {
            format!("{range}{keys} {}", if paged { "that match" } else { matching_verb(found) })
        } else if paged || tab == Tab::Active {
            format!("{range}{keys}")
        } else {
            String::new()
        }
    }

    /// The matches on the other tab: “2 revoked keys match.”
    fn found_elsewhere(&self) -> Option<String> {
        let tab = self.address.tab.other();
        let found = self.found.on(tab);
        let keys = pluralized(found, &format!("{} key", tab.value()), &format!("{} keys", tab.value()));
        (found > 0).then(|| format!("{keys} {}.", matching_verb(found)))
    }
}

fn matching_verb(count: u64) -> &'static str {
    if count == 1 { "matches" } else { "match" }
}
