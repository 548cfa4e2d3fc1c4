//! One key's page: its facts, what replaces it, how it ended, its history, and what can be done with it now.

use askama::Template;

use crate::domain::action::Action;
use crate::domain::api_key::KeyState;
use crate::web::audit_trail::told::Part;
use crate::web::keys::address::LIST;
use crate::web::keys::answer::AnsweredEnd;
use crate::web::keys::audit_trail::AuditTrail;
use crate::web::keys::edit::Edit;
use crate::web::keys::expiry::{Expiry, OldKey};
use crate::web::keys::revoke::Revoke;
use crate::web::keys::rotate::Rotate;
use crate::web::keys::usage::{OldKeyUse, SinceEnd, Usage};
use crate::web::keys::use_by_day::UseByDay;
use crate::web::page::{Shell, ShownTime, Who};
use crate::web::rail::{Rail, RailLink};

#[derive(Template)]
#[template(path = "api_keys/key_page.html")]
pub struct KeyPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub preview: String,
    pub owner: Who,
    pub created: ShownTime,
    pub created_by: Who,
    pub expires: Expiry,
    /// The key that takes its place, or took it.
    pub replaced_by: Option<Replacement>,
    /// The key whose place it took.
    pub replaces: Option<OldKey>,
    pub usage: Usage,
    /// How it ended, once it has.
    pub end: Option<KeyEnd>,
    /// What came after that; drawn with it.
    pub since_end: SinceEnd,
    /// Narrowed to the key, in `Place::Key`.
    pub history: AuditTrail,
    /// Admins edit, rotate and revoke; auditors see none of the buttons.
    pub can_change: bool,
    pub banner: Option<KeyBanner>,
    pub overlay: KeyOverlay,
}

#[derive(Clone, Debug)]
pub struct Replacement {
    pub id: String,
    pub preview: String,
    /// It has ended itself, so that another one may take its place.
    pub has_ended: bool,
    /// When this key ends; nothing once it has.
    pub ends: Option<EndsSoon>,
}

#[derive(Clone, Debug)]
pub struct EndsSoon {
    /// “Ends in 23 hours”.
    pub in_words: String,
    /// `Zone::date_time`.
    pub at: ShownTime,
    /// It was not extended yet.
    pub can_extend: bool,
    pub old_key: OldKeyUse,
}

#[derive(Clone, Debug)]
pub enum KeyEnd {
    Revoked { at: ShownTime, by: Who, reason: &'static str, comment: Option<String> },
    Expired { at: ShownTime },
}

/// What the database says has just been done; or that the form for the old key named no end there is.
#[derive(Clone, Debug)]
pub enum KeyBanner {
    Renamed { old: String, new: String },
    HandedOver { name: String, to: Who },
    OldKeyEnded,
    OldKeyExtended { until: ShownTime },
    UnknownEnd,
}

/// What is drawn over the page.
pub enum KeyOverlay {
    None,
    Edit(Edit),
    Rotate(Rotate),
}

impl KeyOverlay {
    fn is_open(&self) -> bool {
        !matches!(self, Self::None)
    }
}

impl KeyPage {
    const RAIL: Rail = Rail::Beneath(RailLink::ApiKeys);

    /// Where a key's page is.
    #[must_use]
    pub fn path(key_id: &str) -> String {
        format!("{LIST}/{key_id}")
    }

    /// Where the end of the old key is moved.
    #[must_use]
    pub fn overlap_path(key_id: &str) -> String {
        format!("{LIST}/{key_id}/overlap")
    }

    /// The title of the page behind an overlay.
    fn page_title(&self) -> String {
        format!("{} – API Keys – Company Settings – {}", self.name, self.shell.company)
    }

    fn title(&self) -> String {
        let page = self.page_title();
        let (failed, heading) = match &self.overlay {
            KeyOverlay::None => return page,
            KeyOverlay::Edit(form) => (form.failed(), "Edit"),
            KeyOverlay::Rotate(form) => (form.failed(), "Rotate"),
        };
        format!("{}{heading} {page}", if failed { "Error: " } else { "" })
    }

    fn state(&self) -> KeyState {
        match self.end {
            None => KeyState::Active,
            Some(KeyEnd::Revoked { .. }) => KeyState::Revoked,
            Some(KeyEnd::Expired { .. }) => KeyState::Expired,
        }
    }

    fn can_edit(&self) -> bool {
        self.can_change && self.state() != KeyState::Revoked
    }

    fn can_rotate(&self) -> bool {
        self.can_edit() && self.replaced_by.as_ref().is_none_or(|new| new.has_ended)
    }

    fn can_revoke(&self) -> bool {
        self.can_change && self.state() == KeyState::Active
    }
}
