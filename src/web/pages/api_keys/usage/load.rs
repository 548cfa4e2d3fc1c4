//! Loads the usage of one key, and builds its views.

use std::time::Duration;

use time::Date;

use crate::domain::ids::KeyId;
use crate::domain::key::usage::{HourlyUsage, MAX_CLIENTS, hour_of, start_of_hour};
use crate::domain::timestamp::Timestamp;
use crate::store::{self, KeyRecord, KeyUsage};
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::text::{pluralized, truncated};
use crate::web::app::time::view::TimeView;
use crate::web::app::time::zone::Zone;
pub use crate::web::components::key_use::load::as_of;
use crate::web::components::key_use::load::{IN_USE_PERIOD, recorded_request, sender};
use crate::web::components::key_use::view::{Address, AsOf, InUse, KeyInUse, KeyRequest, RecentUse};
use crate::web::pages::api_keys::usage::chart::UsageChart;
use crate::web::pages::api_keys::usage::view::{OldKeyUse, Refused, Requests, SinceEnd, Usage};

const DAY: Duration = Duration::from_hours(24);
const CHART_DAYS: i64 = 30;
const MAX_ADDRESSES: usize = 4;
const MAX_CLIENTS_PER_ADDRESS: usize = 2;
const MAX_CLIENT_CHARS: usize = 60;

/// The usage of one key at one moment.
pub struct UsageSnapshot<'a> {
    zone: &'a Zone,
    now: Timestamp,
    first_day: Date,
    usage: KeyUsage,
    hours: Vec<HourlyUsage>,
    clients: Vec<store::RecordedRequest>,
    until: Option<Timestamp>,
}

impl<'a> UsageSnapshot<'a> {
    /// Loads the usage of a key as of now.
    pub async fn load(cx: &'a PageContext, id: KeyId) -> Result<Self, PageError> {
        let (zone, now, company_id) = (&cx.zone, cx.now(), cx.company_id());
        let first_day = zone.day(now) - time::Duration::days(CHART_DAYS - 1);
        let from = zone.start_of_day(first_day).unwrap_or(now - IN_USE_PERIOD);
        // Read before the query, so that the query sees everything recorded until then.
        let until = cx.app.actions.usage.recorded_until();
        let (usage, hours, clients) = cx
            .read(move |db| {
                let usage = db.usage().of_keys(company_id, [id])?.remove(&id).unwrap_or_default();
                Ok((usage, db.usage().hours(id, hour_of(from))?, db.usage().clients(id, from)?))
            })
            .await?;
        Ok(Self { zone, now, first_day, usage, hours, clients, until })
    }

    pub fn as_of(&self) -> AsOf {
        as_of(self.until, self.zone, self.now)
    }

    /// The time of the last use.
    pub fn last_used_at(&self) -> Option<TimeView> {
        self.usage.last_used.as_ref().map(|last| self.zone.date_time(last.at))
    }

    pub fn usage(&self) -> Usage {
        let sender = |request: &store::RecordedRequest| (sender(request), self.zone.ago(request.at, self.now));
        Usage {
            last: self.usage.last_used.as_ref().map(|last| self.request(last)),
            in_24_hours: self.requests(24),
            in_7_days: self.requests(7 * 24),
            by_day: self.by_day(),
            senders: self.clients.iter().map(sender).collect(),
            senders_cut: self.clients.len() >= MAX_CLIENTS,
            as_of: self.as_of(),
        }
    }

    /// The warning about the usage that ends with the key. `None` if the key is not in use.
    pub fn in_use(&self, key: &KeyRecord) -> Option<InUse> {
        let last = self.usage.last_used.as_ref().filter(|last| self.now.since(last.at) <= IN_USE_PERIOD)?;
        let recent = self.recent_use();
        let in_use = KeyInUse {
            id: key.id.to_string(),
            name: key.name.clone(),
            preview: key.preview.clone(),
            last: self.request(last),
            requests: recent.as_ref().map(|recent| recent.requests.clone()),
            recent,
        };
        Some(InUse { keys: vec![in_use], more: 0, of: 1, as_of: self.as_of() })
    }

