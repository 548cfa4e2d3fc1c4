//! The actions that the audit trail records.

use serde::{Deserialize, Serialize};

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Action {
            $($(#[$doc])* #[serde(rename = $word)] $name,)+
        }

        impl Action {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The word in the trail.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|action| action.as_str() == word)
            }
        }
    };
}

impl Action {
    /// Whether Keydesk alone causes the action.
    #[must_use]
    pub const fn is_automatic(self) -> bool {
        matches!(
            self,
            Self::ApiKeyDigestRenewed
                | Self::ApiKeyExpired
                | Self::ApiKeyRefusedAfterRevocation
                | Self::UserSignInRefused
        )
    }
}

actions! {
    ApiKeyCreated = "api_key.created",
    /// The purpose, department or contact of the key's service account was changed.
    ApiKeyDetailsChanged = "api_key.details_changed",
    /// The key was used, and is now stored under the active pepper.
    ApiKeyDigestRenewed = "api_key.digest_renewed",
    ApiKeyExpired = "api_key.expired",
    /// The expiry of a key was changed, or its overlap was extended.
    ApiKeyExpiryChanged = "api_key.expiry_changed",
    ApiKeyHandedOver = "api_key.handed_over",
    /// A revoked key was presented and refused.
    ApiKeyRefusedAfterRevocation = "api_key.refused_after_revocation",
    ApiKeyRenamed = "api_key.renamed",
    /// An actor revoked a key, or its overlap ended.
    ApiKeyRevoked = "api_key.revoked",
    /// The target is the old key.
    ApiKeyRotated = "api_key.rotated",
    /// The list of keys was exported.
    ApiKeysExported = "api_keys.exported",
    AuditTrailExported = "audit_trail.exported",
    /// An operator accepted that events of the trail are lost.
    AuditTrailLossAccepted = "audit_trail.loss_accepted",
    CompanyChanged = "company.changed",
    CompanyCreated = "company.created",
    GatewayAdded = "gateway.added",
    GatewayRevoked = "gateway.revoked",
    /// A set of secrets was added, activated or retired.
    SecretsRotated = "secrets.rotated",
    UserAdded = "user.added",
    /// The user's personal data was erased; the id stays.
    UserDeleted = "user.deleted",
    UserInvitationAccepted = "user.invitation_accepted",
    UserInvitationRenewed = "user.invitation_renewed",
    UserInvited = "user.invited",
    UserPasswordChanged = "user.password_changed",
    UserProfileChanged = "user.profile_changed",
    UserRoleChanged = "user.role_changed",
    /// A second factor was set up or removed.
    UserSecondFactorChanged = "user.second_factor_changed",
    UserSessionEnded = "user.session_ended",
    /// Sign-ins with the user's address were refused.
    UserSignInRefused = "user.sign_in_refused",
    UserSignedIn = "user.signed_in",
    UserSignedOut = "user.signed_out",
    /// An operator reset the failed sign-ins of the user.
    UserUnlocked = "user.unlocked",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_parsed_from_its_word() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Some(*action));
        }
        assert_eq!(Action::parse("api_key.deleted"), None);
    }
}
