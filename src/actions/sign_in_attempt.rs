//! The counters of an attempt to sign in, or to confirm one's own password.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use secrecy::ExposeSecret;

use super::attempt::{Attempt, Reservation, Subject};
use super::service::Actions;
use super::signed_in_user::SignedInUser;
use super::throttle::{CLIENT_FAILURES_BEFORE_WAIT, Limit, Throttle, WAIT};
use crate::domain::client::Client;
use crate::domain::ids::UserId;
use crate::domain::mac;
use crate::domain::timestamp::Timestamp;
use crate::domain::token::TokenDigest;
use crate::store::{Db, StoreError, WriteDb};

/// The first bytes of the subjects of clients, so that these can be found among the others.
const CLIENT_PREFIX: [u8; 8] = *b"client\0\0";

impl Actions {
    /// Returns an attempt to sign in with this address. `user` is the user with this address, if there is one. Failures
    /// of a known browser are counted for that browser only: failures elsewhere do not make it wait.
    pub(super) fn sign_in_attempt(
        &self,
        db: &mut Db<'_>,
        email_folded: &str,
        user: Option<SignedInUser>,
        device: Option<TokenDigest>,
        client: &Client,
    ) -> Result<Attempt, StoreError> {
        let address = self.address_subject(email_folded);
        if let Some(device) = device {
            // Asked for any address, so that the time of the answer does not depend on whether a user has it.
            let owner = db.devices().user_of(&device)?;
            if owner.is_some() && owner == user.map(|user| user.user_id) {
                let browser = (self.device_subject(device.as_bytes()), Limit::KnownBrowser);
                return Ok(Attempt { counters: vec![browser], address: Some(address) });
            }
        }
        let client = client.address.map(|address| (self.client_subject(address), Limit::Client));
        let counters = [(address, Limit::Address)].into_iter().chain(client).collect();
        Ok(Attempt { counters, address: Some(address) })
    }

    /// Returns an attempt of a signed-in user to confirm their password.
    pub(super) fn own_password_attempt(&self, user_id: UserId) -> Attempt {
        Attempt { counters: vec![(self.user_subject(user_id), Limit::KnownBrowser)], address: None }
    }

    /// Counts an attempt as a failure in a transaction of its own, unless it must wait. For guesses that take too long
    /// to check for a transaction to stay open.
    pub(super) fn reserve<E>(&self, attempt: &Attempt) -> Result<Reservation, E>
    where
        E: From<StoreError> + From<Throttle>,
    {
        let now = self.clock.now();
        self.store.write(|tx| attempt.reserve(tx, now)?.map_err(E::from))
    }

    pub(super) fn address_subject(&self, email_folded: &str) -> Subject {
        self.subject(b"address", email_folded.as_bytes())
    }

    pub(super) fn device_subject(&self, token_digest: &[u8]) -> Subject {
        self.subject(b"device", token_digest)
    }

    pub(super) fn user_subject(&self, user_id: UserId) -> Subject {
        self.subject(b"user", user_id.to_string().as_bytes())
    }

    fn client_subject(&self, client: IpAddr) -> Subject {
        let mut subject = self.subject(b"client", &network_of(client));
        subject[..CLIENT_PREFIX.len()].copy_from_slice(&CLIENT_PREFIX);
        subject
    }

    /// Returns a keyed digest, so that addresses without a user are not stored in plaintext. The key is that of the oldest
    /// set: a rotation must not reset the counters. They start anew only when that set is retired.
    fn subject(&self, kind: &[u8], value: &[u8]) -> Subject {
        mac::hmac_sha256(self.secrets.keyring().oldest().throttle_key.expose_secret(), &[kind, b"\0", value])
    }
}

/// Returns when the last of the clients that must wait may try again. `None` if no client must wait.
pub(super) fn clients_wait_until(db: &mut WriteDb<'_>, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let starts = db.sign_in_failures().in_range(&client_subjects(), CLIENT_FAILURES_BEFORE_WAIT, now - WAIT)?;
    Ok(starts.into_iter().max().map(|start| start + WAIT))
}

fn client_subjects() -> RangeInclusive<Subject> {
    let (mut first, mut last) = ([0; 32], [u8::MAX; 32]);
    first[..CLIENT_PREFIX.len()].copy_from_slice(&CLIENT_PREFIX);
    last[..CLIENT_PREFIX.len()].copy_from_slice(&CLIENT_PREFIX);
    first..=last
}

/// Returns the network of a client. A household or a server often has a whole IPv6 /64, so it counts as one client.
fn network_of(client: IpAddr) -> Vec<u8> {
    match client.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_counts_as_one_client() {
        let network = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
