//! The rate limit for sign-ins: counts failures by address, device and client, and makes them wait.

use std::net::IpAddr;
use std::time::Duration;

use super::authority::Permission;
use super::change::Change;
use super::service::Actions;
use super::signed_in_user::SignedInUser;
use crate::domain::client::Client;
use crate::domain::ids::UserId;
use crate::domain::mac;
use crate::domain::timestamp::Timestamp;
use crate::domain::token::TokenDigest;
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::RefusedSignIns;
use crate::store::{Db, SignInFailures, StoreError, WriteDb};
use secrecy::ExposeSecret;

/// From this many consecutive failures on, each one causes a wait. Honest typos stay below 5.
const FAILURES_BEFORE_WAIT: i64 = 7;
/// From this many consecutive failures on, only devices that the user has signed in with may try.
const FAILURES_BEFORE_BLOCK: i64 = 100;
/// From this many failures within [`WAIT`] on, a client must wait.
const CLIENT_FAILURES_BEFORE_WAIT: i64 = 100;
const WAIT: Duration = Duration::from_mins(15);
/// The least time between two events about one address.
const REPORT_INTERVAL: Duration = Duration::from_hours(1);
/// Failures older than this are deleted.
const RETENTION: Duration = Duration::from_hours(30 * 24);
/// The clocks of two servers may differ by this much.
const MAX_CLOCK_SKEW: Duration = Duration::from_mins(5);

/// The key under which failures are counted.
type Subject = [u8; 32];

/// An attempt to sign in, with the subjects whose failures count.
pub(super) struct SignInAttempt {
    address: Subject,
    /// The device, if the user has signed in with it before. Its failures are counted separately, so that failures
    /// elsewhere do not lock the user out.
    known_device: Option<Subject>,
    client: Option<Subject>,
}

/// Why an attempt is refused before its password is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Throttle {
    Wait(Duration),
    Blocked,
}

impl SignInAttempt {
    /// The known device, or else the address.
    fn subject(&self) -> &Subject {
        self.known_device.as_ref().unwrap_or(&self.address)
    }

    /// Returns whether the attempt must wait or is blocked.
    pub(super) fn check(&self, db: &mut Db<'_>, now: Timestamp) -> Result<Option<Throttle>, StoreError> {
        let of_subject = db.sign_in_failures().of(self.subject())?;
        let of_client = match &self.client {
            Some(client) => db.sign_in_failures().of(client)?,
            None => None,
        };
        let is_unknown_device = self.known_device.is_none();
        if of_subject.is_some_and(|counted| is_unknown_device && counted.failures >= FAILURES_BEFORE_BLOCK) {
            return Ok(Some(Throttle::Blocked));
        }
        let waits = wait_of_subject(of_subject, now).into_iter().chain(wait_of_client(of_client, now));
        Ok(waits.max().map(Throttle::Wait))
    }

    /// Counts a failure. An event reports it later if the address belongs to a user.
    fn count_failure(&self, tx: &mut WriteDb<'_>, has_user: bool, now: Timestamp) -> Result<(), StoreError> {
        match &self.known_device {
            None => tx.sign_in_failures().count(&self.address, has_user, now)?,
            Some(device) => {
                tx.sign_in_failures().count(device, false, now)?;
                tx.sign_in_failures().touch(&self.address, now)?;
            }
        }
        if let Some(client) = &self.client {
            let failures = tx.sign_in_failures().of(client)?;
            if failures.is_some_and(|failures| now.since(Timestamp::from_micros(failures.first_at)) >= WAIT) {
                tx.sign_in_failures().reset(client, now)?;
            }
            tx.sign_in_failures().count(client, false, now)?;
        }
        tx.sign_in_failures().delete_old(now - RETENTION)
    }
}

impl Actions {
    /// Returns an attempt to sign in with this address. `user` is the user with this address, if there is one.
    pub(super) fn sign_in_attempt(
        &self,
        db: &mut Db<'_>,
        email_folded: &str,
        user: Option<SignedInUser>,
        device: Option<TokenDigest>,
        client: &Client,
    ) -> Result<SignInAttempt, StoreError> {
        let known_device = match (device, user) {
            (Some(device), Some(user)) if db.devices().is_known(user.user_id, &device)? => Some(device),
            _ => None,
        };
        Ok(SignInAttempt {
            address: self.address_subject(email_folded),
            known_device: known_device.map(|device| self.subject(b"device", device.as_bytes())),
            client: client.address.map(|address| self.subject(b"client", &network_of(address))),
        })
    }

    /// Returns an attempt of a signed-in user to confirm their password.
    pub(super) fn own_password_attempt(&self, user_id: UserId) -> SignInAttempt {
        let own = self.subject(b"user", user_id.to_string().as_bytes());
        SignInAttempt { address: own, known_device: Some(own), client: None }
    }

