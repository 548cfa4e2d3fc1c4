//! The view of the Evidence page.

use askama::Template;

use crate::web::app::text::pluralized;
use crate::web::components::field::Field;
use crate::web::components::layout::PageLayout;
use crate::web::components::navigation::{NavItem, Navigation};
use crate::web::pages::audit_trail::address::TrailAddress;
use crate::web::pages::evidence::state_check::StateCheckView;
use crate::web::pages::evidence::witnesses::WitnessesView;
use crate::web::paths::{CHECKPOINT, CHECKPOINT_KEY, EVIDENCE, EXPORT_JSON_LINES};

#[derive(Template)]
#[template(path = "evidence/page.html")]
pub struct EvidencePage {
    pub layout: PageLayout,
    /// The number of events in the trail.
    pub events: u64,
    pub witnesses: WitnessesView,
    pub state_check: StateCheckView,
    /// The filters of the export.
    pub address: TrailAddress,
    /// The size of an earlier checkpoint that the export is to be proven consistent with.
    pub since: Field,
    /// From `Zone::label`.
    pub zone: String,
}

/// How the state of the evidence is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EvidenceState {
    Good,
    /// A witness or a check is missing.
    Incomplete,
    /// A check or a witness disagrees.
    Alarm,
}

impl EvidencePage {
    const NAVIGATION: Navigation = Navigation::On(NavItem::Evidence);

    fn title(&self) -> String {
        let error = if self.since.error.is_some() { "Error: " } else { "" };
        format!("{error}Evidence – Company Settings – {}", self.layout.company)
    }

    fn state(&self) -> EvidenceState {
        if self.state_check.has_alarm() || self.witnesses.has_alarm() {
            EvidenceState::Alarm
        } else if self.state_check.last.is_some() && self.witnesses.newest.is_some() {
            EvidenceState::Good
        } else {
            EvidenceState::Incomplete
        }
    }

    /// “4,711 events”.
    fn events_text(&self) -> String {
        pluralized(self.events, "event", "events")
    }
}
