//! The lines of an audit export: a header, one line per event, an end. `docs/audit-format.md` specifies them.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::domain::actor::Actor;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::checkpoint::CheckpointSigner;
use crate::domain::trail::event::Event;
use crate::domain::trail::filter::TrailFilter;
use crate::domain::trail::merkle::Hash;

pub const FORMAT: &str = "keydesk-audit-export";
pub const VERSION: u32 = 1;

/// The first line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The name of the trail in its checkpoints.
    pub origin: String,
    /// Also the id of the trail.
    pub company_id: String,
    /// The name at the time of the export; it is not proven.
    pub company_name: String,
    /// RFC 3339.
    pub exported_at: String,
    pub filters: Filters,
    /// The number of events that follow.
    pub events: u64,
    /// Whether the export contains all events of the trail.
    pub full: bool,
    /// The signed note of the tree that the proofs of all lines refer to.
    pub checkpoint: String,
    /// The installation's verifier key (C2SP signed-note).
    pub public_key: String,
    /// The proof that the trail extends the requested checkpoint.
    pub since: Option<Since>,
    /// The changes of the key, in their order. The member is left out if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_changes: Vec<ExportedKeyChange>,
}

/// The filters of an export. If none is set, it contains all events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filters {
    /// RFC 3339.
    pub from: Option<String>,
    /// Inclusive, RFC 3339.
    pub until: Option<String>,
    /// The id of the acting user, or the type of another actor.
    pub user: Option<String>,
    pub actions: Vec<String>,
    /// The id of a key.
    pub key: Option<String>,
}

impl From<&TrailFilter> for Filters {
    fn from(filter: &TrailFilter) -> Self {
        let rfc_3339 = |at: Timestamp| at.to_rfc_3339_with_micros().unwrap_or_default();
        Self {
            from: filter.from.map(rfc_3339),
            until: filter.until.map(rfc_3339),
            user: filter.actor.map(Actor::word),
            actions: filter.actions.iter().map(|action| action.as_str().to_owned()).collect(),
            key: filter.key.map(|id| id.to_string()),
        }
    }
}

/// A consistency proof from an older checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// The size of the older checkpoint.
    pub size: u64,
    /// See [`crate::domain::trail::consistency`].
    #[serde(with = "hashes")]
    pub proof: Vec<Hash>,
}

/// A change of the key that signs the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportedKeyChange {
    /// The note, see [`crate::domain::trail::key_change::KeyChange`].
    pub note: String,
    /// The proof that the header's checkpoint extends the tree of the note.
    #[serde(with = "hashes")]
    pub proof: Vec<Hash>,
}

/// The names in a line. They are not in the event's leaf and not proven.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// The actor's current name.
    pub actor: Option<&'a str>,
    pub key_preview: Option<&'a str>,
    pub target: Option<&'a str>,
}

/// The line of an event.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line<'a> {
    pub sequence: i64,
    #[serde(borrow)]
    pub event_id: Cow<'a, str>,
    pub time: Option<String>,
    #[serde(borrow)]
    pub action: Cow<'a, str>,
    #[serde(borrow)]
    pub actor_type: Cow<'a, str>,
    pub actor_id: Option<Cow<'a, str>>,
    actor_name: Option<Cow<'a, str>>,
    pub key_id: Option<Cow<'a, str>>,
    key_preview: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub target_type: Cow<'a, str>,
    #[serde(borrow)]
    pub target_id: Cow<'a, str>,
    target_name: Option<Cow<'a, str>>,
    pub reason: Option<Cow<'a, str>>,
    pub comment: Option<Cow<'a, str>>,
    pub client_address: Option<Cow<'a, str>>,
    pub user_agent: Option<Cow<'a, str>>,
    pub request_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub before: Option<&'a RawValue>,
    #[serde(borrow)]
    pub after: Option<&'a RawValue>,
    #[serde(borrow)]
    pub leaf: Cow<'a, str>,
    #[serde(with = "hashes")]
    pub proof: Vec<Hash>,
}

