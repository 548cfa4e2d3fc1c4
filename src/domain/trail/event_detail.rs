//! The detail of an event: for each action, the typed values before and after it.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::actor::Actor;
use crate::domain::ids::{KeyId, UserId};
use crate::domain::trail::action::Action;
use crate::domain::trail::event_values::{
    AcceptedLoss, AccountDetails, ChangedProfile, ChangedSecrets, CompanySettings, EndedSession, EndedSessions,
    ExpiredKey, Export, KeyEnd, KeyExpiry, KeyExport, KeyOwner, KeyStatus, KeysHandedOver, KeysRevoked, Name, NewKey,
    OldKey, RefusedKey, RefusedSignIns, RenewedDigest, RevokedKey, SecondFactor, SupersededKey, UsedCode, UsedLink,
    UserRole,
};

/// The JSON of a detail, as the event stores it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetailJson {
    pub before: Option<String>,
    pub after: Option<String>,
}

impl DetailJson {
    fn before(self, value: &impl Serialize) -> Self {
        Self { before: Some(to_json(value)), ..self }
    }

    fn after(self, value: &impl Serialize) -> Self {
        Self { after: Some(to_json(value)), ..self }
    }
}

#[expect(clippy::expect_used, reason = "structs of texts, numbers and ids are always JSON")]
fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("an event's values are JSON")
}

/// Reads the stored JSON of an event. [`Reader::finish`] fails if there is more than the variant has.
struct Reader<'a> {
    before: Option<&'a str>,
    after: Option<&'a str>,
}

impl<'a> Reader<'a> {
    fn before<T: Deserialize<'a>>(&mut self) -> Option<T> {
        serde_json::from_str(self.before.take()?).ok()
    }

    fn after<T: Deserialize<'a>>(&mut self) -> Option<T> {
        serde_json::from_str(self.after.take()?).ok()
    }

    const fn finish(&mut self) -> Option<()> {
        if self.before.is_none() && self.after.is_none() { Some(()) } else { None }
    }
}

/// An event whose JSON is not known to this version of Keydesk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawDetail {
    pub action: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

impl RawDetail {
    fn text(json: Option<&Value>, name: &str) -> Option<String> {
        Some(json?.get(name)?.as_str()?.to_owned())
    }
}

macro_rules! event_details {
    ($($action:ident => $variant:ident $({ $($when:ident: $value:ty),+ })?,)+) => {
        /// What an event says about its action. An action with several shapes has several variants.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum EventDetail {
            $($variant $({ $($when: $value),+ })?,)+
            Raw(RawDetail),
        }

        impl EventDetail {
            /// Returns the action's word in the trail.
            #[must_use]
            pub fn action(&self) -> &str {
                match self {
                    $(Self::$variant $({ $($when: _),+ })? => Action::$action.as_str(),)+
                    Self::Raw(raw) => &raw.action,
                }
            }

            /// Returns the JSON to store.
            #[must_use]
            pub fn to_json(&self) -> DetailJson {
                match self {
                    $(Self::$variant $({ $($when),+ })? => DetailJson::default() $($(.$when($when))+)?,)+
                    Self::Raw(raw) => DetailJson {
                        before: raw.before.as_ref().map(Value::to_string),
                        after: raw.after.as_ref().map(Value::to_string),
                    },
                }
            }

            fn parse_known(action: Action, before: Option<&str>, after: Option<&str>) -> Option<Self> {
                $(if action == Action::$action {
                    let mut reader = Reader { before, after };
                    let mut read = || {
                        let detail = Self::$variant $({ $($when: reader.$when()?),+ })?;
                        reader.finish().map(|()| detail)
                    };
                    if let Some(detail) = read() {
                        return Some(detail);
                    }
                })+
                None
            }
        }
    };
}

