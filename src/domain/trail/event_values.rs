//! The values that events record as `before` and `after`, as they are stored in JSON.
//!
//! Their text is part of an event's canonical bytes. It must never change: fields stay in alphabetical order, and an
//! absent value is left out or `null` as it is today.

use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::actor::Actor;
use crate::domain::ids::{KeyId, ServiceAccountId, SessionId, UserId};
use crate::domain::key::digest::{DigestFingerprint, DigestKind};
use crate::domain::key::lifecycle::KeyState;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::action::Action;
use crate::domain::trail::filter::{ExportFormat, TrailFilter};
use crate::domain::user::profile::{ProfileField, Role};
use crate::domain::user::second_factor::CodeKind;

macro_rules! event_values {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$attribute])* pub $field: $type,)+
        }
    )+};
}

event_values! {
    /// The name of a service account, a company or a gateway.
    Name {
        name: String,
    }

    /// A key before it ended.
    KeyStatus {
        name: String,
        state: KeyState,
    }

    NewKey {
        /// Events of older versions have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest_fingerprint: Option<DigestFingerprint>,
        /// `None` for a digest of the key itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest_kind: Option<DigestKind>,
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
        /// The key comes from another system.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        imported: bool,
        name: String,
        /// The owner, if the key was not created by a user, who would own it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<UserId>,
        /// The pepper of the digest, if it is not the installation's first one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pepper_id: Option<String>,
        preview: String,
        /// The new purpose of the service account, if the form gave one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        purpose: Option<String>,
        /// The key that the new one replaces.
        #[serde(skip_serializing_if = "Option::is_none")]
        replaces: Option<KeyId>,
        service_account_id: ServiceAccountId,
        state: KeyState,
    }

    /// A key whose digest was computed under another pepper.
    RenewedDigest {
        digest_fingerprint: DigestFingerprint,
        name: String,
        pepper_id: String,
    }

    /// A set of secrets that was added, activated or retired.
    ChangedSecrets {
        set: String,
        /// `pending`, `active` or `retired`.
        state: String,
    }

    ExpiredKey {
        ended_at: Timestamp,
        /// The key was not used for so many days, which ended it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        idle_days: Option<u16>,
        name: String,
        state: KeyState,
    }

    /// A key that a caller revoked.
    RevokedKey {
        /// How many keys were revoked at once, if it was not the only one.
        #[serde(skip_serializing_if = "Option::is_none")]
        keys_together: Option<u64>,
        name: String,
        state: KeyState,
    }

    /// A key whose overlap ended.
    SupersededKey {
        ended_at: Timestamp,
        name: String,
        rotated_by: Option<UserId>,
        state: KeyState,
    }

    OldKey {
        /// When the old key stops working, if there is an overlap.
        #[serde(skip_serializing_if = "Option::is_none")]
        ends_at: Option<Timestamp>,
        name: String,
        /// When the overlap ends, if the old key expires before. Events of older versions leave it out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        overlap_ends_at: Option<Timestamp>,
        replaced_by: KeyId,
    }

    KeyEnd {
        ends_at: Timestamp,
        name: String,
        /// When the overlap ends, if the key expires before. Events of older versions leave it out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        overlap_ends_at: Option<Timestamp>,
    }

    /// The expiry of a key; `null` if it never expires.
    KeyExpiry {
        expires_at: Option<Timestamp>,
        name: String,
    }

    /// What a service account is for and who to ask about it; empty if not given.
    AccountDetails {
        contact: String,
        department: String,
        name: String,
        purpose: String,
    }

    KeyOwner {
        name: String,
        owner: UserId,
    }

    RefusedKey {
        last_refused_at: Option<Timestamp>,
        name: String,
        /// How many requests were refused since the previous event.
        refused: i64,
    }

    /// An export of the list of keys, and the filters that were set, in the words of its address.
    KeyExport {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<UserId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        practice: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        q: Option<String>,
        /// `active` or `revoked`.
        tab: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        used: Option<String>,
    }

    /// The format and the filters of an export. Filters that are not set are left out.
    Export {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        actions: Vec<Action>,
        format: ExportFormat,
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<KeyId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// A user's id, or the type of another actor.
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<Actor>,
    }

    /// Events that an operator accepted as lost.
    AcceptedLoss {
        /// The last checkpoint of the trail that a server remembered, as a signed note.
        checkpoint: String,
        /// The number of events that the trail still had; 0 if the trail itself was lost.
        events_left: u64,
        /// The first lost event. `None` if events of the same numbers took the place of the signed ones.
        #[serde(skip_serializing_if = "Option::is_none")]
        first_lost: Option<u64>,
        /// The last lost event: the size of the checkpoint.
        last_lost: u64,
    }
    /// A company's settings; periods in days. Events of older versions say nothing about reasons and the idle end.
    CompanySettings {
        default_expiry_days: Option<u16>,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        default_expiry_reason: Option<Option<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        idle_end_days: Option<Option<u16>>,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        idle_end_reason: Option<Option<String>>,
        maximum_lifetime_days: Option<u16>,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        maximum_lifetime_reason: Option<Option<String>>,
        name: String,
        require_second_factor: bool,
        rotation_period_days: Option<u16>,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        rotation_period_reason: Option<Option<String>>,
    }

    UserRole {
        role: Role,
    }

    KeysHandedOver {
        keys_handed_over: u64,
        new_owner: UserId,
    }

    KeysRevoked {
        keys_revoked: u64,
    }

    ChangedProfile {
        changed: Vec<ProfileField>,
    }

    /// Whether the user has a second factor.
    SecondFactor {
        /// The user got new recovery codes. Otherwise the event leaves it out.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        recovery_codes_renewed: bool,
        second_factor: bool,
    }

    /// The kind of code that the user signed in with.
    UsedCode {
        second_factor: CodeKind,
    }

    /// The link with which the user chose a password.
    UsedLink {
        /// The user who created the link.
        #[serde(skip_serializing_if = "Option::is_none")]
        link_created_by: Option<UserId>,
        /// The actor type of the creator; `null` for a link of a version that did not store it.
        link_created_by_type: Option<String>,
    }

    EndedSession {
        session_id: SessionId,
    }

    /// How many sessions were ended.
    EndedSessions {
        sessions: u64,
    }

    RefusedSignIns {
        /// How many sign-ins were refused since the previous event.
        refusals: i64,
    }
}

