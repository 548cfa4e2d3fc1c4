//! The throttle: failed sign-ins counted by address, browser and client, and who has to wait for how long.

use std::net::IpAddr;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::json;

use super::{Actions, Change, SignedInUser};
use crate::domain::action::Action;
use crate::domain::actor::Actor;
use crate::domain::event::{Happening, Origin, Target};
use crate::domain::instant::Instant;
use crate::domain::mac;
use crate::domain::token::TokenDigest;
use crate::store::{SignInFailures, Snapshot, StoreError, Transaction};

/// From so many consecutive failures on, there is a wait after each. Below 5 nobody is bothered; at 10 everybody is.
const FAILURES_BEFORE_A_WAIT: i64 = 7;
/// After so many consecutive failures, only browsers that the user has signed in with may go on.
const FAILURES_BEFORE_THE_STOP: i64 = 100;
/// From so many failures within [`WAIT`] on, a client has to wait.
const FAILURES_OF_A_CLIENT: i64 = 100;
const WAIT: Duration = Duration::from_mins(15);
/// An event speaks of refused sign-ins at most so often.
const BETWEEN_REPORTS: Duration = Duration::from_hours(1);
/// A subject that has been quiet for so long is forgotten.
const REMEMBERED_FOR: Duration = Duration::from_hours(30 * 24);
/// The clocks of two servers may differ by so much.
const SKEW: Duration = Duration::from_mins(5);

type Subject = [u8; 32];

/// Where an attempt to sign in comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attempter {
    /// The client's address.
    pub client: Option<IpAddr>,
    /// The token that its browser presents as one that somebody signed in with.
    pub device: Option<TokenDigest>,
}

/// What an attempt is counted among.
pub(super) struct Attempt {
    address: Subject,
    /// The browser, where the user has signed in with it: its failures are its own, and strangers' do not bar it.
    known_device: Option<Subject>,
    client: Option<Subject>,
}

/// Why an attempt is not even looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Barred {
    For(Duration),
    Stopped,
}

impl Attempt {
    fn counted_as(&self) -> &Subject {
        self.known_device.as_ref().unwrap_or(&self.address)
    }

    pub(super) fn barred(&self, questions: &mut Snapshot<'_>, now: Instant) -> Result<Option<Barred>, StoreError> {
        let here = questions.sign_in_failures(self.counted_as())?;
        let of_client = match &self.client {
            Some(client) => questions.sign_in_failures(client)?,
            None => None,
        };
        let strange = self.known_device.is_none();
        if here.is_some_and(|here| strange && here.failures >= FAILURES_BEFORE_THE_STOP) {
            return Ok(Some(Barred::Stopped));
        }
        Ok(wait_here(here, now).into_iter().chain(wait_of_client(of_client, now)).max().map(Barred::For))
    }

    /// Counts a failure, which an event has to speak of where it is somebody's.
    fn count(&self, transaction: &mut Transaction<'_>, is_somebodys: bool, now: Instant) -> Result<(), StoreError> {
        match &self.known_device {
            None => transaction.count_sign_in_failure(&self.address, is_somebodys, now)?,
            Some(device) => {
                transaction.count_sign_in_failure(device, false, now)?;
                transaction.note_sign_in_failure(&self.address, now)?;
            }
        }
        if let Some(client) = &self.client {
            let failures = transaction.sign_in_failures(client)?;
            if failures.is_some_and(|failures| now.since(Instant::from_micros(failures.first_at)) >= WAIT) {
                transaction.reset_sign_in_failures(client, now)?;
            }
            transaction.count_sign_in_failure(client, false, now)?;
        }
        transaction.forget_old_sign_in_failures(now - REMEMBERED_FOR)
    }
}

impl Actions {
    /// An attempt on an address, by somebody whose browser may be one that its user has signed in with.
    pub(super) fn attempt(
        &self,
        questions: &mut Snapshot<'_>,
        email_folded: &str,
        user: Option<SignedInUser>,
        attempter: &Attempter,
    ) -> Result<Attempt, StoreError> {
        let known_device = match (attempter.device, user) {
            (Some(device), Some(user)) if questions.device_is_known(user.user_id, &device)? => Some(device),
            _ => None,
        };
        Ok(Attempt {
            address: self.address_subject(email_folded),
            known_device: known_device.map(|device| self.subject(b"device", device.as_bytes())),
            client: attempter.client.map(|client| self.subject(b"client", &network_of(client))),
        })
    }

    /// An attempt to prove, from within a session, that one is who signed in.
    pub(super) fn attempt_within(&self, user: SignedInUser) -> Attempt {
        let own = self.subject(b"user", user.user_id.to_string().as_bytes());
        Attempt { address: own, known_device: Some(own), client: None }
    }

