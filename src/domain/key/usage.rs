//! Usage of a key: the requests that are counted in memory until they are written to the database.

use std::fmt::{self, Write};
use std::net::IpAddr;

use smallvec::SmallVec;

use crate::domain::ids::CompanyId;
use crate::domain::timestamp::Timestamp;

/// How many recent clients are kept per key.
pub const MAX_CLIENTS: usize = 16;
/// Longer user agents are cut.
const MAX_CLIENT_CHARS: usize = 128;

const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// The source of a request with a key: its address and its user agent, if they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestSource<'a> {
    pub address: Option<IpAddr>,
    /// The user agent.
    pub client: Option<&'a str>,
}

impl RequestSource<'_> {
    fn cleaned_client(&self) -> impl Iterator<Item = char> {
        let client = self.client.unwrap_or_default();
        client.chars().filter(|character| !character.is_control()).take(MAX_CLIENT_CHARS)
    }
}

/// The last request from one address and client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRequest {
    pub at: Timestamp,
    pub address: Option<IpAddr>,
    /// The user agent without control characters, cut; empty if there is none.
    pub client: Box<str>,
}

impl LastRequest {
    fn new(at: Timestamp, source: RequestSource<'_>) -> Self {
        Self { at, address: source.address, client: source.cleaned_client().collect::<String>().into() }
    }

    fn is_from(&self, source: RequestSource<'_>) -> bool {
        self.address == source.address
            && (*self.client == *source.client.unwrap_or_default() || self.client.chars().eq(source.cleaned_client()))
    }
}

/// The requests of one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourlyUsage {
    /// Hours since 1970.
    pub hour: i64,
    pub accepted: i64,
    /// Requests that were refused because the key had ended.
    pub refused: i64,
}

/// Requests that were refused because the key had ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusals {
    pub count: i64,
    pub first_at: Timestamp,
    pub last: LastRequest,
    /// The request id of the last one.
    pub last_request: String,
}

/// The usage of one key that is not in the database yet. Most keys are used within one hour and by one client between
/// two writes, and there may be many keys, so the first hour and client are stored inline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageDelta {
    pub company_id: CompanyId,
    pub hours: SmallVec<[HourlyUsage; 1]>,
    /// The times of the first and the last accepted request.
    pub accepted: Option<(Timestamp, Timestamp)>,
    /// The most recent clients, latest first, at most [`MAX_CLIENTS`].
    pub clients: SmallVec<[LastRequest; 1]>,
    pub refusals: Option<Box<Refusals>>,
}

impl UsageDelta {
    #[must_use]
    pub const fn new(company_id: CompanyId) -> Self {
        Self {
            company_id,
            hours: SmallVec::new_const(),
            accepted: None,
            clients: SmallVec::new_const(),
            refusals: None,
        }
    }

    #[must_use]
    pub fn accepted_count(&self) -> i64 {
        self.hours.iter().map(|hour| hour.accepted).sum()
    }

    /// Counts a request that was accepted.
    pub fn count_accepted(&mut self, at: Timestamp, source: RequestSource<'_>) {
        self.hour(at).accepted += 1;
        self.accepted = Some(match self.accepted {
            None => (at, at),
            Some((first, last)) => (first.min(at), last.max(at)),
        });
        match self.clients.iter().position(|client| client.is_from(source)) {
            Some(0) => self.clients[0].at = self.clients[0].at.max(at),
            Some(known) => {
                self.clients[known].at = self.clients[known].at.max(at);
                self.clients[..=known].rotate_right(1);
            }
            None => {
                self.clients.insert(0, LastRequest::new(at, source));
                self.clients.truncate(MAX_CLIENTS);
            }
        }
    }

    /// Counts a request that was refused because the key had ended.
    pub fn count_refused(&mut self, at: Timestamp, source: RequestSource<'_>, request_id: impl fmt::Display) {
        self.hour(at).refused += 1;
        match &mut self.refusals {
            Some(refusals) => {
                refusals.count += 1;
                if refusals.last.is_from(source) {
                    refusals.last.at = at;
                } else {
                    refusals.last = LastRequest::new(at, source);
                }
                // Reuse the allocation: a flood of refused requests comes through here.
                refusals.last_request.clear();
                let _ = write!(refusals.last_request, "{request_id}");
            }
            none => {
                let last = LastRequest::new(at, source);
                let refusals = Refusals { count: 1, first_at: at, last, last_request: request_id.to_string() };
                *none = Some(Box::new(refusals));
            }
        }
    }

    /// Clears the user agents for which `is_unwanted` holds.
    pub fn clear_clients(&mut self, is_unwanted: impl Fn(&str) -> bool) {
        let refused = self.refusals.iter_mut().map(|refusals| &mut refusals.last);
        for request in self.clients.iter_mut().chain(refused).filter(|request| is_unwanted(&request.client)) {
            request.client = Box::default();
        }
    }