/// Returns the line of an event, with its inclusion proof for the header's checkpoint.
#[must_use]
pub fn line(event: &Event, names: Names<'_>, proof: Vec<Hash>) -> String {
    let leaf = event.canonical_bytes();
    to_line(&Line {
        sequence: event.sequence,
        event_id: Cow::Borrowed(&event.id),
        time: Timestamp::from_micros(event.at).to_rfc_3339_with_micros(),
        action: Cow::Borrowed(&event.action),
        actor_type: Cow::Borrowed(&event.actor_type),
        actor_id: event.actor_id.as_deref().map(Cow::Borrowed),
        actor_name: names.actor.map(Cow::Borrowed),
        key_id: event.key_id.as_deref().map(Cow::Borrowed),
        key_preview: names.key_preview.map(Cow::Borrowed),
        target_type: Cow::Borrowed(&event.target_type),
        target_id: Cow::Borrowed(&event.target_id),
        target_name: names.target.map(Cow::Borrowed),
        reason: event.reason.as_deref().map(Cow::Borrowed),
        comment: event.comment.as_deref().map(Cow::Borrowed),
        client_address: event.client_address.as_deref().map(Cow::Borrowed),
        user_agent: event.user_agent.as_deref().map(Cow::Borrowed),
        request_id: event.request_id.as_deref().map(Cow::Borrowed),
        before: event.before.as_deref().and_then(as_json),
        after: event.after.as_deref().and_then(as_json),
        leaf: String::from_utf8_lossy(&leaf),
        proof,
    })
}

/// Returns a stored text as JSON. A text that is not JSON, or contains line breaks, was not written by an action: it is
/// left out here and remains in the leaf.
fn as_json(stored: &str) -> Option<&RawValue> {
    serde_json::from_str(stored).ok().filter(|_| !stored.contains(['\n', '\r']))
}

/// Serialises a line in its only valid form: no spaces, and a line feed at its end.
pub(super) fn to_line(line: &impl Serialize) -> String {
    let mut text = serde_json::to_string(line).unwrap_or_default();
    text.push('\n');
    text
}

impl Header {
    #[must_use]
    pub fn line(&self) -> String {
        to_line(self)
    }
}

/// The digest of all lines of an export so far. The last line signs it.
#[derive(Clone, Debug, Default)]
pub struct ExportDigest {
    digest: Sha256,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End<'a> {
    #[serde(rename = "end")]
    is_the_last_line: bool,
    pub events: u64,
    #[serde(borrow)]
    pub signature: Cow<'a, str>,
}

impl<'a> End<'a> {
    pub fn new(events: u64, signature: impl Into<Cow<'a, str>>) -> Self {
        Self { is_the_last_line: true, events, signature: signature.into() }
    }
}

impl ExportDigest {
    /// Adds lines.
    pub fn update(&mut self, lines: &[u8]) {
        self.digest.update(lines);
    }

    /// Returns the last line, which signs all lines before it.
    #[must_use]
    pub fn end_line(self, origin: &str, events: u64, signer: &CheckpointSigner) -> String {
        let signature = signer.signature(origin, &self.signed_text(origin, events));
        to_line(&End::new(events, signature))
    }

    /// Returns the text that the last line signs.
    pub(super) fn signed_text(self, origin: &str, events: u64) -> String {
        let digest = BASE64_STANDARD.encode(self.digest.finalize());
        format!("keydesk audit export v{VERSION}\n{origin}\n{events}\n{digest}\n")
    }
}

/// Serialises hashes as a list of Base64 texts.
pub(super) mod hashes {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Hash;

    pub fn serialize<S: Serializer>(hashes: &[Hash], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(hashes.iter().map(|hash| BASE64_STANDARD.encode(hash)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Hash>, D::Error> {
        let texts = Vec::<&str>::deserialize(deserializer)?;
        let hash = |text| BASE64_STANDARD.decode(text).ok().and_then(|hash| hash.try_into().ok());
        texts.into_iter().map(hash).collect::<Option<_>>().ok_or_else(|| D::Error::custom("a proof consists of hashes"))
    }
}

#[cfg(test)]
mod tests;
