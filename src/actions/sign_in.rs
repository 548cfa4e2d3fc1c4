//! Signing in and out: the password, the throttle, and the events that say so.

use std::net::IpAddr;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use serde_json::json;
use sha2::Sha256;

use super::{Actions, Change};
use crate::domain::actor::Actor;
use crate::domain::email::EmailAddress;
use crate::domain::event::{Action, Happening, Origin, Target};
use crate::domain::ids::{CompanyId, EventId, UserId};
use crate::domain::instant::Instant;
use crate::domain::password::Password;
use crate::domain::text;
use crate::store::{Credentials, SignInFailures, StoreError};

/// From so many consecutive failures on, an address has to wait. Below 5 nobody is bothered; at 10 everybody is.
const FAILURES_OF_AN_ADDRESS: i64 = 7;
/// From so many failures within [`WAIT`] on, a client has to wait.
const FAILURES_OF_A_CLIENT: i64 = 100;
const WAIT: Duration = Duration::from_mins(15);
/// An event speaks of refused sign-ins at most so often.
const BETWEEN_REPORTS: Duration = Duration::from_hours(1);
/// An address that has been quiet for so long is forgotten.
const REMEMBERED_FOR: Duration = Duration::from_hours(24);

/// Who signed in.
#[derive(Clone, Copy, Debug)]
pub struct SignedInUser {
    /// The user.
    pub user_id: UserId,
    /// Their company.
    pub company_id: CompanyId,
}

/// Why nobody signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The address or the password is wrong: which, nobody learns.
    #[error("Email or password is incorrect.")]
    Refused,
    /// Too many tries; how long to wait.
    #[error("Too many attempts. Try again in 15 minutes.")]
    Throttled(Duration),
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The clocks of two servers may differ by so much.
const SKEW: Duration = Duration::from_mins(5);

type Subject = [u8; 32];

impl Actions {
    /// Checks an address and a password. Takes as long for an address that nobody has.
    ///
    /// # Errors
    /// [`SignInError`].
    pub fn sign_in(
        &self,
        email: &str,
        password: &Password,
        client: Option<IpAddr>,
        origin: &Origin,
    ) -> Result<SignedInUser, SignInError> {
        let address = self.subject(b"address", text::folded(email).as_bytes());
        let client = client.map(|client| self.subject(b"client", &network_of(client)));
        let now = self.clock.now();
        let (of_address, of_client, credentials) = self.store.read(|questions| {
            let of_address = questions.sign_in_failures(&address)?;
            let of_client = client.as_ref().map(|client| questions.sign_in_failures(client)).transpose()?.flatten();
            let credentials = match EmailAddress::parse(email) {
                Ok(email) => questions.credentials(&email.folded())?,
                Err(_) => None,
            };
            Ok::<_, StoreError>((of_address, of_client, credentials))
        })?;
        let waits = [wait_of_address(of_address, now), wait_of_client(of_client, now)];
        if let Some(wait) = waits.into_iter().flatten().max() {
            return Err(SignInError::Throttled(wait));
        }
        let hash = credentials.as_ref().and_then(|credentials| credentials.password_hash.as_deref());
        let fits = self.passwords.verify(password, hash);
        if let Some(credentials) = credentials.as_ref().filter(|_| fits) {
            return Ok(self.signed_in(credentials, &address, origin)?);
        }
        self.refused(credentials.as_ref(), &address, of_address, client.as_ref(), origin)?;
        Err(SignInError::Refused)
    }

