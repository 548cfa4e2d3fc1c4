//! Records exports of the audit trail and of the list of keys.

use super::authority::{ActionFailure, Permission, RequestContext};
use super::service::Actions;
use crate::domain::ids::TrailId;
use crate::domain::trail::check::TrailHead;
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::{Export, KeyExport};
use crate::domain::trail::filter::{ExportFormat, TrailFilter};

impl Actions {
    /// Records that a company's trail is exported, before any of it is read. Returns the head of the trail after this
    /// event: the export covers exactly the events up to it.
    pub fn export_trail(
        &self,
        context: &RequestContext,
        filter: &TrailFilter,
        format: ExportFormat,
    ) -> Result<TrailHead, ActionFailure> {
        let trail = TrailId::from(context.company_id);
        let detail = EventDetail::AuditTrailExported { after: Export::new(filter, format) };
        self.store.write(|tx| {
            let head = tx.trails().lock(trail)?;
            let permission = Permission::of_user::<ActionFailure>(tx, context, self.clock.now())?;
            self.change_locked_trail(tx, trail, &head, permission, &context.client, |change| {
                change.append_event(EventDraft::new(EventTarget::Company(context.company_id), detail))
            })?;
            Ok(tx.trails().head(trail)?)
        })
    }

    /// Records that keys of a company are exported, before any of them is read.
    pub fn export_keys(&self, context: &RequestContext, export: KeyExport) -> Result<(), ActionFailure> {
        self.change_own(context, |change| {
            let detail = EventDetail::ApiKeysExported { after: export };
            change.append_event(EventDraft::new(EventTarget::Company(context.company_id), detail))?;
            Ok(())
        })
    }
}
