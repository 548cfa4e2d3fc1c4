//! `keydesk audit …`.

use super::Refusal;
use crate::actions::Actions;
use crate::domain::checkpoint;
use crate::domain::ids::TrailId;
use crate::domain::trail_check::{Misfit, TrailCheck};
use crate::store::StoreError;

const EVENTS_AT_A_TIME: i64 = 1_000;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Audit {
    /// Recompute every trail's tree and hold it against its signed checkpoint
    Verify,
}

impl Audit {
    pub(super) fn run(self, actions: &Actions) -> Result<(), Refusal> {
        let Self::Verify = self;
        let companies = actions.store.ask(|questions| questions.companies())?;
        let own = ("Installation".to_owned(), TrailId::from(actions.installation));
        let trails = companies.into_iter().map(|company| (company.name, TrailId::from(company.id)));
        let mut refused = None;
        for (name, trail) in trails.chain([own]) {
            match verify(actions, trail)? {
                Ok(events) => super::say(&format!("{name}: {events} events, all as they were recorded"))?,
                Err(misfit) => {
                    super::say(&format!("{name}: {misfit}"))?;
                    refused.get_or_insert(format!("The audit trail of {name} does not verify: {misfit}."));
                }
            }
        }
        refused.map_or(Ok(()), |sentence| Err(Refusal(sentence)))
    }
}

/// Checks one trail as it is at this moment, also while a server appends to it.
fn verify(actions: &Actions, trail: TrailId) -> Result<Result<u64, Misfit>, StoreError> {
    actions.store.read(|questions| {
        let head = questions.trail_head(trail)?;
        let mut check = TrailCheck::new(head.size);
        let mut last = i64::MIN;
        loop {
            let events = questions.events_after(trail, last, EVENTS_AT_A_TIME)?;
            let Some((newest, _)) = events.last() else { break };
            last = newest.sequence;
            for (event, leaf) in &events {
                if let Err(misfit) = check.take(event, leaf) {
                    return Ok(Err(misfit));
                }
            }
        }
        let origin = checkpoint::origin(actions.installation, trail);
        Ok(check.finish(&head, &origin, actions.secrets.signer.public_key()))
    })
}
