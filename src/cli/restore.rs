//! `keydesk restore`.

use super::error::CliError;
use super::open::open;
use super::output::print_line;
use crate::actions::Actions;
use crate::config::Settings;
use crate::domain::ids::{CompanyId, TrailId};
use crate::domain::text::escape::Quoted;
use crate::server::Continuity;

#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// Accept that the events which the audit trails lack are lost: records it in each trail and serves its company again
    ///
    /// Works while the server runs. Keys that were revoked in the lost events are valid again: review and revoke them.
    #[arg(long, required = true)]
    accept_loss: bool,
}

impl Restore {
    pub(super) fn run(self, settings: Settings) -> Result<(), CliError> {
        debug_assert!(self.accept_loss, "it is required");
        let actions = &open(settings)?;
        let shortfalls = actions.memory.shortfalls();
        if shortfalls.is_empty() {
            return Err("No audit trail lacks events that this server remembers. There is no loss to accept.".into());
        }
        // The installation's trail records the loss of whole trails, so its own loss comes first.
        let own = TrailId::from(actions.installation);
        let (first, others): (Vec<_>, Vec<_>) = shortfalls.into_iter().partition(|(trail, _)| *trail == own);
        for trails in [first, others] {
            for (trail, shortfall) in trails {
                actions.accept_loss(trail, shortfall)?;
                print_line(&format!("Accepted for {}: {shortfall}.", subject(actions, trail)?))?;
            }
            // A server that runs does the same within a second.
            Continuity::new(actions).run()?;
        }
        print_line("Keys that were revoked in lost events are valid again. Review the keys, and revoke them.")
    }
}

/// Names what a trail is about.
fn subject(actions: &Actions, trail: TrailId) -> Result<String, CliError> {
    if trail == TrailId::from(actions.installation) {
        return Ok("the installation".to_owned());
    }
    let Some(id) = CompanyId::parse(&trail.to_string()) else { return Ok(format!("the trail {trail}")) };
    let company = actions.store.query(|db| db.companies().by_id(id))?;
    Ok(company.map_or_else(|| format!("the company {id}"), |company| format!("{} ({id})", Quoted(&company.name))))
}
