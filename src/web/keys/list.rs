//! The API Keys page as it is drawn: tabs, table, empty states and whatever lies over it.

use askama::Template;

use crate::domain::action::Action;
use crate::domain::api_key::RevocationReason;
use crate::web::audit_trail::told::Part;
use crate::web::keys::address::{Column, LIST, ListAddress, Search, Tab};
use crate::web::keys::answer::AnsweredEnd;
use crate::web::keys::audit_trail::{AuditTrail, Place};
use crate::web::keys::create::{AddKey, NewKey};
use crate::web::keys::expiry::Expiry;
use crate::web::keys::identify::Identify;
use crate::web::keys::key_page::KeyPage;
use crate::web::keys::revoke::Revoke;
use crate::web::keys::revoke_several::RevokeSeveral;
use crate::web::keys::usage::AsOf;
use crate::web::page::{Shell, ShownTime, Who, counted, grouped};
use crate::web::paging::Pager;
use crate::web::rail::{Rail, RailLink};

#[derive(Template)]
#[template(path = "api_keys/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub address: ListAddress,
    /// All keys of the company, for the counters beside the tabs.
    pub total: Counts,
    /// The keys that the search lets through; the same as `total` without one.
    pub found: Counts,
    pub rows: Vec<Row>,
    /// The place of the first row among all that were found, counted from 1.
    pub first: u64,
    pub pager: Pager,
    /// Admins add and revoke; auditors see neither button.
    pub can_change: bool,
    /// `Zone::label` now.
    pub zone: String,
    pub as_of: AsOf,
    pub banner: Option<ListBanner>,
    pub overlay: Overlay,
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

/// One key: a line of either tab.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: String,
    /// `active`, `revoked` or `expired`.
    pub status: &'static str,
    pub name: String,
    pub preview: String,
    pub created_by: Who,
    pub created: ShownTime,
    /// `Zone::ago`.
    pub last_used: Option<ShownTime>,
    pub expires: Expiry,
    /// How it ended, on the Revoked tab.
    pub end: Option<End>,
}

#[derive(Clone, Debug)]
pub struct End {
    pub by: Who,
    pub at: ShownTime,
    /// Why, in words.
    pub reason: &'static str,
    /// “4 refused since”.
    pub refused: Option<String>,
    pub comment: Option<String>,
}

/// What the database says has just been done.
#[derive(Clone, Debug)]
pub enum ListBanner {
    Revoked { name: String },
    AlreadyRevoked { name: String, by: Who, on: ShownTime },
    AlreadyExpired { name: String, on: ShownTime },
    RevokedSeveral { count: u64 },
    Renamed { old: String, new: String },
    HandedOver { name: String, to: Who },
}

/// What is drawn over the list.
pub enum Overlay {
    None,
    AddKey(AddKey),
    NewKey(NewKey),
    Revoke(Box<Revoke>),
    RevokeSeveral(RevokeSeveral),
    Identify(Identify),
    AuditTrail(Box<AuditTrail>),
}

impl Overlay {
    fn is_open(&self) -> bool {
        !matches!(self, Self::None)
    }
}

/// A column head that sorts: where it leads and how the column is sorted now.
struct Head {
    href: String,
    sorted: Option<&'static str>,
}

impl ListPage {
    const RAIL: Rail = Rail::On(RailLink::ApiKeys);

    /// The title of the list behind an overlay.
    fn page_title(&self) -> String {
        let tab = if self.on_revoked() { "Revoked – " } else { "" };
        format!("{tab}API Keys – Company Settings – {}", self.shell.company)
    }

    fn title(&self) -> String {
        let list = self.page_title();
        let (failed, heading) = match &self.overlay {
            Overlay::None => return list,
            Overlay::AddKey(form) => (form.failed(), "Add API Key".to_owned()),
            Overlay::NewKey(_) => (false, "Save your API key".to_owned()),
            Overlay::Revoke(form) => (form.failed(), format!("Revoke {}", form.name)),
            Overlay::RevokeSeveral(form) => (form.failed(), form.heading()),
            Overlay::Identify(form) => (form.error.is_some(), "Find a key".to_owned()),
            Overlay::AuditTrail(_) => (false, "Audit trail".to_owned()),
        };
        format!("{}{heading} – {list}", if failed { "Error: " } else { "" })
    }

    fn on_revoked(&self) -> bool {
        self.address.tab == Tab::Revoked
    }

    /// Admins tick active keys, to revoke several at once.
    fn can_select(&self) -> bool {
        self.can_change && !self.on_revoked()
    }

    fn is_searched(&self) -> bool {
        self.address.search != Search::None
    }

    fn search_text(&self) -> &str {
        match &self.address.search {
            Search::Text(text) => text,
            Search::None | Search::WholeKey => "",
        }
    }

    fn counter(&self, tab: Tab) -> String {
        grouped(self.total.on(tab))
    }

    /// A later page whose keys have gone meanwhile.
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
        Head { href: self.address.sorted(sort.clicked(column)).href(), sorted }
    }

    fn audit_href(&self) -> String {
        self.address.href_with(&[("audit", "open")])
    }

    /// “7 active keys”, “1 to 50 of 10,000 active keys”, “3 active keys match”; nothing where the record speaks.
    fn summary(&self) -> String {
        let tab = self.address.tab;
        let found = self.found.on(tab);
        let all = counted(found, &format!("{} key", tab.value()), &format!("{} keys", tab.value()));
        let shown = self.rows.len() as u64;
        let paged = self.pager.previous.is_some() || self.pager.next.is_some();
        let last = self.first.saturating_add(shown).saturating_sub(1);
        let range = if paged { format!("{} to {} of ", grouped(self.first), grouped(last)) } else { String::new() };
        if self.is_searched() {
            format!("{range}{all} {}", if paged { "that match" } else { matching_verb(found) })
        } else if paged || tab == Tab::Active {
            format!("{range}{all}")
        } else {
            String::new()
        }
    }

    /// The keys that the same search finds on the other tab: “2 revoked keys match.”
    fn found_elsewhere(&self) -> Option<String> {
        let tab = self.address.tab.other();
        let found = self.found.on(tab);
        let keys = counted(found, &format!("{} key", tab.value()), &format!("{} keys", tab.value()));
        (found > 0).then(|| format!("{keys} {}.", matching_verb(found)))
    }
}

fn matching_verb(count: u64) -> &'static str {
    if count == 1 { "matches" } else { "match" }
}