    /// Records that a user signed out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sign_out(&self, user: SignedInUser, origin: &Origin) -> Result<(), StoreError> {
        self.change(user.company_id.into(), origin, |change| {
            change.record(Happening {
                action: Action::UserSignedOut,
                target: Target::User(user.user_id),
                before: None,
                after: None,
                reason: None,
                comment: None,
            })
        })?;
        Ok(())
    }

    fn signed_in(
        &self,
        credentials: &Credentials,
        address: &Subject,
        origin: &Origin,
    ) -> Result<SignedInUser, StoreError> {
        let (user_id, company_id) = (credentials.user_id, credentials.company_id);
        let origin = Origin { actor: Actor::User(user_id), ..origin.clone() };
        self.change(company_id.into(), &origin, |change| {
            let now = change.now;
            change.reset_sign_in_failures(address, now)?;
            change.record_signed_in(user_id)
        })?;
        Ok(SignedInUser { user_id, company_id })
    }

    fn refused(
        &self,
        of: Option<&Credentials>,
        address: &Subject,
        before: Option<SignInFailures>,
        client: Option<&Subject>,
        origin: &Origin,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let reported = before.and_then(|before| before.reported_at).map(Instant::from_micros);
        let due = reported.is_none_or(|reported| now.since(reported) >= BETWEEN_REPORTS);
        let count = |transaction: &mut crate::store::Transaction<'_>| -> Result<(), StoreError> {
            transaction.count_sign_in_failure(address, of.is_some(), now)?;
            if let Some(client) = client {
                let failures = transaction.sign_in_failures(client)?;
                if failures.is_some_and(|failures| now.since(Instant::from_micros(failures.first_at)) >= WAIT) {
                    transaction.reset_sign_in_failures(client, now)?;
                }
                transaction.count_sign_in_failure(client, false, now)?;
            }
            transaction.forget_old_sign_in_failures(now - REMEMBERED_FOR)
        };
        let Some(user) = of.filter(|_| due) else {
            return self.store.write(count);
        };
        let origin = Origin { actor: Actor::System, ..origin.clone() };
        self.change(user.company_id.into(), &origin, |change| {
            count(change)?;
            let refusals = change.sign_in_failures(address)?.map_or(1, |failures| failures.unreported);
            change.record(Happening {
                action: Action::UserSignInRefused,
                target: Target::User(user.user_id),
                before: None,
                after: Some(json!({ "refusals": refusals })),
                reason: None,
                comment: None,
            })?;
            change.sign_in_failures_reported(address, now)
        })
    }

    /// The name under which failures are counted: a keyed digest, so that strangers' addresses are not kept.
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length, RFC 2104 section 3")]
    fn subject(&self, kind: &[u8], value: &[u8]) -> Subject {
        let key = self.secrets.throttle_key.expose_secret();
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
        mac.update(kind);
        mac.update(b"\0");
        mac.update(value);
        mac.finalize().into_bytes().into()
    }
}

impl Change<'_, '_> {
    pub(super) fn record_signed_in(&mut self, user_id: UserId) -> Result<(), StoreError> {
        self.record(Happening {
            action: Action::UserSignedIn,
            target: Target::User(user_id),
            before: None,
            after: None,
            reason: None,
            comment: None,
        })
        .map(|_: EventId| ())
    }
}

/// One household or server often has a whole /64 of IPv6 addresses: it counts as one client.
fn network_of(client: IpAddr) -> Vec<u8> {
    match client.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    }
}

fn wait_of_address(failures: Option<SignInFailures>, now: Instant) -> Option<Duration> {
    let failures = failures.filter(|failures| failures.failures >= FAILURES_OF_AN_ADDRESS)?;
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
    fn an_address_waits_15_minutes_after_its_seventh_failure_in_a_row() {
        let now = Instant::from_micros(1_790_000_000_000_000);
        assert_eq!(wait_of_address(None, now), None);
        assert_eq!(wait_of_address(Some(failures(6, now)), now), None);
        assert_eq!(wait_of_address(Some(failures(7, now)), now), Some(WAIT));
        assert_eq!(
            wait_of_address(Some(failures(7, now)), now + Duration::from_mins(14)),
            Some(Duration::from_mins(1))
        );
        assert_eq!(wait_of_address(Some(failures(7, now)), now + WAIT), None);
    }

    #[test]
    fn nobody_waits_for_a_clock_that_went_back() {
        let now = Instant::from_micros(1_790_000_000_000_000);
        assert_eq!(wait_of_address(Some(failures(7, now)), now - Duration::from_hours(48)), None);
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
