//! What is known of one key's use: loaded as it was at one moment, and turned into what is drawn.

use std::time::Duration;

use actix_web::web::Data;
use time::Date;

use super::usage::{
    Address, AsOf, InUse, InUseLately, KeyRequest, OldKeyUse, Refused, Requests, Sender, SinceEnd, Usage,
};
use super::use_by_day::UseByDay;
use crate::domain::ids::{CompanyId, KeyId};
use crate::domain::instant::Instant;
use crate::domain::usage::{CLIENTS_KEPT, HourOfUse, hour_of, start_of_hour};
use crate::store::{self, KeyUsage, StoreError};
use crate::web::error::PageError;
use crate::web::page::{ShownTime, counted, shortened};
use crate::web::time::Zone;
use crate::web::{Site, blocking};

const A_DAY: Duration = Duration::from_hours(24);
/// A key that was used so lately is in use.
const IN_USE: Duration = Duration::from_hours(7 * 24);
const DAYS_IN_THE_PICTURE: i64 = 30;
const ADDRESSES_IN_A_SENTENCE: usize = 4;
const CLIENTS_OF_AN_ADDRESS: usize = 2;
const CLIENT_IN_A_SENTENCE: usize = 60;

pub(super) struct KnownUse<'a> {
    zone: &'a Zone,
    now: Instant,
    first_day: Date,
    usage: KeyUsage,
    hours: Vec<HourOfUse>,
    clients: Vec<store::KeyRequest>,
    until: Option<Instant>,
}

impl<'a> KnownUse<'a> {
    pub(super) async fn load(
        site: &Data<Site>,
        company_id: CompanyId,
        id: KeyId,
        zone: &'a Zone,
        now: Instant,
    ) -> Result<Self, PageError> {
        let first_day = zone.day(now) - time::Duration::days(DAYS_IN_THE_PICTURE - 1);
        let from = zone.start_of_day(first_day).unwrap_or(now - IN_USE);
        // Asked before the database is: what was written until then is seen there.
        let until = site.actions.usage.recorded_until();
        let store = site.actions.store.clone();
        let (usage, hours, clients) = blocking(move || {
            store.read(|questions| {
                let usage = questions.usage_of_keys(company_id, [id])?.remove(&id).unwrap_or_default();
                Ok::<_, StoreError>((
                    usage,
                    questions.hours_of_use(id, hour_of(from))?,
                    questions.clients_of_key(id, from)?,
                ))
            })
        })
        .await?;
        Ok(Self { zone, now, first_day, usage, hours, clients, until })
    }

    pub(super) fn as_of(&self) -> AsOf {
        as_of(self.until, self.zone, self.now)
    }

    /// The last use as a fact of its own.
    pub(super) fn last_used_at(&self) -> Option<ShownTime> {
        self.usage.last_used.as_ref().map(|last| self.zone.date_time(last.at))
    }

    pub(super) fn usage(&self) -> Usage {
        let sender = |request: &store::KeyRequest| (sender(request), self.zone.ago(request.at, self.now));
        Usage {
            last: self.usage.last_used.as_ref().map(|last| self.request(last)),
            in_24_hours: self.requests(24),
            in_7_days: self.requests(7 * 24),
            by_day: self.by_day(),
            senders: self.clients.iter().map(sender).collect(),
            senders_cut: self.clients.len() >= CLIENTS_KEPT,
            as_of: self.as_of(),
        }
    }

    /// What breaks if the key ends now.
    pub(super) fn in_use(&self) -> Option<InUse> {
        let last = self.usage.last_used.as_ref().filter(|last| self.now.since(last.at) <= IN_USE)?;
        Some(InUse { last: self.request(last), in_24_hours: self.in_use_lately(), as_of: self.as_of() })
    }

    /// What came after the key's end.
    pub(super) fn since_end(&self) -> SinceEnd {
        let refused = self.usage.refused.as_ref().map(|refused| Refused {
            count: refused.count,
            last: self.request(&refused.last),
            request_id: refused.last_request.clone(),
        });
        SinceEnd { accepted: self.usage.accepted_after_end, refused, as_of: self.as_of() }
    }

