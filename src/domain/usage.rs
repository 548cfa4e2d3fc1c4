//! How a key is used: what is remembered of its requests until it is written down.

use std::fmt::{self, Write};
use std::net::IpAddr;

use smallvec::SmallVec;

use super::ids::CompanyId;
use super::instant::Instant;

/// Of so many addresses and programs that used a key lately is kept which they are.
pub const CLIENTS_KEPT: usize = 16;
/// Longer names that programs give themselves are cut to so many characters.
const LONGEST_CLIENT: usize = 128;

const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// Who presents a key: from which address, and by which program, as far as is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presenter<'a> {
    /// The address that the request came from.
    pub address: Option<IpAddr>,
    /// What the program calls itself.
    pub client: Option<&'a str>,
}

impl Presenter<'_> {
    fn cleaned(&self) -> impl Iterator<Item = char> {
        let client = self.client.unwrap_or_default();
        client.chars().filter(|character| !character.is_control()).take(LONGEST_CLIENT)
    }
}

/// The same, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When last.
    pub at: Instant,
    /// The address, where it is known.
    pub address: Option<IpAddr>,
    /// What the program calls itself, without control characters and cut; empty where it says nothing.
    pub client: Box<str>,
}

impl Seen {
    fn new(at: Instant, presenter: Presenter<'_>) -> Self {
        Self { at, address: presenter.address, client: presenter.cleaned().collect::<String>().into() }
    }

    fn is(&self, presenter: Presenter<'_>) -> bool {
        self.address == presenter.address
            && (*self.client == *presenter.client.unwrap_or_default() || self.client.chars().eq(presenter.cleaned()))
    }
}

/// Requests of one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourOfUse {
    /// Hours since 1970.
    pub hour: i64,
    /// How many requests were let through.
    pub accepted: i64,
    /// How many were refused, as the key had ended.
    pub refused: i64,
}

/// Requests with a key that were refused, as it had ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusals {
    /// How many.
    pub count: i64,
    /// When the first of them came.
    pub first_at: Instant,
    /// Who sent the last, and when.
    pub last: Seen,
    /// The id of that request, as its answer and the log name it.
    pub last_request: String,
}

/// How one key was used since that was written down last. Most keys are used within one hour and by one program until then, and
/// there may be very many keys: the first of each stands in here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The key's company.
    pub company_id: CompanyId,
    /// The requests, by hour.
    pub hours: SmallVec<[HourOfUse; 1]>,
    /// When the first and the last request came that were let through.
    pub accepted: Option<(Instant, Instant)>,
    /// From where and by which programs, the last first; at most [`CLIENTS_KEPT`].
    pub clients: SmallVec<[Seen; 1]>,
    /// What was refused.
    pub refusals: Option<Box<Refusals>>,
}

impl KeyUse {
    /// A key of that company, not used yet.
    #[must_use]
    pub const fn none(company_id: CompanyId) -> Self {
        Self {
            company_id,
            hours: SmallVec::new_const(),
            accepted: None,
            clients: SmallVec::new_const(),
            refusals: None,
        }
    }

    /// How many requests were let through.
    #[must_use]
    pub fn accepted_count(&self) -> i64 {
        self.hours.iter().map(|hour| hour.accepted).sum()
    }

    /// Counts a request that came at `at` and was let through.
    pub fn accept(&mut self, at: Instant, presenter: Presenter<'_>) {
        self.hour(at).accepted += 1;
        self.accepted = Some(match self.accepted {
            None => (at, at),
            Some((first, last)) => (first.min(at), last.max(at)),
        });
        match self.clients.iter().position(|seen| seen.is(presenter)) {
            Some(0) => self.clients[0].at = self.clients[0].at.max(at),
            Some(known) => {
                self.clients[known].at = self.clients[known].at.max(at);
                self.clients[..=known].rotate_right(1);
            }
            None => {
                self.clients.insert(0, Seen::new(at, presenter));
                self.clients.truncate(CLIENTS_KEPT);
            }
        }
    }

    /// Counts a request that came at `at` and was refused, as the key had ended.
    pub fn refuse(&mut self, at: Instant, presenter: Presenter<'_>, request: impl fmt::Display) {
        self.hour(at).refused += 1;
        match &mut self.refusals {
            Some(refusals) => {
                refusals.count += 1;
                if refusals.last.is(presenter) {
                    refusals.last.at = at;
                } else {
                    refusals.last = Seen::new(at, presenter);
                }
                // In the text that is there: in a flood of refusals there is one for each.
                refusals.last_request.clear();
                let _ = write!(refusals.last_request, "{request}");
            }
            none => {
                let last = Seen::new(at, presenter);
                let refusals = Refusals { count: 1, first_at: at, last, last_request: request.to_string() };
                *none = Some(Box::new(refusals));
            }
        }
    }

