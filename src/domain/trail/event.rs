//! Events of the audit trail, and the canonical bytes that the trail's tree is built from.

use std::fmt;

use crate::domain::ids::{CompanyId, GatewayId, InstallationId, KeyId, UserId};
use crate::domain::key::lifecycle::{Comment, RevocationReason};
use crate::domain::trail::event_detail::EventDetail;

/// The object of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventTarget {
    ApiKey(KeyId),
    User(UserId),
    Company(CompanyId),
    Gateway(GatewayId),
    Installation(InstallationId),
}

impl EventTarget {
    /// The target type in the trail.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::ApiKey(_) => "api_key",
            Self::User(_) => "user",
            Self::Company(_) => "company",
            Self::Gateway(_) => "gateway",
            Self::Installation(_) => "installation",
        }
    }

    #[must_use]
    pub const fn key(self) -> Option<KeyId> {
        match self {
            Self::ApiKey(id) => Some(id),
            Self::User(_) | Self::Company(_) | Self::Gateway(_) | Self::Installation(_) => None,
        }
    }
}

impl fmt::Display for EventTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiKey(id) => id.fmt(f),
            Self::User(id) => id.fmt(f),
            Self::Company(id) => id.fmt(f),
            Self::Gateway(id) => id.fmt(f),
            Self::Installation(id) => id.fmt(f),
        }
    }
}

/// An event before it has a sequence number.
#[derive(Clone, Debug)]
pub struct EventDraft {
    pub detail: EventDetail,
    pub target: EventTarget,
    /// Set for revocations.
    pub reason: Option<RevocationReason>,
    pub comment: Option<Comment>,
}

impl EventDraft {
    #[must_use]
    pub const fn new(target: EventTarget, detail: EventDetail) -> Self {
        Self { detail, target, reason: None, comment: None }
    }
}

/// An event as it is stored. Its canonical bytes are built from exactly these texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub trail_id: String,
    /// The position in the trail, from 1, without gaps.
    pub sequence: i64,
    pub id: String,
    /// Microseconds since 1970, UTC.
    pub at: i64,
    pub action: String,
    pub actor_type: String,
    /// Set if the actor is a user.
    pub actor_id: Option<String>,
    /// Set if the target is a key.
    pub key_id: Option<String>,
    pub target_type: String,
    pub target_id: String,
    /// JSON, see [`EventDetail`].
    pub before: Option<String>,
    /// JSON, see [`EventDetail`].
    pub after: Option<String>,
    pub reason: Option<String>,
    pub comment: Option<String>,
    pub client_address: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
}

impl Event {
    /// Parses the typed detail.
    #[must_use]
    pub fn detail(&self) -> EventDetail {
        EventDetail::parse(&self.action, self.before.as_deref(), self.after.as_deref())
    }

    /// Returns the name that the service account, company or gateway had after the event.
    #[must_use]
    pub fn subject_name(&self) -> Option<String> {
        self.detail().name()
    }

    /// Returns the bytes of the event's leaf, as `docs/audit-format.md` specifies them.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        // Verifying a trail builds these bytes a million times: one allocation is enough for most events.
        let mut bytes = String::with_capacity(1_024);
        bytes.push_str("keydesk event v1\n");
        let (sequence, at) = (self.sequence.to_string(), self.at.to_string());
        let fields: [Option<&str>; 17] = [
            Some(&self.trail_id),
            Some(&sequence),
            Some(&self.id),
            Some(&at),
            Some(&self.action),
            Some(&self.actor_type),
            self.actor_id.as_deref(),
            self.key_id.as_deref(),
            Some(&self.target_type),
            Some(&self.target_id),
            self.before.as_deref(),
            self.after.as_deref(),
            self.reason.as_deref(),
            self.comment.as_deref(),
            self.client_address.as_deref(),
            self.user_agent.as_deref(),
            self.request_id.as_deref(),
        ];
        for field in fields {
            match field {
                None => bytes.push('-'),
                Some(text) => {
                    bytes.push('+');
                    bytes.push_str(itoa::Buffer::new().format(text.len()));
                    bytes.push(':');
                    bytes.push_str(text);
                }
            }
            bytes.push('\n');
        }
        bytes.into_bytes()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::text::normalize::hex;
    use crate::domain::trail::merkle::leaf_hash;

    pub(crate) fn event(sequence: i64) -> Event {
        Event {
            trail_id: "trail".to_owned(),
            sequence,
            id: format!("event-{sequence}"),
            at: 1_790_000_000_000_000 + sequence,
            action: "api_key.revoked".to_owned(),
            actor_type: "user".to_owned(),
            actor_id: Some("user-1".to_owned()),
            key_id: Some("key-1".to_owned()),
            target_type: "api_key".to_owned(),
            target_id: "key-1".to_owned(),
            before: Some(r#"{"name":"ERP"}"#.to_owned()),
            after: None,
            reason: Some("compromised".to_owned()),
            comment: Some("zwei\nZeilen ü".to_owned()),
            client_address: Some("192.0.2.1".to_owned()),
            user_agent: None,
            request_id: Some("r".to_owned()),
        }
    }

    #[test]
    fn the_canonical_bytes_follow_the_format() {
        let expected = "keydesk event v1\n+5:trail\n+1:7\n+7:event-7\n+16:1790000000000007\n+15:api_key.revoked\n+4:user\n\
            +6:user-1\n+5:key-1\n+7:api_key\n+5:key-1\n+14:{\"name\":\"ERP\"}\n-\n+11:compromised\n\
            +14:zwei\nZeilen ü\n+9:192.0.2.1\n-\n+1:r\n";
        assert_eq!(String::from_utf8(event(7).canonical_bytes()).unwrap(), expected);
    }

    #[test]
    fn the_example_in_the_format_has_the_documented_hash() {
        let example = Event {
            trail_id: "T".to_owned(),
            id: "E".to_owned(),
            at: 1_795_424_400_000_000,
            action: "user.added".to_owned(),
            actor_type: "command_line".to_owned(),
            actor_id: None,
            key_id: None,
            target_type: "user".to_owned(),
            target_id: "U".to_owned(),
            before: None,
            after: Some(r#"{"role":"admin"}"#.to_owned()),
            reason: None,
            comment: None,
            client_address: None,
            request_id: None,
            ..event(2)
        };
        let bytes = example.canonical_bytes();
        let text = String::from_utf8(bytes.clone()).unwrap();
        let format = include_str!("../../../docs/audit-format.md");
        let indented = format!("    {}", text.trim_end().replace('\n', "\n    "));
        assert!(format.contains(&indented), "{indented}");
        assert!(format.contains(&format!("These are {} bytes", bytes.len())));
        assert!(format.contains(&hex(&leaf_hash(&bytes))));
    }

    #[test]
    fn absent_and_empty_fields_differ() {
        let absent = event(1);
        let empty = Event { user_agent: Some(String::new()), ..absent.clone() };
        assert_ne!(absent.canonical_bytes(), empty.canonical_bytes());
    }
}