    /// Counts a failure within a session; no event speaks of it.
    pub(super) fn count_failure_within(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.store.write(|transaction| transaction.count_sign_in_failure(attempt.counted_as(), false, now))
    }

    /// Counts a failed sign-in; the first of an hour, where the address is somebody's, is an event.
    pub(super) fn count_failure(
        &self,
        of: Option<SignedInUser>,
        attempt: &Attempt,
        origin: &Origin,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let before = self.store.ask(|questions| questions.sign_in_failures(&attempt.address))?;
        let reported = before.and_then(|before| before.reported_at).map(Instant::from_micros);
        let due = reported.is_none_or(|reported| now.since(reported) >= BETWEEN_REPORTS);
        let Some(user) = of.filter(|_| due) else {
            return self.store.write(|transaction| attempt.count(transaction, of.is_some(), now));
        };
        let origin = Origin { actor: Actor::System, ..origin.clone() };
        self.change(user.company_id.into(), &origin, |change| {
            attempt.count(change, true, now)?;
            let refusals = change.sign_in_failures(&attempt.address)?.map_or(1, |failures| failures.unreported);
            change.record(Happening {
                after: Some(json!({ "refusals": refusals })),
                ..Happening::new(Action::UserSignInRefused, Target::User(user.user_id))
            })?;
            change.sign_in_failures_reported(&attempt.address, now)
        })
    }

    pub(super) fn address_subject(&self, email_folded: &str) -> Subject {
        self.subject(b"address", email_folded.as_bytes())
    }

    /// The name under which failures are counted: a keyed digest, so that strangers' addresses are not kept.
    fn subject(&self, kind: &[u8], value: &[u8]) -> Subject {
        mac::over(self.secrets.throttle_key.expose_secret(), &[kind, b"\0", value])
    }
}

impl Change<'_, '_> {
    /// Ends the count of an attempt that succeeded.
    pub(super) fn forgive(&mut self, attempt: &Attempt) -> Result<(), StoreError> {
        let now = self.now;
        self.reset_sign_in_failures(&attempt.address, now)?;
        attempt.known_device.map_or(Ok(()), |device| self.reset_sign_in_failures(&device, now))
    }
}

/// One household or server often has a whole /64 of IPv6 addresses: it counts as one client.
fn network_of(client: IpAddr) -> Vec<u8> {
    match client.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    }
}

fn wait_here(failures: Option<SignInFailures>, now: Instant) -> Option<Duration> {
    let failures = failures.filter(|failures| failures.failures >= FAILURES_BEFORE_A_WAIT)?;
    remaining(Instant::from_micros(failures.last_at), now)
}

fn wait_of_client(failures: Option<SignInFailures>, now: Instant) -> Option<Duration> {
    let failures = failures.filter(|failures| failures.failures >= FAILURES_OF_A_CLIENT)?;
    remaining(Instant::from_micros(failures.first_at), now)
}

/// What is left of the wait that began then; nothing where that is in the future, as after a clock that went back.
fn remaining(began: Instant, now: Instant) -> Option<Duration> {
    let is_past = began.since(now) <= SKEW;
    WAIT.checked_sub(now.since(began)).filter(|wait| is_past && !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(failures: i64, at: Instant) -> SignInFailures {
        let at = at.as_micros();
        SignInFailures { failures, first_at: at, last_at: at, unreported: 0, reported_at: None }
    }

    #[test]
    fn there_is_a_wait_of_15_minutes_after_the_seventh_failure_in_a_row() {
        let now = Instant::from_micros(1_790_000_000_000_000);
        assert_eq!(wait_here(None, now), None);
        assert_eq!(wait_here(Some(failures(6, now)), now), None);
        assert_eq!(wait_here(Some(failures(7, now)), now), Some(WAIT));
        assert_eq!(wait_here(Some(failures(7, now)), now + Duration::from_mins(14)), Some(Duration::from_mins(1)));
        assert_eq!(wait_here(Some(failures(7, now)), now + WAIT), None);
    }

    #[test]
    fn nobody_waits_for_a_clock_that_went_back() {
        let now = Instant::from_micros(1_790_000_000_000_000);
        assert_eq!(wait_here(Some(failures(7, now)), now - Duration::from_hours(48)), None);
    }

    #[test]
    fn a_client_waits_from_its_hundredth_failure_within_15_minutes() {
        let now = Instant::from_micros(1_790_000_000_000_000);
        assert_eq!(wait_of_client(Some(failures(99, now)), now), None);
        assert_eq!(wait_of_client(Some(failures(100, now)), now), Some(WAIT));
        assert_eq!(wait_of_client(Some(failures(100, now)), now + WAIT), None);
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_client() {
        let network = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
