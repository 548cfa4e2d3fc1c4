//! The summary of a key's history: who created, changed and ended it, and the requests after its end.

use crate::domain::ids::CompanyId;
use crate::domain::key::lifecycle::KeyEnd;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::action::Action;
use crate::domain::trail::filter::TrailFilter;
use crate::store::{Db, KeyRecord, StoreError, TrailPageRequest};
use crate::web::app::text::with_thousands;
use crate::web::app::time::view::TimeView;
use crate::web::app::time::zone::Zone;
use crate::web::components::event::view::actor;
use crate::web::components::people::{ActorView, actor_view};
use crate::web::pages::api_keys::usage::view::SinceEnd;

/// The actions that change a key without creating or ending it.
const CHANGE_ACTIONS: [Action; 5] = [
    Action::ApiKeyRenamed,
    Action::ApiKeyRotated,
    Action::ApiKeyHandedOver,
    Action::ApiKeyExpiryChanged,
    Action::ApiKeyDetailsChanged,
];

/// “Created by … on … · Last changed by … on … · Revoked by … on ….”
#[derive(Clone, Debug)]
pub struct KeyHistorySummary {
    pub created: ActorOn,
    pub changed: Option<ActorOn>,
    pub end: Option<EndSummary>,
    /// The requests after its end, if the key has ended.
    pub since_end: Option<SinceEnd>,
}

/// An actor and the day of the action.
#[derive(Clone, Debug)]
pub struct ActorOn {
    pub by: ActorView,
    pub on: TimeView,
}

#[derive(Clone, Debug)]
pub enum EndSummary {
    Revoked(ActorOn),
    Expired(TimeView),
}

impl KeyHistorySummary {
    /// Loads the summary without `since_end`, which the caller adds.
    pub fn load(
        db: &mut Db<'_>,
        company_id: CompanyId,
        key: &KeyRecord,
        zone: &Zone,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let filter = TrailFilter { key: Some(key.id), actions: CHANGE_ACTIONS.into(), ..TrailFilter::default() };
        let last = db.trails().filtered(company_id, &filter, TrailPageRequest::Newest, 1)?.pop();
        let last_actor = last.as_ref().and_then(|last| actor(&last.event).user());
        let names = db.users().names(company_id, key.users().chain(last_actor))?;
        Ok(Self {
            created: ActorOn { by: actor_view(key.created_by, &names), on: zone.date(key.created_at) },
            changed: last.map(|last| ActorOn {
                by: actor_view(actor(&last.event), &names),
                on: zone.date(Timestamp::from_micros(last.event.at)),
            }),
            end: key.end(now).map(|end| match end {
                KeyEnd::Expired(at) => EndSummary::Expired(zone.date(at)),
                KeyEnd::Revoked(end) => {
                    EndSummary::Revoked(ActorOn { by: actor_view(end.by, &names), on: zone.date(end.at) })
                }
            }),
            since_end: None,
        })
    }
}

impl SinceEnd {
    /// “No request accepted since, 4 refused, the last”. The time of the last request follows.
    pub fn short_text(&self) -> String {
        let accepted = match self.accepted {
            0 => "No request accepted since".to_owned(),
            1 => "1 request accepted since".to_owned(),
            many => format!("{} requests accepted since", with_thousands(many)),
        };
        match self.refused.as_ref().map(|refused| refused.count) {
            None => format!("{accepted}, none refused"),
            Some(1) => format!("{accepted}, 1 refused,"),
            Some(count) => format!("{accepted}, {} refused, the last", with_thousands(count)),
        }
    }
}