    /// The requests after the key's end.
    pub fn since_end(&self) -> SinceEnd {
        let refused = self.usage.refused.as_ref().map(|refused| Refused {
            count: refused.count,
            last: self.request(&refused.last),
            request_id: refused.last_request.clone(),
        });
        SinceEnd { accepted: self.usage.accepted_after_end, refused, as_of: self.as_of() }
    }

    /// Guesses whether the clients of a replaced key have switched. Most clients send requests every day, so a day
    /// without requests means that they have. Clients with longer pauses are recognised by their earlier pauses.
    pub fn old_key_use(&self) -> OldKeyUse {
        let Some(last) = &self.usage.last_used else { return OldKeyUse::Never };
        let pause = self.now.since(last.at);
        let used: Vec<i64> = self.hours.iter().filter(|hour| hour.accepted > 0).map(|hour| hour.hour).collect();
        let pauses = used.windows(2).map(|pair| start_of_hour(pair[1] + 1).since(start_of_hour(pair[0])));
        let longest = pauses.max().unwrap_or_default();
        if pause < DAY {
            OldKeyUse::Still(self.request(last))
        } else if pause <= longest {
            OldKeyUse::Pausing(self.request(last))
        } else {
            OldKeyUse::not_for(pause.as_secs() / DAY.as_secs())
        }
    }

    fn request(&self, request: &store::RecordedRequest) -> KeyRequest {
        recorded_request(request, self.zone, self.now)
    }

    /// The start of the last `hours` clock hours, including the current one.
    fn start_of(&self, hours: i64) -> Timestamp {
        start_of_hour(hour_of(self.now) + 1 - hours)
    }

    fn requests(&self, hours: i64) -> Requests {
        let start = self.start_of(hours);
        let counted_hours = || self.hours.iter().filter(|hour| hour.hour >= hour_of(start));
        Requests {
            accepted: counted_hours().map(|hour| count(hour.accepted)).sum(),
            refused: counted_hours().map(|hour| count(hour.refused)).sum(),
            since: self.zone.date_time(start),
        }
    }

    fn recent_use(&self) -> Option<RecentUse> {
        let requests = self.requests(24);
        let start = self.start_of(24);
        let recent: Vec<&store::RecordedRequest> =
            self.clients.iter().take_while(|client| client.at >= start).collect();
        if requests.accepted == 0 || recent.is_empty() {
            return None;
        }
        let mut from: Vec<Address> = Vec::new();
        for request in &recent {
            let index = from.iter().position(|entry| entry.address == request.address).unwrap_or(from.len());
            if index == from.len() {
                from.push(Address { address: request.address.clone(), clients: Vec::new(), more: 0 });
            }
            match &request.client {
                None => {}
                Some(_) if from[index].clients.len() >= MAX_CLIENTS_PER_ADDRESS => from[index].more += 1,
                Some(client) => from[index].clients.push(truncated(client, MAX_CLIENT_CHARS)),
            }
        }
        let at_least = if recent.len() >= MAX_CLIENTS { "at least " } else { "" };
        let all = from.len() as u64;
        from.truncate(MAX_ADDRESSES);
        let more = all.saturating_sub(from.len() as u64);
        Some(RecentUse {
            requests: pluralized(requests.accepted, "request", "requests"),
            addresses: format!("{at_least}{}", pluralized(all, "address", "addresses")),
            from,
            more: (more > 0).then(|| format!("{at_least}{more} more")),
        })
    }

    fn by_day(&self) -> Option<UsageChart> {
        let counts = self
            .hours
            .iter()
            .map(|hour| (self.zone.day(start_of_hour(hour.hour)), count(hour.accepted), count(hour.refused)));
        let to_view = |day| self.zone.date(self.zone.start_of_day(day).unwrap_or(self.now));
        UsageChart::of(self.first_day, self.zone.day(self.now), counts, to_view)
    }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
