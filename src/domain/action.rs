//! What happens: the actions of the audit trail, and their words.

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Action {
            $($(#[$doc])* $name,)+
        }

        impl Action {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The action's word in the trail.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            /// The action of that word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|action| action.as_str() == word)
            }
        }
    };
}

actions! {
    /// A key was made.
    ApiKeyCreated = "api_key.created",
    /// A key ended at its expiry; Keydesk noticed.
    ApiKeyExpired = "api_key.expired",
    /// A key that another one takes the place of works longer than was said before.
    ApiKeyExpiryChanged = "api_key.expiry_changed",
    /// A key got another owner.
    ApiKeyHandedOver = "api_key.handed_over",
    /// A key was presented after it was revoked, and refused; `after` counts the refusals since the event before.
    ApiKeyRefusedAfterRevocation = "api_key.refused_after_revocation",
    /// A key's service account got another name.
    ApiKeyRenamed = "api_key.renamed",
    /// A key was ended by somebody, or by the key that took its place.
    ApiKeyRevoked = "api_key.revoked",
    /// Another key takes a key's place.
    ApiKeyRotated = "api_key.rotated",
    /// Somebody read a company's trail out into a file; `after` says in which format, and what they asked for.
    AuditTrailExported = "audit_trail.exported",
    /// A company's name or a rule of its changed.
    CompanyChanged = "company.changed",
    /// A company was made.
    CompanyCreated = "company.created",
    /// A gateway may ask about keys.
    GatewayAdded = "gateway.added",
    /// A gateway may ask no more.
    GatewayRevoked = "gateway.revoked",
    /// A user was made.
    UserAdded = "user.added",
    /// A user was erased; the id stays.
    UserDeleted = "user.deleted",
    /// A user chose a password by the link that they were sent.
    UserInvitationAccepted = "user.invitation_accepted",
    /// A link was made anew, for somebody who lost theirs or their password.
    UserInvitationRenewed = "user.invitation_renewed",
    /// A link was made for a new user.
    UserInvited = "user.invited",
    /// A user has a new password.
    UserPasswordChanged = "user.password_changed",
    /// A user has another name, time zone or theme; `after` says which of these.
    UserProfileChanged = "user.profile_changed",
    /// A user may do other things than before.
    UserRoleChanged = "user.role_changed",
    /// A user set the second factor up, or removed it.
    UserSecondFactorChanged = "user.second_factor_changed",
    /// A user ended sessions of theirs.
    UserSessionEnded = "user.session_ended",
    /// Somebody who gave a user's address was refused; `after` counts the refusals since the event before.
    UserSignInRefused = "user.sign_in_refused",
    /// A user signed in.
    UserSignedIn = "user.signed_in",
    /// A user signed out.
    UserSignedOut = "user.signed_out",
    /// Failed sign-ins of a user's address were forgotten.
    UserUnlocked = "user.unlocked",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_reads_back_from_its_word() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Some(*action));
        }
        assert_eq!(Action::parse("api_key.deleted"), None);
    }
}