    /// Takes out the names of programs for which that holds.
    pub fn leave_out_clients(&mut self, that: impl Fn(&str) -> bool) {
        let refused = self.refusals.iter_mut().map(|refusals| &mut refusals.last);
        for seen in self.clients.iter_mut().chain(refused).filter(|seen| that(&seen.client)) {
            seen.client = Box::default();
        }
    }

    /// Adds what somebody else counted of the same key.
    pub fn add(&mut self, other: Self) {
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
        self.clients.sort_by_key(|seen| std::cmp::Reverse(seen.at));
        self.clients.truncate(CLIENTS_KEPT);
        self.refusals = match (self.refusals.take(), other.refusals) {
            (Some(ours), Some(theirs)) => {
                let (count, first_at) = (ours.count + theirs.count, ours.first_at.min(theirs.first_at));
                let later = if ours.last.at < theirs.last.at { theirs } else { ours };
                Some(Box::new(Refusals { count, first_at, ..*later }))
            }
            (ours, theirs) => ours.or(theirs),
        };
    }

    fn hour(&mut self, at: Instant) -> &mut HourOfUse {
        let hour = hour_of(at);
        let place = self.hours.iter().position(|known| known.hour == hour).unwrap_or_else(|| {
            self.hours.push(HourOfUse { hour, accepted: 0, refused: 0 });
            self.hours.len() - 1
        });
        &mut self.hours[place]
    }
}

/// The hour that an instant is in, counted since 1970.
#[must_use]
pub const fn hour_of(at: Instant) -> i64 {
    at.as_micros().div_euclid(MICROS_PER_HOUR)
}

/// When such an hour begins.
#[must_use]
pub const fn start_of_hour(hour: i64) -> Instant {
    Instant::from_micros(hour.saturating_mul(MICROS_PER_HOUR))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    fn none() -> KeyUse {
        KeyUse::none(CompanyId::new(at(0), &[1; 10]))
    }

    fn from(last: u8, client: &str) -> Presenter<'_> {
        Presenter { address: Some(IpAddr::from([192, 0, 2, last])), client: Some(client) }
    }

    fn seen(key_use: &KeyUse) -> Vec<(i64, String, &str)> {
        let address = |seen: &Seen| seen.address.map(|address| address.to_string()).unwrap_or_default();
        key_use.clients.iter().map(|seen| (seen.at.as_micros() / 1_000_000, address(seen), &*seen.client)).collect()
    }

    #[test]
    fn requests_are_counted_in_the_hour_in_which_they_came() {
        let mut key_use = none();
        key_use.accept(at(3_599), from(1, "curl"));
        key_use.accept(at(3_600), from(1, "curl"));
        key_use.refuse(at(3_601), from(1, "curl"), "r");
        let hours = key_use.hours.iter().map(|hour| (hour.hour, hour.accepted, hour.refused)).collect::<Vec<_>>();
        assert_eq!(hours, [(0, 1, 0), (1, 1, 1)]);
        assert_eq!((key_use.accepted, key_use.accepted_count()), (Some((at(3_599), at(3_600))), 2));
    }

    #[test]
    fn who_used_a_key_last_comes_first_and_only_so_many_are_kept() {
        let mut key_use = none();
        for last in 0..20 {
            key_use.accept(at(last.into()), from(last, "curl"));
        }
        key_use.accept(at(20), from(10, "curl"));
        assert_eq!(seen(&key_use).len(), CLIENTS_KEPT);
        assert_eq!(seen(&key_use)[..2], [(20, "192.0.2.10".into(), "curl"), (19, "192.0.2.19".into(), "curl")]);
    }

    #[test]
    fn the_name_of_a_program_is_cut_and_holds_no_control_characters() {
        let mut key_use = none();
        let client = format!("a\u{1b}b{}", "c".repeat(200));
        for second in 0..2 {
            key_use.accept(at(second), Presenter { address: None, client: Some(&client) });
        }
        assert_eq!(seen(&key_use), [(1, String::new(), format!("ab{}", "c".repeat(126)).as_str())]);
    }

    #[test]
    fn what_two_counted_adds_up_to_what_one_would_have_counted() {
        let (mut one, mut left, mut right) = (none(), none(), none());
        for n in 0..40_u8 {
            let (when, who) = (at(i64::from(n) * 400), from(n % 5, if n % 2 == 0 { "curl" } else { "python" }));
            let half = if n % 3 == 0 { &mut left } else { &mut right };
            for key_use in [&mut one, half] {
                key_use.accept(when, who);
                key_use.refuse(when, who, n);
            }
        }
        left.add(right);
        left.hours.sort_by_key(|hour| hour.hour);
        assert_eq!((&left.hours, left.accepted, &left.refusals), (&one.hours, one.accepted, &one.refusals));
        assert_eq!(seen(&left), seen(&one));
    }
}
