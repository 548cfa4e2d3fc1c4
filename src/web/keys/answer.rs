//! What people open a key's history for: who made and ended it, when it was last changed, and whether its end held.

use super::usage::SinceEnd;
use crate::domain::action::Action;
use crate::domain::api_key::KeyEnd;
use crate::domain::ids::CompanyId;
use crate::domain::instant::Instant;
use crate::domain::trail_filter::TrailFilter;
use crate::store::{Snapshot, StoreError, StoredKey, TrailPaging};
use crate::web::audit_trail::told::actor;
use crate::web::page::{ShownTime, Who, grouped, who};
use crate::web::time::Zone;

/// What changes a key without beginning or ending it.
const CHANGES: [Action; 4] =
    [Action::ApiKeyRenamed, Action::ApiKeyRotated, Action::ApiKeyHandedOver, Action::ApiKeyExpiryChanged];

/// “Created by … on … · Last changed by … on … · Revoked by … on ….”
#[derive(Clone, Debug)]
pub struct KeyAnswer {
    pub created: Deed,
    pub changed: Option<Deed>,
    pub end: Option<AnsweredEnd>,
    /// What came after its end; known where it has ended.
    pub since_end: Option<SinceEnd>,
}

/// Who did something, and on which day.
#[derive(Clone, Debug)]
pub struct Deed {
    pub by: Who,
    pub on: ShownTime,
}

#[derive(Clone, Debug)]
pub enum AnsweredEnd {
    Revoked(Deed),
    Expired(ShownTime),
}

impl KeyAnswer {
    /// What the tables and the trail say of a key; what came after its end is asked elsewhere.
    pub(super) fn load(
        questions: &mut Snapshot<'_>,
        company_id: CompanyId,
        key: &StoredKey,
        zone: &Zone,
        now: Instant,
    ) -> Result<Self, StoreError> {
        let filter = TrailFilter { key: Some(key.id), actions: CHANGES.into(), ..TrailFilter::default() };
        let last = questions.filtered_events(company_id, &filter, TrailPaging::Newest, 1)?.pop();
        let last_actor = last.as_ref().and_then(|last| actor(&last.event).user());
        let names = questions.names_of(company_id, key.users().chain(last_actor))?;
        Ok(Self {
            created: Deed { by: Who::user(names.get(&key.created_by).cloned()), on: zone.date(key.created_at) },
            changed: last.map(|last| Deed {
                by: who(actor(&last.event), &names),
                on: zone.date(Instant::from_micros(last.event.at)),
            }),
            end: key.end(now).map(|end| match end {
                KeyEnd::Expired(at) => AnsweredEnd::Expired(zone.date(at)),
                KeyEnd::Revoked(end) => AnsweredEnd::Revoked(Deed { by: who(end.by, &names), on: zone.date(end.at) }),
            }),
            since_end: None,
        })
    }
}

impl SinceEnd {
    /// “No request accepted since, 4 refused, the last”: what follows says how long ago the last was.
    pub(super) fn in_short(&self) -> String {
        let accepted = match self.accepted {
            0 => "No request accepted since".to_owned(),
            1 => "1 request accepted since".to_owned(),
            many => format!("{} requests accepted since", grouped(many)),
        };
        match self.refused.as_ref().map(|refused| refused.count) {
            None => format!("{accepted}, none refused"),
            Some(1) => format!("{accepted}, 1 refused,"),
            Some(count) => format!("{accepted}, {} refused, the last", grouped(count)),
        }
    }
}
