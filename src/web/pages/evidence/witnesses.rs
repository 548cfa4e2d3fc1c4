//! The witnesses of the trail: the last checkpoint of each, and its failures.

use crate::domain::timestamp::Timestamp;
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::text::pluralized;
use crate::web::app::time::view::TimeView;
use crate::web::app::time::zone::Zone;
use crate::witness::WitnessStatus;

/// The witnesses, as the page lists them.
#[derive(Clone, Debug, Default)]
pub struct WitnessesView {
    /// When a witness last got a checkpoint: “12 minutes ago”.
    pub newest: Option<TimeView>,
    pub all: Vec<WitnessView>,
}

#[derive(Clone, Debug)]
pub struct WitnessView {
    pub name: String,
    /// The server sends it new checkpoints.
    pub is_configured: bool,
    pub last: Option<CheckpointView>,
    /// It has the latest checkpoint.
    pub is_latest: bool,
    /// The number of events after its last checkpoint.
    pub events_since: u64,
    pub failure: Option<FailureView>,
}

/// The last checkpoint that a witness has.
#[derive(Clone, Debug)]
pub struct CheckpointView {
    pub at: TimeView,
    pub size: u64,
}

/// Says why a witness does not have the latest checkpoint.
#[derive(Clone, Debug)]
pub struct FailureView {
    pub at: TimeView,
    pub cause: String,
}

/// Loads the witnesses of the company's trail.
pub async fn load(cx: &PageContext) -> Result<WitnessesView, PageError> {
    let (witnesses, trail) = (cx.app.witnesses.clone(), cx.company_id().into());
    let statuses = cx.read(move |db| Ok(witnesses.statuses(db, trail)?)).await?;
    Ok(WitnessesView::of(statuses, &cx.zone, cx.now()))
}

impl WitnessesView {
    #[must_use]
    pub fn of(statuses: Vec<WitnessStatus>, zone: &Zone, now: Timestamp) -> Self {
        let configured = statuses.iter().filter(|status| status.is_configured);
        let newest = configured.filter_map(|status| Some(status.last.as_ref()?.at)).max();
        let newest = newest.map(|at| zone.ago_mid_sentence(at, now));
        let time = |at: Timestamp| zone.date_time(at);
        let all = statuses.into_iter().map(|status| WitnessView {
            name: status.witness,
            is_configured: status.is_configured,
            last: status.last.map(|last| CheckpointView { at: time(last.at), size: last.size }),
            is_latest: status.is_latest,
            events_since: status.events_since,
            failure: status.failure.map(|(at, cause)| FailureView { at: time(at), cause }),
        });
        Self { newest, all: all.collect() }
    }

    /// The server sends checkpoints to a witness.
    pub fn is_configured(&self) -> bool {
        self.all.iter().any(|witness| witness.is_configured)
    }

    /// A witness that receives checkpoints lacks the latest one because its last attempt failed, or has another trail.
    pub fn has_alarm(&self) -> bool {
        let differs = |witness: &WitnessView| witness.last.is_some() && !witness.is_latest && witness.events_since == 0;
        self.all.iter().any(|witness| witness.is_configured && (witness.failure.is_some() || differs(witness)))
    }
}

impl CheckpointView {
    /// “1,204 events”.
    pub fn events(&self) -> String {
        pluralized(self.size, "event", "events")
    }
}

impl WitnessView {
    /// “3 events since then have not been sent yet.” `None` if the witness has the latest checkpoint. A different
    /// checkpoint although no events are missing means that the trail was altered.
    pub fn since(&self) -> Option<String> {
        match self.events_since {
            _ if self.is_latest || self.last.is_none() => None,
            0 => Some("Its copy differs from the current checkpoint. Run keydesk audit verify.".to_owned()),
            since => {
                let have = if since == 1 { "has" } else { "have" };
                Some(format!("{} since then {have} not been sent yet.", pluralized(since, "event", "events")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::components::samples::{LONG_NAME, ago, zone};

    impl WitnessesView {
        pub fn sample() -> Self {
            let last = |size, minutes| Some(CheckpointView { at: zone().date_time(ago(minutes)), size });
            let witness = |name: &str, last, events_since| WitnessView {
                name: name.to_owned(),
                is_configured: true,
                last,
                is_latest: events_since == 0,
                events_since,
                failure: None,
            };
            let failure = FailureView { at: zone().date_time(ago(1)), cause: "it answered 500".to_owned() };
            let address = format!("https://witness.example.com/{LONG_NAME}/{LONG_NAME}");
            let former = "https://former.example.com/keydesk";
            Self {
                newest: Some(zone().ago_mid_sentence(ago(4), ago(0))),
                all: vec![
                    witness("/mnt/witness/keydesk.checkpoints", last(1_204, 4), 0),
                    WitnessView { failure: Some(failure), ..witness(&address, last(1_201, 40), 3) },
                    WitnessView { is_configured: false, ..witness(former, last(1, 40_000), 1_203) },
                    witness("https://new.example.com/keydesk", None, 1_204),
                ],
            }
        }
    }

    impl WitnessesView {
        /// One witness that has everything.
        pub fn good_sample() -> Self {
            let mut sample = Self::sample();
            sample.all.truncate(1);
            sample
        }
    }

    #[test]
    fn a_failed_or_different_witness_is_an_alarm() {
        assert!(!WitnessesView::good_sample().has_alarm() && WitnessesView::sample().has_alarm());
        let mut different = WitnessesView::good_sample();
        different.all[0].is_latest = false;
        assert!(different.has_alarm());
        different.all[0].is_configured = false;
        assert!(!different.has_alarm() && !different.is_configured());
    }

    #[test]
    fn missing_events_are_counted_and_an_altered_trail_is_reported() {
        let text = |since, is_latest| {
            let witness = WitnessesView::sample().all.remove(1);
            WitnessView { events_since: since, is_latest, ..witness }.since()
        };
        assert_eq!(text(3, false).as_deref(), Some("3 events since then have not been sent yet."));
        assert_eq!(text(1, false).as_deref(), Some("1 event since then has not been sent yet."));
        assert_eq!(text(0, true), None);
        assert!(text(0, false).is_some_and(|text| text.contains("keydesk audit verify")));
    }
}
