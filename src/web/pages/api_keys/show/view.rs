//! The view of one key: its facts, replacement, end and history.

use askama::Template;

use crate::domain::key::lifecycle::KeyState;
use crate::domain::trail::action::Action;
use crate::web::app::time::view::TimeView;
use crate::web::components::dialog::Dialog;
use crate::web::components::event::text::Part;
use crate::web::components::layout::PageLayout;
use crate::web::components::navigation::{NavItem, Navigation};
use crate::web::components::people::ActorView;
use crate::web::pages::api_keys::activity::summary::EndSummary;
use crate::web::pages::api_keys::activity::view::KeyActivity;
use crate::web::pages::api_keys::expiry::{Expiry, OldKey};
use crate::web::pages::api_keys::key_findings::KeyFinding;
use crate::web::pages::api_keys::usage::chart::UsageChart;
use crate::web::pages::api_keys::usage::view::{OldKeyUse, SinceEnd, Usage};
use crate::web::paths::{self, API_KEYS};

#[derive(Template)]
#[template(path = "api_keys/show/page.html")]
pub struct KeyDetailPage {
    pub layout: PageLayout,
    pub id: String,
    pub name: String,
    pub preview: String,
    /// The details of the service account that are given, with their labels.
    pub details: Vec<(&'static str, String)>,
    pub owner: ActorView,
    pub service_account_id: String,
    /// The coming end. `None` if the key has ended.
    pub expires: Option<Expiry>,
    /// The key that replaces this one.
    pub replaced_by: Option<Replacement>,
    /// The key that this one replaces.
    pub replaces: Option<OldKey>,
    /// What good practice finds, heaviest first.
    pub findings: Vec<KeyFinding>,
    pub usage: Usage,
    /// Set if the key has ended.
    pub end: Option<EndView>,
    /// The requests after its end, shown together with `end`.
    pub since_end: SinceEnd,
    /// The activity of this key, in `Placement::Key`.
    pub history: KeyActivity,
    /// True for admins. Auditors see no buttons.
    pub can_change: bool,
    pub banner: Option<KeyBanner>,
    pub dialog: Option<Dialog>,
}

#[derive(Clone, Debug)]
pub struct Replacement {
    pub id: String,
    pub preview: String,
    /// The new key has ended, so this key may be rotated again.
    pub has_ended: bool,
    /// The coming end of the old key. `None` if it has ended.
    pub ends: Option<EndsSoon>,
}

#[derive(Clone, Debug)]
pub struct EndsSoon {
    /// “Ends in 23 hours”.
    pub label: String,
    /// From `Zone::date_time`.
    pub at: TimeView,
    /// The overlap has not been extended yet.
    pub can_extend: bool,
    pub old_key: OldKeyUse,
}

#[derive(Clone, Debug)]
pub enum EndView {
    Revoked { at: TimeView, by: ActorView, reason: &'static str, comment: Option<String> },
    Expired { at: TimeView },
}

/// Reports the change that led to this page, as the trail records it, or an unknown end in the overlap form.
#[derive(Clone, Debug)]
pub enum KeyBanner {
    /// The changes of one edit.
    Edited(Vec<KeyChange>),
    /// The key was created by a rotation.
    Rotated,
    OldKeyEnded,
    OldKeyExtended {
        until: TimeView,
    },
    UnknownEnd,
}

/// One of the changes of an edit.
#[derive(Clone, Debug)]
pub enum KeyChange {
    Renamed {
        old: String,
        new: String,
    },
    HandedOver {
        name: String,
        to: ActorView,
    },
    /// The details of the service account.
    Details {
        name: String,
    },
    /// The new expiry; `None` if the key never expires.
    Expiry {
        name: String,
        at: Option<TimeView>,
    },
}

impl KeyDetailPage {
    const NAVIGATION: Navigation = Navigation::Beneath(NavItem::ApiKeys);

    /// The title of the page behind a dialog.
    fn page_title(&self) -> String {
        format!("{} – API Keys – Company Settings – {}", self.name, self.layout.company)
    }

    fn title(&self) -> String {
        let page = self.page_title();
        self.dialog.as_ref().map_or_else(|| page.clone(), |dialog| dialog.document_title(" ", &page))
    }

    fn state(&self) -> KeyState {
        match self.end {
            None => KeyState::Active,
            Some(EndView::Revoked { .. }) => KeyState::Revoked,
            Some(EndView::Expired { .. }) => KeyState::Expired,
        }
    }

    /// Whether both keys of a rotation work, and this is the one that ends.
    fn is_old_key(&self) -> bool {
        self.state() == KeyState::Active && self.replaced_by.is_some()
    }

    /// Whether both keys of a rotation work, and this is the one that stays.
    fn is_new_key(&self) -> bool {
        self.replaces.as_ref().is_some_and(|old| old.until.is_some())
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
