//! The result of the last background check of the trail and the tables.

use crate::domain::timestamp::Timestamp;
use crate::evidence::{TrailVerdict, Verdict};
use crate::web::app::page_context::PageContext;
use crate::web::app::text::pluralized;
use crate::web::app::time::view::TimeView;
use crate::web::app::time::zone::Zone;

/// The last check, if this server has finished one.
#[derive(Clone, Debug, Default)]
pub struct StateCheckView {
    pub last: Option<LastCheckView>,
}

#[derive(Clone, Debug)]
pub struct LastCheckView {
    pub at: TimeView,
    pub verdict: Verdict,
}

/// Returns the last check of the company's trail.
#[must_use]
pub fn load(cx: &PageContext) -> StateCheckView {
    StateCheckView::of(cx.app.monitor.verdict(cx.company_id().into()), &cx.zone, cx.now())
}

impl StateCheckView {
    fn of(last: Option<TrailVerdict>, zone: &Zone, now: Timestamp) -> Self {
        Self { last: last.map(|last| LastCheckView { at: zone.clock_or_date(last.at, now), verdict: last.verdict }) }
    }

    pub fn has_alarm(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.alarm().is_some())
    }
}

impl LastCheckView {
    /// What is wrong: “2 differences between the database and this audit trail”. `None` if everything matches.
    pub fn alarm(&self) -> Option<String> {
        match self.verdict {
            Verdict::Fits => None,
            Verdict::RowsDiffer(count) => {
                let differences = pluralized(count as u64, "difference", "differences");
                Some(format!("{differences} between the database and this audit trail"))
            }
            Verdict::TrailIsBroken => Some("This audit trail does not verify".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::components::samples::{ago, zone};

    impl StateCheckView {
        pub fn sample(verdict: Verdict) -> Self {
            Self::of(Some(TrailVerdict { at: ago(25), verdict }), &zone(), ago(0))
        }
    }

    #[test]
    fn differences_are_counted_and_a_broken_trail_is_reported() {
        let alarm = |verdict| StateCheckView::sample(verdict).last.unwrap().alarm();
        assert_eq!(alarm(Verdict::Fits), None);
        let one = "1 difference between the database and this audit trail";
        assert_eq!(alarm(Verdict::RowsDiffer(1)).as_deref(), Some(one));
        assert_eq!(alarm(Verdict::TrailIsBroken).as_deref(), Some("This audit trail does not verify"));
    }
}
