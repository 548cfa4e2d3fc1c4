//! Opaque ids, one type per kind of thing, so that a key's id cannot be passed as a user's.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::{Builder, Uuid};

use crate::domain::timestamp::Timestamp;

/// The random part of an id.
pub type IdSeed = [u8; 10];

/// Compares the spelling in place, without an allocation: lists parse hundreds of ids.
fn parse(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    (id.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(id)
}

macro_rules! opaque_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Returns a new id: a UUID version 7 (RFC 9562), so that rows are stored in the order of their creation.
            #[must_use]
            pub fn new(now: Timestamp, seed: &IdSeed) -> Self {
                let millis = u64::try_from(now.as_micros() / 1_000).unwrap_or(0);
                Self(Builder::from_unix_timestamp_millis(millis, seed).into_uuid())
            }

            /// Parses an id. Returns `None` for every spelling but the one that [`fmt::Display`] writes.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                parse(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.as_hyphenated().serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| D::Error::custom("not an id"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self.0.as_hyphenated(), f)
            }
        }
    )+};
}

opaque_id! {
    CompanyId,
    UserId,
    /// A service account keeps its id across keys and renames.
    ServiceAccountId,
    KeyId,
    EventId,
    GatewayId,
    /// Identifies a session in lists. It is not the session's token.
    SessionId,
    /// An installation: one database and its secrets.
    InstallationId,
}

/// An audit trail: a company's, or the installation's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrailId(Uuid);

impl TrailId {
    /// Parses an id. Returns `None` for every spelling but the one that [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse(text).map(Self)
    }
}

impl From<CompanyId> for TrailId {
    fn from(company: CompanyId) -> Self {
        Self(company.0)
    }
}

impl From<InstallationId> for TrailId {
    fn from(installation: InstallationId) -> Self {
        Self(installation.0)
    }
}

impl fmt::Display for TrailId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0.as_hyphenated(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_parsed_from_its_only_spelling() {
        let id = KeyId::new(Timestamp::from_micros(1_790_000_000_000_000), &[7; 10]);
        let written = id.to_string();
        assert_eq!(KeyId::parse(&written), Some(id));
        assert_eq!(KeyId::parse(&written.to_uppercase()), None);
        assert_eq!(KeyId::parse(&written.replace('-', "")), None);
        assert_eq!(KeyId::parse(&format!("{{{written}}}")), None);
        assert_eq!(KeyId::parse(""), None);
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let earlier = KeyId::new(Timestamp::from_micros(1_790_000_000_000_000), &[255; 10]);
        let later = KeyId::new(Timestamp::from_micros(1_790_000_000_001_000), &[0; 10]);
        assert!(earlier.to_string() < later.to_string());
    }
}
