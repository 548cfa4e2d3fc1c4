//! The trail read out into a file, which is an event itself.

use super::Actions;
use crate::domain::action::Action;
use crate::domain::event::{Happening, Origin, Target};
use crate::domain::ids::{CompanyId, TrailId};
use crate::domain::trail_check::TrailHead;
use crate::domain::trail_filter::{ExportFormat, TrailFilter};
use crate::store::StoreError;

impl Actions {
    /// Records that a company's trail is read out, before any of it is; answers the head that the trail has then: the export
    /// covers what is in it, its own event among the rest, and nothing later.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn export_trail(
        &self,
        company_id: CompanyId,
        filter: &TrailFilter,
        format: ExportFormat,
        origin: &Origin,
    ) -> Result<TrailHead, StoreError> {
        let trail = TrailId::from(company_id);
        let mut after = filter.in_words();
        after.insert("format".to_owned(), format.as_str().into());
        self.store.write(|transaction| {
            let head = transaction.lock_trail(trail)?;
            self.change_from(transaction, trail, &head, origin, |change| {
                change.record(Happening {
                    after: Some(after.into()),
                    ..Happening::new(Action::AuditTrailExported, Target::Company(company_id))
                })
            })?;
            transaction.trail_head(trail)
        })
    }
}
