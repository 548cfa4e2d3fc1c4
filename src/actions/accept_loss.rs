//! Accepts that events of an audit trail are lost, so that its company can be served again.

use super::authority::Permission;
use super::service::Actions;
use crate::domain::client::Client;
use crate::domain::ids::{CompanyId, TrailId};
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::AcceptedLoss;
use crate::domain::trail::remembered::RememberedTrail;
use crate::domain::trail::shortfall::Shortfall;
use crate::store::StoreError;

/// Why a loss was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptLossError {
    /// The trail is whole, or was changed since it was compared.
    #[error("The audit trail was changed in the meantime. Run the command again.")]
    Changed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Records in a trail that what it lacks is lost. The event holds the remembered checkpoint: every server that
    /// remembers it, or an earlier one of the lost events, follows the trail from there. The loss of a whole trail is
    /// recorded in the installation's own.
    pub fn accept_loss(&self, trail: TrailId, shortfall: Shortfall) -> Result<(), AcceptLossError> {
        let known = self.memory.trail(trail).ok_or(AcceptLossError::Changed)?;
        let is_gone = matches!(shortfall, Shortfall::TrailMissing { .. });
        let recorded_in = if is_gone { self.installation.into() } else { trail };
        self.store.write(|tx| {
            let head = tx.trails().lock(recorded_in)?;
            if is_gone {
                self.refuse_shortened(recorded_in, &head)?;
            } else if head.checkpoint == known.note {
                return Err(AcceptLossError::Changed);
            }
            let events_left = if is_gone { 0 } else { u64::try_from(head.size).unwrap_or(0) };
            let after = accepted_loss(&known, shortfall, events_left);
            self.append_to_locked_trail(
                tx,
                recorded_in,
                &head,
                Permission::command_line(),
                &Client::none(),
                |change| {
                    let detail = EventDetail::AuditTrailLossAccepted { after };
                    change
                        .append_event(EventDraft::new(self.trail_target(trail), detail))
                        .map_err(AcceptLossError::from)
                },
            )?;
            Ok(())
        })
    }

    /// A trail has the id of what it belongs to.
    fn trail_target(&self, trail: TrailId) -> EventTarget {
        match CompanyId::parse(&trail.to_string()) {
            Some(company) if trail != TrailId::from(self.installation) => EventTarget::Company(company),
            _ => EventTarget::Installation(self.installation),
        }
    }
}

fn accepted_loss(known: &RememberedTrail, shortfall: Shortfall, events_left: u64) -> AcceptedLoss {
    let first_lost = shortfall.first_missing();
    AcceptedLoss { checkpoint: known.note.clone(), events_left, first_lost, last_lost: known.size() }
}
