//! Opaque identifiers, one type for each kind of thing, so that a key's id cannot stand where a user's is meant.

use std::fmt;

use serde::{Serialize, Serializer};
use uuid::{Builder, Uuid};

use super::instant::Instant;

/// The random part of a new id.
pub type IdSeed = [u8; 10];

/// Lists read hundreds of ids back: the spelling is compared where it was written, without a text of its own.
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
            /// A new id (UUID version 7, RFC 9562), so that rows made one after the other lie side by side.
            #[must_use]
            pub fn new(now: Instant, seed: &IdSeed) -> Self {
                let millis = u64::try_from(now.as_micros() / 1_000).unwrap_or(0);
                Self(Builder::from_unix_timestamp_millis(millis, seed).into_uuid())
            }

            /// Reads an id in exactly the spelling that [`fmt::Display`] writes; every other spelling is `None`.
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

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self.0.as_hyphenated(), f)
            }
        }
    )+};
}

opaque_id! {
    /// A company.
    CompanyId,
    /// A user: a person who signs in.
    UserId,
    /// A service account, the same through all its keys and names.
    ServiceAccountId,
    /// An API key.
    KeyId,
    /// An event of an audit trail.
    EventId,
    /// A gateway: whoever asks about keys by introspection.
    GatewayId,
    /// A session, to be named in a list; not the token that opens it.
    SessionId,
    /// The installation: one database and its secrets.
    InstallationId,
}

/// The audit trail an event belongs to: a company's, or the installation's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrailId(Uuid);

impl TrailId {
    /// Reads an id in exactly the spelling that [`fmt::Display`] writes; every other spelling is `None`.
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
    fn an_id_reads_back_what_it_wrote_and_no_other_spelling_of_it() {
        let id = KeyId::new(Instant::from_micros(1_790_000_000_000_000), &[7; 10]);
        let written = id.to_string();
        assert_eq!(KeyId::parse(&written), Some(id));
        assert_eq!(KeyId::parse(&written.to_uppercase()), None);
        assert_eq!(KeyId::parse(&written.replace('-', "")), None);
        assert_eq!(KeyId::parse(&format!("{{{written}}}")), None);
        assert_eq!(KeyId::parse(""), None);
    }

    #[test]
    fn a_later_id_sorts_after_an_earlier_one() {
        let earlier = KeyId::new(Instant::from_micros(1_790_000_000_000_000), &[255; 10]);
        let later = KeyId::new(Instant::from_micros(1_790_000_000_001_000), &[0; 10]);
        assert!(earlier.to_string() < later.to_string());
    }
}
