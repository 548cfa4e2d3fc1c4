//! Replays one life of each kind of row, and compares rows in which one column differs.

mod keys;
mod people;

use super::comparison::{DifferenceKind, SubjectKind};
use super::*;
use crate::domain::actor::Actor;
use crate::domain::ids::{CompanyId, GatewayId, KeyId, ServiceAccountId, UserId};
use crate::domain::key::digest::{DigestFingerprint, DigestKind};
use crate::domain::key::lifecycle::KeyState;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::event::Event;
use crate::domain::trail::event_detail::{DetailJson, EventDetail};
use crate::domain::trail::event_values::{
    AccountDetails, CompanySettings, ExpiredKey, KeyEnd, KeyExpiry, KeyOwner, KeyStatus, Name, NewKey, OldKey,
    RenewedDigest, RevokedKey, SecondFactor, SupersededKey, UserRole,
};
use crate::domain::user::profile::Role;

const PEPPER: &str = "5e09a1b2";
const PREVIEW: &str = "goa_D0MA…SAgE";
const EXPIRY: i64 = 90_000;

const fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn company() -> CompanyId {
    CompanyId::new(time(0), &[1; 10])
}

fn user(seed: u8) -> UserId {
    UserId::new(time(0), &[seed; 10])
}

fn account() -> ServiceAccountId {
    ServiceAccountId::new(time(0), &[1; 10])
}

fn key(seed: u8) -> KeyId {
    KeyId::new(time(0), &[seed; 10])
}

fn name() -> String {
    "ERP".to_owned()
}

fn active() -> KeyStatus {
    KeyStatus { name: name(), state: KeyState::Active }
}

/// A trail in which event `n` happens at `1000 * n`.
#[derive(Default)]
struct Trail {
    replay: Replay,
    size: i64,
}

impl Trail {
    fn add(&mut self, target: &impl ToString, detail: &EventDetail) {
        self.add_by(Actor::User(user(1)), target, detail, None, None);
    }

    fn add_by(
        &mut self,
        actor: Actor,
        target: &impl ToString,
        detail: &EventDetail,
        reason: Option<&str>,
        comment: Option<&str>,
    ) {
        self.size += 1;
        let DetailJson { before, after } = detail.to_json();
        let event = Event {
            sequence: self.size,
            at: 1_000 * self.size,
            action: detail.action().to_owned(),
            actor_type: actor.kind().to_owned(),
            actor_id: actor.user().map(|user| user.to_string()),
            target_id: target.to_string(),
            before,
            after,
            reason: reason.map(str::to_owned),
            comment: comment.map(str::to_owned),
            ..crate::domain::trail::event::tests::event(self.size)
        };
        self.replay.apply(&RecordedChange::of(&event).unwrap());
    }

    /// A company with an admin (events 1 and 2), and a key of theirs (event 3).
    fn with_key(expires_at: Option<i64>) -> Self {
        let mut trail = Self::default();
        trail.add(&company(), &EventDetail::CompanyCreated { after: Name { name: name() } });
        trail.add(&user(1), &EventDetail::UserAdded { after: UserRole { role: Role::Admin } });
        trail.create(1, expires_at, None);
        trail
    }

    fn create(&mut self, seed: u8, expires_at: Option<i64>, replaces: Option<KeyId>) {
        let after = Self::new_key(seed, expires_at, replaces);
        self.add(&key(seed), &EventDetail::ApiKeyCreated { after });
    }

    fn new_key(seed: u8, expires_at: Option<i64>, replaces: Option<KeyId>) -> NewKey {
        NewKey {
            digest_fingerprint: Some(DigestFingerprint::of(&[seed; 32])),
            digest_kind: None,
            expires_at: expires_at.map(time),
            imported: false,
            name: name(),
            owner: None,
            pepper_id: None,
            preview: PREVIEW.to_owned(),
            purpose: None,
            replaces,
            service_account_id: account(),
            state: KeyState::Active,
        }
    }

    fn rotate(&mut self, ends_at: Option<i64>, overlap_ends_at: Option<i64>) {
        self.create(2, None, Some(key(1)));
        let [ends_at, overlap_ends_at] = [ends_at, overlap_ends_at].map(|end| end.map(time));
        let after = OldKey { ends_at, name: name(), overlap_ends_at, replaced_by: key(2) };
        self.add(&key(1), &EventDetail::ApiKeyRotated { before: Name { name: name() }, after });
    }

    fn extend(&mut self, ends_at: i64, overlap_ends_at: Option<i64>) {
        let end = |ends_at, overlap_ends_at: Option<i64>| KeyEnd {
            ends_at: time(ends_at),
            name: name(),
            overlap_ends_at: overlap_ends_at.map(time),
        };
        let (before, after) = (end(1, None), end(ends_at, overlap_ends_at));
        self.add(&key(1), &EventDetail::ApiKeyOverlapExtended { before, after });
    }

    fn revoke(&mut self, actor: Actor) {
        let after = RevokedKey { keys_together: None, name: name(), state: KeyState::Revoked };
        let detail = EventDetail::ApiKeyRevoked { before: active(), after };
        self.add_by(actor, &key(1), &detail, Some("compromised"), Some("Seen."));
    }

    /// The row of key 1 as its creation left it.
    fn row(expires_at: Option<i64>) -> StoredKey {
        StoredKey {
            id: key(1).to_string(),
            service_account_id: account().to_string(),
            digest: vec![1; 32],
            digest_kind: "key".to_owned(),
            pepper_id: PEPPER.to_owned(),
            preview: PREVIEW.to_owned(),
            preview_folded: PREVIEW.to_lowercase(),
            created_at: 3_000,
            created_by_type: "user".to_owned(),
            created_by: user(1).to_string(),
            owner: user(1).to_string(),
            expires_at,
            revoked_at: None,
            revoked_by_type: None,
            revoked_by: None,
            revocation_reason: None,
            revocation_comment: None,
            replaced_by: None,
            rotated_by: None,
            overlap_ends_at: None,
            overlap_extended: false,
            end_recorded: false,
            ended_at: expires_at.unwrap_or(i64::MAX),
            refused_from: expires_at.unwrap_or(i64::MAX),
        }
    }

    /// The columns of key 1 that differ, each with the event that says otherwise.
    fn differing(&mut self, row: &StoredKey) -> Vec<(String, i64)> {
        columns(self.replay.compare_key(row, PEPPER))
    }
}

fn columns(found: Vec<Difference>) -> Vec<(String, i64)> {
    let columns = |difference: Difference| match difference.kind {
        DifferenceKind::Changed(columns) => columns.join(" "),
        kind => format!("{kind:?}"),
    };
    found.into_iter().map(|found| (columns(found.clone()), found.sequence.unwrap_or_default())).collect()
}

fn differs(column: &str, sequence: i64) -> Vec<(String, i64)> {
    vec![(column.to_owned(), sequence)]
}
