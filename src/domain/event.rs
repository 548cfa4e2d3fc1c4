//! Events of the audit trail: who did what to which thing, and the canonical bytes that the trail's tree is made of.

use std::fmt;

use serde_json::Value;

use super::action::Action;
use super::actor::Actor;
use super::api_key::{Comment, RevocationReason};
use super::ids::{CompanyId, GatewayId, KeyId, UserId};

/// What an action was done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// An API key.
    ApiKey(KeyId),
    /// A user.
    User(UserId),
    /// A company.
    Company(CompanyId),
    /// A gateway.
    Gateway(GatewayId),
}

impl Target {
    /// The target's type, as a word in the trail.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::ApiKey(_) => "api_key",
            Self::User(_) => "user",
            Self::Company(_) => "company",
            Self::Gateway(_) => "gateway",
        }
    }

    /// The key, where it is one.
    #[must_use]
    pub const fn key(self) -> Option<KeyId> {
        match self {
            Self::ApiKey(id) => Some(id),
            Self::User(_) | Self::Company(_) | Self::Gateway(_) => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiKey(id) => id.fmt(f),
            Self::User(id) => id.fmt(f),
            Self::Company(id) => id.fmt(f),
            Self::Gateway(id) => id.fmt(f),
        }
    }
}

/// Who asks for a change, and from where.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Who.
    pub actor: Actor,
    /// The address the request came from.
    pub client_address: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// The request's id, as the answer and the log name it.
    pub request_id: Option<String>,
}

impl Origin {
    /// Keydesk itself.
    #[must_use]
    pub const fn system() -> Self {
        Self { actor: Actor::System, client_address: None, user_agent: None, request_id: None }
    }

    /// A command on the server's own machine.
    #[must_use]
    pub const fn command_line() -> Self {
        Self { actor: Actor::CommandLine, client_address: None, user_agent: None, request_id: None }
    }
}

/// What an action has to say, before it has a place in a trail.
#[derive(Clone, Debug)]
pub struct Happening {
    /// What happened.
    pub action: Action,
    /// To what.
    pub target: Target,
    /// What was true before.
    pub before: Option<Value>,
    /// What is true since.
    pub after: Option<Value>,
    /// Why, for revocations.
    pub reason: Option<RevocationReason>,
    /// What the actor wrote about it.
    pub comment: Option<Comment>,
}

impl Happening {
    /// An action that needs no more words.
    #[must_use]
    pub const fn new(action: Action, target: Target) -> Self {
        Self { action, target, before: None, after: None, reason: None, comment: None }
    }
}

/// An event in the words in which it is stored, which are the words its canonical bytes are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The trail it belongs to.
    pub trail_id: String,
    /// Its place in the trail, from 1, without gaps.
    pub sequence: i64,
    /// Its id.
    pub id: String,
    /// When, in microseconds since 1970, UTC.
    pub at: i64,
    /// What happened.
    pub action: String,
    /// What kind of actor did it.
    pub actor_type: String,
    /// The actor's id, for users.
    pub actor_id: Option<String>,
    /// The key it concerns.
    pub key_id: Option<String>,
    /// What kind of thing it was done to.
    pub target_type: String,
    /// The id of that thing.
    pub target_id: String,
    /// What was true before, as JSON.
    pub before: Option<String>,
    /// What is true since, as JSON.
    pub after: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// What the actor wrote about it.
    pub comment: Option<String>,
    /// The address the request came from.
    pub client_address: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
}

impl Event {
    /// The name that its service account or company had when it happened.
    #[must_use]
    pub fn subject_name(&self) -> Option<String> {
        self.detail("name")?.as_str().map(str::to_owned)
    }

    /// What it says under that name of what is true since, or, where it says nothing of that, of what was true before.
    #[must_use]
    pub fn detail(&self, name: &str) -> Option<Value> {
        member(self.after.as_deref().or(self.before.as_deref())?, name)
    }

    /// What it says under that name of what was true before.
    #[must_use]
    pub fn detail_before(&self, name: &str) -> Option<Value> {
        member(self.before.as_deref()?, name)
    }

    /// The bytes of the event's leaf, as `docs/audit-format.md` specifies them.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        // Checking a trail makes these bytes a million times: in one piece of memory, which is large enough for most.
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

fn member(json: &str, name: &str) -> Option<Value> {
    let mut details: Value = serde_json::from_str(json).ok()?;
    details.get_mut(name).map(Value::take)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::merkle::leaf_hash;
    use super::super::text::hex;
    use super::*;

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
    fn the_canonical_bytes_are_what_the_format_says() {
        let expected = "keydesk event v1\n+5:trail\n+1:7\n+7:event-7\n+16:1790000000000007\n+15:api_key.revoked\n+4:user\n\
            +6:user-1\n+5:key-1\n+7:api_key\n+5:key-1\n+14:{\"name\":\"ERP\"}\n-\n+11:compromised\n\
            +14:zwei\nZeilen ü\n+9:192.0.2.1\n-\n+1:r\n";
        assert_eq!(String::from_utf8(event(7).canonical_bytes()).unwrap(), expected);
    }

    #[test]
    fn the_example_of_the_format_has_the_bytes_and_the_hash_that_it_says() {
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
        let format = include_str!("../../docs/audit-format.md");
        let indented = format!("    {}", text.trim_end().replace('\n', "\n    "));
        assert!(format.contains(&indented), "{indented}");
        assert!(format.contains(&format!("These are {} bytes", bytes.len())));
        assert!(format.contains(&hex(&leaf_hash(&bytes))));
    }

    #[test]
    fn an_absent_field_and_an_empty_one_are_different_bytes() {
        let absent = event(1);
        let empty = Event { user_agent: Some(String::new()), ..absent.clone() };
        assert_ne!(absent.canonical_bytes(), empty.canonical_bytes());
    }
}