    /// Counts a wrong password of a signed-in user, without an event.
    pub(super) fn count_own_password_failure(&self, attempt: &SignInAttempt) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.store.write(|tx| tx.sign_in_failures().count(attempt.subject(), false, now))
    }

    /// Counts a failed sign-in. If the address belongs to a user, the first failure of an hour is an event.
    pub(super) fn record_sign_in_failure(
        &self,
        user: Option<SignedInUser>,
        attempt: &SignInAttempt,
        client: &Client,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let before = self.store.query(|db| db.sign_in_failures().of(&attempt.address))?;
        let reported = before.and_then(|before| before.reported_at).map(Timestamp::from_micros);
        let is_due = reported.is_none_or(|reported| now.since(reported) >= REPORT_INTERVAL);
        let Some(due_user) = user.filter(|_| is_due) else {
            return self.store.write(|tx| attempt.count_failure(tx, user.is_some(), now));
        };
        self.change_with(Permission::system(), due_user.company_id.into(), client, |change| {
            attempt.count_failure(change.tx, true, now)?;
            let refusals = change.tx.sign_in_failures().of(&attempt.address)?.map_or(1, |failures| failures.unreported);
            let detail = EventDetail::UserSignInRefused { after: RefusedSignIns { refusals } };
            change.append_event(EventDraft::new(EventTarget::User(due_user.user_id), detail))?;
            change.tx.sign_in_failures().mark_reported(&attempt.address, now)
        })
    }

    pub(super) fn address_subject(&self, email_folded: &str) -> Subject {
        self.subject(b"address", email_folded.as_bytes())
    }

    /// Returns a keyed digest, so that addresses without a user are not stored in plaintext.
    fn subject(&self, kind: &[u8], value: &[u8]) -> Subject {
        mac::hmac_sha256(self.secrets.throttle_key.expose_secret(), &[kind, b"\0", value])
    }
}

impl Change<'_, '_> {
    /// Resets the failures of an attempt that succeeded.
    pub(super) fn clear_failures(&mut self, attempt: &SignInAttempt) -> Result<(), StoreError> {
        let now = self.now;
        self.tx.sign_in_failures().reset(&attempt.address, now)?;
        attempt.known_device.map_or(Ok(()), |device| self.tx.sign_in_failures().reset(&device, now))
    }
}

/// Returns the network of a client. A household or a server often has a whole IPv6 /64, so it counts as one client.
fn network_of(client: IpAddr) -> Vec<u8> {
    match client.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    }
}

fn wait_of_subject(failures: Option<SignInFailures>, now: Timestamp) -> Option<Duration> {
    let failures = failures.filter(|failures| failures.failures >= FAILURES_BEFORE_WAIT)?;
    remaining(Timestamp::from_micros(failures.last_at), now)
}

fn wait_of_client(failures: Option<SignInFailures>, now: Timestamp) -> Option<Duration> {
    let failures = failures.filter(|failures| failures.failures >= CLIENT_FAILURES_BEFORE_WAIT)?;
    remaining(Timestamp::from_micros(failures.first_at), now)
}

/// Returns the rest of a wait; `None` if it started in the future, as after a clock went back.
fn remaining(start: Timestamp, now: Timestamp) -> Option<Duration> {
    let is_past = start.since(now) <= MAX_CLOCK_SKEW;
    WAIT.checked_sub(now.since(start)).filter(|wait| is_past && !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(failures: i64, at: Timestamp) -> SignInFailures {
        let at = at.as_micros();
        SignInFailures { failures, first_at: at, last_at: at, unreported: 0, reported_at: None }
    }

    #[test]
    fn the_seventh_failure_in_a_row_causes_a_wait_of_15_minutes() {
        let now = Timestamp::from_micros(1_790_000_000_000_000);
        assert_eq!(wait_of_subject(None, now), None);
        assert_eq!(wait_of_subject(Some(failures(6, now)), now), None);
        assert_eq!(wait_of_subject(Some(failures(7, now)), now), Some(WAIT));
        assert_eq!(
            wait_of_subject(Some(failures(7, now)), now + Duration::from_mins(14)),
            Some(Duration::from_mins(1))
        );
        assert_eq!(wait_of_subject(Some(failures(7, now)), now + WAIT), None);
    }

    #[test]
    fn a_clock_that_went_back_causes_no_wait() {
        let now = Timestamp::from_micros(1_790_000_000_000_000);
        assert_eq!(wait_of_subject(Some(failures(7, now)), now - Duration::from_hours(48)), None);
    }

    #[test]
    fn the_hundredth_failure_of_a_client_causes_a_wait() {
        let now = Timestamp::from_micros(1_790_000_000_000_000);
        assert_eq!(wait_of_client(Some(failures(99, now)), now), None);
        assert_eq!(wait_of_client(Some(failures(100, now)), now), Some(WAIT));
        assert_eq!(wait_of_client(Some(failures(100, now)), now + WAIT), None);
    }

    #[test]
    fn an_ipv6_network_counts_as_one_client() {
        let network = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
