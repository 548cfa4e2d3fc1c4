//! The part of an event that a replay needs.

use sha2::{Digest, Sha256};

use crate::domain::actor::Actor;
use crate::domain::key::lifecycle::RevocationReason;
use crate::domain::trail::action::Action;
use crate::domain::trail::event::Event;
use crate::domain::trail::event_detail::EventDetail;

/// Half of the SHA-256 of a text. A replay compares texts and does not show them, so it keeps no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextDigest([u8; 16]);

impl TextDigest {
    pub(super) fn of(text: &str) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&Sha256::digest(text)[..16]);
        Self(half)
    }
}

/// A change that an event records.
#[derive(Clone, Debug)]
pub struct RecordedChange {
    pub(super) sequence: i64,
    /// Microseconds since 1970, UTC.
    pub(super) at: i64,
    /// `None` if this version does not know the actor's type.
    pub(super) by: Option<Actor>,
    pub(super) target_id: String,
    pub(super) reason: Option<RevocationReason>,
    pub(super) comment: Option<TextDigest>,
    pub(super) detail: EventDetail,
}

impl RecordedChange {
    /// Returns the change, if the event records one of something that a replay compares.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        if !is_replayed(Action::parse(&event.action)?) {
            return None;
        }
        Some(Self {
            sequence: event.sequence,
            at: event.at,
            by: Actor::parse(&event.actor_type, event.actor_id.as_deref()),
            target_id: event.target_id.clone(),
            reason: event.reason.as_deref().and_then(RevocationReason::parse),
            comment: event.comment.as_deref().map(TextDigest::of),
            detail: event.detail(),
        })
    }
}

/// A new action must be named here, so that its effect on the rows is not forgotten.
const fn is_replayed(action: Action) -> bool {
    match action {
        Action::ApiKeyCreated
        | Action::ApiKeyDetailsChanged
        | Action::ApiKeyDigestRenewed
        | Action::ApiKeyExpired
        | Action::ApiKeyExpiryChanged
        | Action::ApiKeyHandedOver
        | Action::ApiKeyRenamed
        | Action::ApiKeyRevoked
        | Action::ApiKeyRotated
        | Action::CompanyChanged
        | Action::CompanyCreated
        | Action::GatewayAdded
        | Action::GatewayRevoked
        | Action::UserAdded
        | Action::UserDeleted
        | Action::UserRoleChanged
        | Action::UserSecondFactorChanged => true,
        Action::ApiKeyRefusedAfterRevocation
        | Action::ApiKeysExported
        | Action::AuditTrailExported
        | Action::AuditTrailLossAccepted
        | Action::SecretsRotated
        | Action::UserInvitationAccepted
        | Action::UserInvitationRenewed
        | Action::UserInvited
        | Action::UserPasswordChanged
        | Action::UserProfileChanged
        | Action::UserSessionEnded
        | Action::UserSignInRefused
        | Action::UserSignedIn
        | Action::UserSignedOut
        | Action::UserUnlocked => false,
    }
}
