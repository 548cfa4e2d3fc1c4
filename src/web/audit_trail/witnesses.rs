//! What a page says of the checkpoint: where it is downloaded, and who outside has it since when.

use actix_web::web::Data;

use crate::domain::ids::CompanyId;
use crate::domain::instant::Instant;
use crate::web::error::PageError;
use crate::web::page::{ShownTime, counted};
use crate::web::time::Zone;
use crate::web::{Site, blocking};
use crate::witness::Standing;

/// What `audit_trail/witnesses.html` is drawn from, as `witnesses`.
#[derive(Clone, Debug, Default)]
pub struct ShownWitnesses {
    pub all: Vec<ShownWitness>,
}

/// One witness.
#[derive(Clone, Debug)]
pub struct ShownWitness {
    pub name: String,
    /// Whether it is told of new checkpoints.
    pub is_configured: bool,
    pub last: Option<ShownCheckpoint>,
    /// Whether it has the latest one.
    pub is_latest: bool,
    /// So many events it knows nothing of.
    pub events_since: u64,
    pub failure: Option<ShownFailure>,
}

/// The last checkpoint that a witness has.
#[derive(Clone, Debug)]
pub struct ShownCheckpoint {
    pub at: ShownTime,
    pub size: u64,
}

/// Why a witness does not have the latest one.
#[derive(Clone, Debug)]
pub struct ShownFailure {
    pub at: ShownTime,
    pub cause: String,
}

/// How the witnesses stand to a company's trail.
pub(super) async fn load(site: &Data<Site>, company_id: CompanyId, zone: &Zone) -> Result<ShownWitnesses, PageError> {
    let (store, witnesses) = (site.actions.store.clone(), site.witnesses.clone());
    let standings = blocking(move || store.read(|questions| witnesses.standings(questions, company_id.into()))).await?;
    Ok(ShownWitnesses::of(standings, zone))
}

impl ShownWitnesses {
    /// How the witnesses stand, in the words and the zone of a page.
    #[must_use]
    pub fn of(standings: Vec<Standing>, zone: &Zone) -> Self {
        let time = |at: Instant| zone.date_time(at);
        let shown = standings.into_iter().map(|standing| ShownWitness {
            name: standing.witness,
            is_configured: standing.is_configured,
            last: standing.last.map(|last| ShownCheckpoint { at: time(last.at), size: last.size }),
            is_latest: standing.is_latest,
            events_since: standing.events_since,
            failure: standing.failure.map(|(at, cause)| ShownFailure { at: time(at), cause }),
        });
        Self { all: shown.collect() }
    }
}

impl ShownCheckpoint {
    /// “1,204 events”.
    pub(super) fn events(&self) -> String {
        counted(self.size, "event", "events")
    }
}

impl ShownWitness {
    /// “3 events since are not witnessed yet.” Where there are none, and it has another checkpoint all the same, the trail is
    /// not what it was; nothing where it has the latest.
    pub(super) fn since(&self) -> Option<String> {
        match self.events_since {
            _ if self.is_latest || self.last.is_none() => None,
            0 => Some(
                "What it has is not this trail's latest checkpoint: check the trail with keydesk audit verify."
                    .to_owned(),
            ),
            since => {
                let are = if since == 1 { "is" } else { "are" };
                Some(format!("{} since {are} not witnessed yet.", counted(since, "event", "events")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::samples::{LONG_NAME, ago, zone};

    impl ShownWitnesses {
        pub(crate) fn sample() -> Self {
            let last = |size, minutes| Some(ShownCheckpoint { at: zone().date_time(ago(minutes)), size });
            let witness = |name: &str, last, events_since| ShownWitness {
                name: name.to_owned(),
                is_configured: true,
                last,
                is_latest: events_since == 0,
                events_since,
                failure: None,
            };
            let failure = ShownFailure { at: zone().date_time(ago(1)), cause: "it answered 500".to_owned() };
            let address = format!("https://witness.example.com/{LONG_NAME}/{LONG_NAME}");
            let former = "https://former.example.com/keydesk";
            Self {
                all: vec![
                    witness("/mnt/witness/keydesk.checkpoints", last(1_204, 4), 0),
                    ShownWitness { failure: Some(failure), ..witness(&address, last(1_201, 40), 3) },
                    ShownWitness { is_configured: false, ..witness(former, last(1, 40_000), 1_203) },
                    witness("https://new.example.com/keydesk", None, 1_204),
                ],
            }
        }
    }

    #[test]
    fn what_a_witness_does_not_have_is_counted_and_what_it_has_beyond_the_trail_is_alarming() {
        let said = |since, is_latest| {
            let witness = ShownWitnesses::sample().all.remove(1);
            ShownWitness { events_since: since, is_latest, ..witness }.since()
        };
        assert_eq!(said(3, false).as_deref(), Some("3 events since are not witnessed yet."));
        assert_eq!(said(1, false).as_deref(), Some("1 event since is not witnessed yet."));
        assert_eq!(said(0, true), None);
        assert!(said(0, false).is_some_and(|words| words.contains("keydesk audit verify")));
    }
}