    /// Most systems that run by themselves do so every day: whoever did not for a day has moved to the other key. Those
    /// with a slower rhythm are known by their pauses.
    pub(super) fn as_old_key(&self) -> OldKeyUse {
        let Some(last) = &self.usage.last_used else { return OldKeyUse::Never };
        let pause = self.now.since(last.at);
        let used: Vec<i64> = self.hours.iter().filter(|hour| hour.accepted > 0).map(|hour| hour.hour).collect();
        let pauses = used.windows(2).map(|pair| start_of_hour(pair[1] + 1).since(start_of_hour(pair[0])));
        let longest = pauses.max().unwrap_or_default();
        if pause < A_DAY {
            OldKeyUse::Still(self.request(last))
        } else if pause <= longest {
            OldKeyUse::Pausing(self.request(last))
        } else {
            OldKeyUse::not_for(pause.as_secs() / A_DAY.as_secs())
        }
    }

    fn request(&self, request: &store::KeyRequest) -> KeyRequest {
        KeyRequest {
            at: self.zone.date_time(request.at),
            ago: self.zone.ago_within(request.at, self.now),
            sender: sender(request),
        }
    }

    /// Where the first begins of so many hours of the clock that end with the running one.
    fn start_of(&self, hours: i64) -> Instant {
        start_of_hour(hour_of(self.now) + 1 - hours)
    }

    fn requests(&self, hours: i64) -> Requests {
        let start = self.start_of(hours);
        let counted = || self.hours.iter().filter(|hour| hour.hour >= hour_of(start));
        Requests {
            accepted: counted().map(|hour| count(hour.accepted)).sum(),
            refused: counted().map(|hour| count(hour.refused)).sum(),
            since: self.zone.date_time(start),
        }
    }

    fn in_use_lately(&self) -> Option<InUseLately> {
        let requests = self.requests(24);
        let start = self.start_of(24);
        let lately: Vec<&store::KeyRequest> = self.clients.iter().take_while(|client| client.at >= start).collect();
        if requests.accepted == 0 || lately.is_empty() {
            return None;
        }
        let mut from: Vec<Address> = Vec::new();
        for request in &lately {
            let place = from.iter().position(|known| known.address == request.address).unwrap_or(from.len());
            if place == from.len() {
                from.push(Address { address: request.address.clone(), clients: Vec::new(), more: 0 });
            }
            match &request.client {
                None => {}
                Some(_) if from[place].clients.len() >= CLIENTS_OF_AN_ADDRESS => from[place].more += 1,
                Some(client) => from[place].clients.push(shortened(client, CLIENT_IN_A_SENTENCE)),
            }
        }
        let at_least = if lately.len() >= CLIENTS_KEPT { "at least " } else { "" };
        let all = from.len() as u64;
        from.truncate(ADDRESSES_IN_A_SENTENCE);
        let more = all.saturating_sub(from.len() as u64);
        Some(InUseLately {
            requests: counted(requests.accepted, "request", "requests"),
            since: requests.since,
            addresses: format!("{at_least}{}", counted(all, "address", "addresses")),
            from,
            more: (more > 0).then(|| format!("{at_least}{more} more")),
        })
    }

    fn by_day(&self) -> Option<UseByDay> {
        let counted = self
            .hours
            .iter()
            .map(|hour| (self.zone.day(start_of_hour(hour.hour)), count(hour.accepted), count(hour.refused)));
        let show = |day| self.zone.date(self.zone.start_of_day(day).unwrap_or(self.now));
        UseByDay::of(self.first_day, self.zone.day(self.now), counted, show)
    }
}

/// Until when everything is counted.
pub(super) fn as_of(until: Option<Instant>, zone: &Zone, now: Instant) -> AsOf {
    until.map(|until| zone.moment(until, now))
}

fn sender(request: &store::KeyRequest) -> Sender {
    Sender { address: request.address.clone(), client: request.client.clone() }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