event_details! {
    ApiKeyCreated => ApiKeyCreated { after: NewKey },
    ApiKeyDigestRenewed => ApiKeyDigestRenewed { after: RenewedDigest },
    ApiKeyDetailsChanged => ApiKeyDetailsChanged { before: AccountDetails, after: AccountDetails },
    ApiKeyExpired => ApiKeyExpired { before: KeyStatus, after: ExpiredKey },
    ApiKeyExpiryChanged => ApiKeyExpiryChanged { before: KeyExpiry, after: KeyExpiry },
    ApiKeyExpiryChanged => ApiKeyOverlapExtended { before: KeyEnd, after: KeyEnd },
    ApiKeyHandedOver => ApiKeyHandedOver { before: KeyOwner, after: KeyOwner },
    ApiKeyRefusedAfterRevocation => ApiKeyRefusedAfterRevocation { after: RefusedKey },
    ApiKeyRenamed => ApiKeyRenamed { before: Name, after: Name },
    ApiKeyRevoked => ApiKeyRevoked { before: KeyStatus, after: RevokedKey },
    ApiKeyRevoked => ApiKeySuperseded { before: KeyStatus, after: SupersededKey },
    ApiKeyRotated => ApiKeyRotated { before: Name, after: OldKey },
    ApiKeysExported => ApiKeysExported { after: KeyExport },
    AuditTrailExported => AuditTrailExported { after: Export },
    AuditTrailLossAccepted => AuditTrailLossAccepted { after: AcceptedLoss },
    CompanyChanged => CompanyChanged { before: CompanySettings, after: CompanySettings },
    CompanyCreated => CompanyCreated { after: Name },
    GatewayAdded => GatewayAdded { after: Name },
    GatewayRevoked => GatewayRevoked { before: Name },
    SecretsRotated => SecretsRotated { after: ChangedSecrets },
    UserAdded => UserAdded { after: UserRole },
    UserDeleted => UserDeleted { before: UserRole },
    UserDeleted => UserDeletedKeysHandedOver { before: UserRole, after: KeysHandedOver },
    UserDeleted => UserDeletedKeysRevoked { before: UserRole, after: KeysRevoked },
    UserInvitationAccepted => UserInvitationAccepted,
    UserInvitationRenewed => UserInvitationRenewed,
    UserInvited => UserInvited,
    UserPasswordChanged => UserPasswordChanged,
    UserPasswordChanged => UserPasswordChangedByLink { after: UsedLink },
    UserProfileChanged => UserProfileChanged { after: ChangedProfile },
    UserRoleChanged => UserRoleChanged { before: UserRole, after: UserRole },
    UserSecondFactorChanged => UserSecondFactorChanged { before: SecondFactor, after: SecondFactor },
    UserSessionEnded => UserSessionEnded { after: EndedSession },
    UserSessionEnded => UserSessionsEnded { after: EndedSessions },
    UserSignInRefused => UserSignInRefused { after: RefusedSignIns },
    UserSignedIn => UserSignedIn,
    UserSignedIn => UserSignedInWithCode { after: UsedCode },
    UserSignedOut => UserSignedOut,
    UserUnlocked => UserUnlocked,
}

impl EventDetail {
    /// Parses the detail of a stored event. Returns [`EventDetail::Raw`] if the action or its JSON is unknown.
    #[must_use]
    pub fn parse(action: &str, before: Option<&str>, after: Option<&str>) -> Self {
        Action::parse(action).and_then(|action| Self::parse_known(action, before, after)).unwrap_or_else(|| {
            let value = |json: Option<&str>| serde_json::from_str(json?).ok();
            Self::Raw(RawDetail { action: action.to_owned(), before: value(before), after: value(after) })
        })
    }

    /// Returns the name of the service account, company or gateway after the event.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let name = match self {
            Self::ApiKeyCreated { after } => &after.name,
            Self::ApiKeyDigestRenewed { after } => &after.name,
            Self::ApiKeyDetailsChanged { after, .. } => &after.name,
            Self::ApiKeyExpired { after, .. } => &after.name,
            Self::ApiKeyExpiryChanged { after, .. } => &after.name,
            Self::ApiKeyOverlapExtended { after, .. } => &after.name,
            Self::ApiKeyHandedOver { after, .. } => &after.name,
            Self::ApiKeyRefusedAfterRevocation { after } => &after.name,
            Self::ApiKeyRevoked { after, .. } => &after.name,
            Self::ApiKeySuperseded { after, .. } => &after.name,
            Self::ApiKeyRotated { after, .. } => &after.name,
            Self::CompanyChanged { after, .. } => &after.name,
            Self::ApiKeyRenamed { after, .. } | Self::CompanyCreated { after } | Self::GatewayAdded { after } => {
                &after.name
            }
            Self::GatewayRevoked { before } => &before.name,
            Self::Raw(raw) => return RawDetail::text(raw.after.as_ref().or(raw.before.as_ref()), "name"),
            _ => return None,
        };
        Some(name.clone())
    }

    /// Returns the users whom the detail mentions, besides the actor and the target.
    #[must_use]
    pub fn users(&self) -> Vec<UserId> {
        match self {
            Self::ApiKeyCreated { after } => after.owner.into_iter().collect(),
            Self::ApiKeyHandedOver { before, after } => vec![before.owner, after.owner],
            Self::ApiKeySuperseded { after, .. } => after.rotated_by.into_iter().collect(),
            Self::ApiKeysExported { after } => after.owner.into_iter().collect(),
            Self::AuditTrailExported { after } => after.user.and_then(Actor::user).into_iter().collect(),
            Self::UserDeletedKeysHandedOver { after, .. } => vec![after.new_owner],
            Self::UserPasswordChangedByLink { after } => after.link_created_by.into_iter().collect(),
            Self::Raw(RawDetail { before, after, .. }) => {
                let names = ["owner", "new_owner", "rotated_by", "user", "link_created_by"];
                let texts = [before, after].into_iter().flat_map(|json| names.map(|name| (json, name)));
                texts.filter_map(|(json, name)| UserId::parse(&RawDetail::text(json.as_ref(), name)?)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns the keys that the detail mentions, besides the target.
    #[must_use]
    pub fn keys(&self) -> Vec<KeyId> {
        match self {
            Self::ApiKeyCreated { after } => after.replaces.into_iter().collect(),
            Self::ApiKeyRotated { after, .. } => vec![after.replaced_by],
            Self::AuditTrailExported { after } => after.key.into_iter().collect(),
            Self::Raw(RawDetail { before, after, .. }) => {
                let json = after.as_ref().or(before.as_ref());
                let texts = ["replaces", "replaced_by", "key"].map(|name| RawDetail::text(json, name));
                texts.into_iter().filter_map(|text| KeyId::parse(&text?)).collect()
            }
            _ => Vec::new(),
        }
    }
}