/// Reads a member that is present, `null` included.
#[expect(clippy::option_option, reason = "an absent member is not a member that is `null`")]
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl SecondFactor {
    #[must_use]
    pub const fn new(second_factor: bool) -> Self {
        Self { recovery_codes_renewed: false, second_factor }
    }
}

impl UsedLink {
    #[must_use]
    pub fn new(creator: Option<Actor>) -> Self {
        Self {
            link_created_by: creator.and_then(Actor::user),
            link_created_by_type: creator.map(|creator| creator.kind().to_owned()),
        }
    }
}

impl KeyExport {
    /// Whether a part of the tab was exported.
    #[must_use]
    pub const fn is_filtered(&self) -> bool {
        self.expires.is_some()
            || self.owner.is_some()
            || self.practice.is_some()
            || self.q.is_some()
            || self.used.is_some()
    }
}

impl Export {
    /// Returns what the event of an export records.
    #[must_use]
    pub fn new(filter: &TrailFilter, format: ExportFormat) -> Self {
        let TrailFilter { from, until, actor, actions, key } = filter.clone();
        Self { actions, format, from, key, until, user: actor }
    }

    /// Returns whether the export covers only a part of the trail.
    #[must_use]
    pub const fn is_filtered(&self) -> bool {
        !self.actions.is_empty()
            || self.from.is_some()
            || self.key.is_some()
            || self.until.is_some()
            || self.user.is_some()
    }
}
