//! The rules: from facts about an active key to its findings, and the time of the next change.

use std::time::Duration;

use super::clients::{self, ClientUse};
use super::finding::{Findings, Practice};
use super::naming;
use crate::domain::key::lifecycle::{KeyEnds, KeyState};
use crate::domain::policy::key_policy::KeyPolicy;
use crate::domain::timestamp::Timestamp;

const DAY: Duration = Duration::from_hours(24);

/// An owner who has not signed in for this long counts as gone.
pub const OWNER_ABSENCE: Duration = Duration::from_hours(90 * 24);
/// A key that expires within this time expires soon.
pub const EXPIRY_NOTICE: Duration = Duration::from_hours(30 * 24);
/// Clients are compared over this time.
pub const CLIENT_PERIOD: Duration = Duration::from_hours(7 * 24);
/// More networks than this, with several kinds of clients, are several places.
pub const USUAL_NETWORKS: usize = 2;
/// A key that was not used for this long is unused.
pub const UNUSED_PERIOD: Duration = Duration::from_hours(90 * 24);
/// A key that was not used within this time after its creation was never used.
pub const FIRST_USE_PERIOD: Duration = Duration::from_hours(14 * 24);

/// The owner of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    Deleted,
    /// The last sign-in, or the creation of the user before the first one.
    LastSeen(Timestamp),
}

/// What is known about a key.
#[derive(Clone, Debug)]
pub struct KeyFacts {
    /// The name of the service account.
    pub name: String,
    pub has_purpose: bool,
    pub created_at: Timestamp,
    pub ends: KeyEnds,
    pub owner: Owner,
    pub last_used_at: Option<Timestamp>,
    /// The most recent clients.
    pub clients: Vec<ClientUse>,
}

/// What the facts are held against.
#[derive(Clone, Copy, Debug)]
pub struct Standard<'a> {
    pub policy: KeyPolicy,
    /// The name of the platform that the keys are for.
    pub platform: &'a str,
}

/// The findings of a key at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assessment {
    pub findings: Findings,
    /// The earliest time at which the findings may differ although no fact changes. `None` if that cannot happen.
    pub next_change: Option<Timestamp>,
}

impl Standard<'_> {
    /// Assesses a key. A key that has ended has no findings.
    #[must_use]
    pub fn assess(&self, key: &KeyFacts, now: Timestamp) -> Assessment {
        if key.ends.state(now) != KeyState::Active {
            return Assessment { findings: Findings::default(), next_change: None };
        }
        let recent: Vec<ClientUse> =
            key.clients.iter().filter(|used| now.since(used.at) < CLIENT_PERIOD).cloned().collect();
        let dated = self.dated_rules(key);
        let is_due = |practice: Practice| dated.iter().any(|(found, at)| *found == practice && *at <= now);
        let is_found = |practice: Practice| match practice {
            Practice::OwnerGone => key.owner == Owner::Deleted || is_due(practice),
            Practice::ExpiresSoon
            | Practice::RotationDue
            | Practice::Unused
            | Practice::NeverUsed
            | Practice::ReviewDue => is_due(practice),
            Practice::SeveralPlaces => clients::are_several_places(&recent, USUAL_NETWORKS),
            Practice::HumanClient => clients::is_human(&recent),
            Practice::NoExpiry => {
                self.policy.default_lifetime().is_some() && !key.is_being_replaced() && key.ends.expires_at.is_none()
            }
            Practice::TellsNothing => naming::tells_nothing(&key.name, self.platform),
            Practice::NoPurpose => !key.has_purpose,
        };
        let findings: Findings = Practice::ALL.into_iter().filter(|practice| is_found(*practice)).collect();
        let coming = dated.into_iter().map(|(_, at)| at).chain(key.ends.first()).filter(|at| *at > now);
        // Without another request, clients only leave the period that is looked at.
        let forgotten = recent.iter().map(|used| used.at + CLIENT_PERIOD);
        let depends_on_clients = [Practice::SeveralPlaces, Practice::HumanClient];
        let forgotten = forgotten.filter(|_| depends_on_clients.iter().any(|practice| findings.contains(*practice)));
        Assessment { findings, next_change: coming.chain(forgotten).min() }
    }

    /// The findings that time alone brings, each with the time from which it holds.
    fn dated_rules(&self, key: &KeyFacts) -> Vec<(Practice, Timestamp)> {
        let replaced = key.is_being_replaced();
        let owner_gone = match key.owner {
            Owner::Deleted => None,
            Owner::LastSeen(at) => Some(at + OWNER_ABSENCE),
        };
        let rotation = self.policy.rotation_period.filter(|_| !replaced);
        let unused = match key.last_used_at {
            Some(at) => (Practice::Unused, at + UNUSED_PERIOD),
            None => (Practice::NeverUsed, key.created_at + FIRST_USE_PERIOD),
        };
        [
            owner_gone.map(|at| (Practice::OwnerGone, at)),
            key.ends.expires_at.filter(|_| !replaced).map(|at| (Practice::ExpiresSoon, at - EXPIRY_NOTICE)),
            rotation.map(|period| (Practice::RotationDue, key.created_at + DAY * u32::from(period.count()))),
            Some(unused),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl KeyFacts {
    /// Another key has taken over, and this one ends by itself: there is nothing to do about its expiry or its age.
    fn is_being_replaced(&self) -> bool {
        self.ends.overlap_ends_at.is_some()
    }
}

#[cfg(test)]
mod tests;