    /// Adds the usage of the same key that another thread counted.
    pub fn merge(&mut self, other: Self) {
        for theirs in other.hours {
            let ours = self.hour(start_of_hour(theirs.hour));
            ours.accepted += theirs.accepted;
            ours.refused += theirs.refused;
        }
        self.accepted = match (self.accepted, other.accepted) {
            (Some(ours), Some(theirs)) => Some((ours.0.min(theirs.0), ours.1.max(theirs.1))),
            (ours, theirs) => ours.or(theirs),
        };
        for theirs in other.clients {
            match self.clients.iter_mut().find(|ours| ours.address == theirs.address && ours.client == theirs.client) {
                Some(ours) => ours.at = ours.at.max(theirs.at),
                None => self.clients.push(theirs),
            }
        }
        self.clients.sort_by_key(|client| std::cmp::Reverse(client.at));
        self.clients.truncate(MAX_CLIENTS);
        self.refusals = match (self.refusals.take(), other.refusals) {
            (Some(ours), Some(theirs)) => {
                let (count, first_at) = (ours.count + theirs.count, ours.first_at.min(theirs.first_at));
                let later = if ours.last.at < theirs.last.at { theirs } else { ours };
                Some(Box::new(Refusals { count, first_at, ..*later }))
            }
            (ours, theirs) => ours.or(theirs),
        };
    }

    fn hour(&mut self, at: Timestamp) -> &mut HourlyUsage {
        let hour = hour_of(at);
        let index = self.hours.iter().position(|known| known.hour == hour).unwrap_or_else(|| {
            self.hours.push(HourlyUsage { hour, accepted: 0, refused: 0 });
            self.hours.len() - 1
        });
        &mut self.hours[index]
    }
}

/// Returns the hour of a time, counted since 1970.
#[must_use]
pub const fn hour_of(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(MICROS_PER_HOUR)
}

/// Returns the start of an hour that [`hour_of`] returned.
#[must_use]
pub const fn start_of_hour(hour: i64) -> Timestamp {
    Timestamp::from_micros(hour.saturating_mul(MICROS_PER_HOUR))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn no_usage() -> UsageDelta {
        UsageDelta::new(CompanyId::new(at(0), &[1; 10]))
    }

    fn from(last: u8, client: &str) -> RequestSource<'_> {
        RequestSource { address: Some(IpAddr::from([192, 0, 2, last])), client: Some(client) }
    }

    fn clients(usage: &UsageDelta) -> Vec<(i64, String, &str)> {
        let address = |client: &LastRequest| client.address.map(|address| address.to_string()).unwrap_or_default();
        usage.clients.iter().map(|last| (last.at.as_micros() / 1_000_000, address(last), &*last.client)).collect()
    }

    #[test]
    fn requests_are_counted_in_their_hour() {
        let mut usage = no_usage();
        usage.count_accepted(at(3_599), from(1, "curl"));
        usage.count_accepted(at(3_600), from(1, "curl"));
        usage.count_refused(at(3_601), from(1, "curl"), "r");
        let hours = usage.hours.iter().map(|hour| (hour.hour, hour.accepted, hour.refused)).collect::<Vec<_>>();
        assert_eq!(hours, [(0, 1, 0), (1, 1, 1)]);
        assert_eq!((usage.accepted, usage.accepted_count()), (Some((at(3_599), at(3_600))), 2));
    }

    #[test]
    fn the_latest_clients_are_kept_in_order() {
        let mut usage = no_usage();
        for last in 0..20 {
            usage.count_accepted(at(last.into()), from(last, "curl"));
        }
        usage.count_accepted(at(20), from(10, "curl"));
        assert_eq!(clients(&usage).len(), MAX_CLIENTS);
        assert_eq!(clients(&usage)[..2], [(20, "192.0.2.10".into(), "curl"), (19, "192.0.2.19".into(), "curl")]);
    }

    #[test]
    fn user_agents_are_cut_and_lose_control_characters() {
        let mut usage = no_usage();
        let client = format!("a\u{1b}b{}", "c".repeat(200));
        for second in 0..2 {
            usage.count_accepted(at(second), RequestSource { address: None, client: Some(&client) });
        }
        assert_eq!(clients(&usage), [(1, String::new(), format!("ab{}", "c".repeat(126)).as_str())]);
    }

    #[test]
    fn merged_deltas_equal_one_combined_delta() {
        let (mut one, mut left, mut right) = (no_usage(), no_usage(), no_usage());
        for n in 0..40_u8 {
            let (when, who) = (at(i64::from(n) * 400), from(n % 5, if n % 2 == 0 { "curl" } else { "python" }));
            let half = if n % 3 == 0 { &mut left } else { &mut right };
            for usage in [&mut one, half] {
                usage.count_accepted(when, who);
                usage.count_refused(when, who, n);
            }
        }
        left.merge(right);
        left.hours.sort_by_key(|hour| hour.hour);
        assert_eq!((&left.hours, left.accepted, &left.refusals), (&one.hours, one.accepted, &one.refusals));
        assert_eq!(clients(&left), clients(&one));
    }
}
