//! `keydesk restore --accept-loss`.

use super::error::CliError;
use super::open::open;
use super::output::print_line;
use crate::actions::Actions;
use crate::config::Settings;
use crate::domain::ids::{CompanyId, TrailId};
use crate::domain::text::escape::Quoted;
use crate::server::Continuity;

pub(super) fn accept_loss(settings: Settings) -> Result<(), CliError> {
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

/// Names what a trail is about.
fn subject(actions: &Actions, trail: TrailId) -> Result<String, CliError> {
    if trail == TrailId::from(actions.installation) {
        return Ok("the installation".to_owned());
    }
    let Some(id) = CompanyId::parse(&trail.to_string()) else { return Ok(format!("the trail {trail}")) };
    let company = actions.store.query(|db| db.companies().by_id(id))?;
    Ok(company.map_or_else(|| format!("the company {id}"), |company| format!("{} ({id})", Quoted(&company.name))))
}
