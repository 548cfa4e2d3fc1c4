//! The audit trail of API keys as it is drawn: a drawer over the list, or a page of its own.

use askama::Template;

use crate::domain::action::Action;
use crate::web::audit_trail::told::{Part, ToldEvent};
use crate::web::keys::address::{LIST, ListAddress, with_query};
use crate::web::keys::answer::{AnsweredEnd, KeyAnswer};
use crate::web::keys::key_page::KeyPage;
use crate::web::page::{Shell, Who, counted};
use crate::web::rail::{Rail, RailLink};

#[derive(Template)]
#[template(path = "audit_trail/page.html")]
pub struct AuditTrailPage {
    pub shell: Shell,
    pub trail: AuditTrail,
}

/// Events grouped by day, newest first.
pub struct AuditTrail {
    pub place: Place,
    /// `Zone::label` now.
    pub zone: String,
    /// The one key whose events these are.
    pub narrowed: Option<Narrowed>,
    pub days: Vec<Day>,
    /// These are not the newest events: an earlier “Show older events” led here.
    pub continued: bool,
    /// The cursor of the events before these.
    pub older: Option<String>,
}

/// Where the trail is drawn, which decides where its links lead.
pub enum Place {
    /// Over the list at this address.
    Drawer(ListAddress),
    Page,
    /// On the page of this key, whose history it is.
    Key(String),
}

#[derive(Clone, Debug)]
pub struct Narrowed {
    pub key_id: String,
    pub name: String,
    pub answer: KeyAnswer,
}

pub struct Day {
    /// `Zone::day_heading`.
    pub heading: String,
    pub events: Vec<ToldEvent>,
}

impl AuditTrailPage {
    const RAIL: Rail = Rail::Beneath(RailLink::ApiKeys);

    fn title(&self) -> String {
        format!("Audit trail – API Keys – Company Settings – {}", self.shell.company)
    }
}

impl AuditTrail {
    pub(super) fn shown(&self) -> String {
        let events: usize = self.days.iter().map(|day| day.events.len()).sum();
        counted(events as u64, "event shown", "events shown")
    }

    /// The history of an event's key, unless this is it.
    pub(super) fn link_to(&self, event: &ToldEvent) -> Option<String> {
        let id = event.key_id.as_deref().filter(|_| self.narrowed.is_none())?;
        Some(self.href(Some(id)))
    }

    /// The newest events, of all keys or of one.
    pub(super) fn href(&self, key_id: Option<&str>) -> String {
        self.href_at(key_id, None)
    }

    pub(super) fn newest_href(&self) -> String {
        self.href_at(self.key_id(), None)
    }

    pub(super) fn older_href(&self, cursor: &str) -> String {
        self.href_at(self.key_id(), Some(cursor))
    }

    pub(super) fn page_href(&self) -> String {
        let key: Vec<_> = self.key_id().map(|id| ("key", id)).into_iter().collect();
        with_query(&format!("{LIST}/audit-trail"), &key)
    }

    /// The list without the drawer.
    pub(super) fn close_href(&self) -> String {
        match &self.place {
            Place::Drawer(list) => list.href(),
            Place::Page | Place::Key(_) => LIST.to_owned(),
        }
    }

    fn key_id(&self) -> Option<&str> {
        self.narrowed.as_ref().map(|narrowed| narrowed.key_id.as_str())
    }

    fn href_at(&self, key_id: Option<&str>, cursor: Option<&str>) -> String {
        let key = key_id.map(|id| ("key", id));
        match &self.place {
            Place::Drawer(list) => {
                let cursor = cursor.map(|cursor| ("audit_cursor", cursor));
                let parameters: Vec<_> = [Some(("audit", "open")), key, cursor].into_iter().flatten().collect();
                list.href_with(&parameters)
            }
            Place::Page => {
                let cursor = cursor.map(|cursor| ("cursor", cursor));
                let parameters: Vec<_> = [key, cursor].into_iter().flatten().collect();
                with_query(&format!("{LIST}/audit-trail"), &parameters)
            }
            Place::Key(id) => {
                let cursor: Vec<_> = cursor.map(|cursor| ("cursor", cursor)).into_iter().collect();
                with_query(&KeyPage::path(id), &cursor)
            }
        }
    }
}
