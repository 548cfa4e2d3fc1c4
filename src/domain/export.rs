//! What the lines of an audit export say, and how they are written: a header, a line for each event, an end.
//! `docs/audit-format.md` specifies them.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::checkpoint::CheckpointSigner;
use super::event::Event;
use super::instant::Instant;
use super::merkle::Hash;
use super::trail_filter::TrailFilter;

/// The name of the format.
pub const FORMAT: &str = "keydesk-audit-export";
/// Its version.
pub const VERSION: u32 = 1;

/// The first line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The trail, as its checkpoints name it.
    pub origin: String,
    /// The company, whose id is also the trail's.
    pub company_id: String,
    /// Its name then; it is not proven.
    pub company_name: String,
    /// When it was exported, RFC 3339.
    pub exported_at: String,
    /// Which events were asked for.
    pub filters: Filters,
    /// How many events follow.
    pub events: u64,
    /// Whether these are all events of the trail.
    pub full: bool,
    /// The signed note of the tree that every line's proof leads to.
    pub checkpoint: String,
    /// The installation's public key, as C2SP signed-note writes it.
    pub public_key: String,
    /// That the trail begins with the one that was asked about.
    pub since: Option<Since>,
}

/// Which events were asked for; where all are `None` or empty, all events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filters {
    /// Not before that instant, RFC 3339.
    pub from: Option<String>,
    /// Not after that instant.
    pub until: Option<String>,
    /// Done by the user of that id.
    pub user: Option<String>,
    /// One of these actions.
    pub actions: Vec<String>,
    /// About the key of that id.
    pub key: Option<String>,
}

impl From<&TrailFilter> for Filters {
    fn from(filter: &TrailFilter) -> Self {
        let instant = |at: Instant| at.to_rfc_3339_with_micros().unwrap_or_default();
        Self {
            from: filter.from.map(instant),
            until: filter.until.map(instant),
            user: filter.actor.map(|id| id.to_string()),
            actions: filter.actions.iter().map(|action| action.as_str().to_owned()).collect(),
            key: filter.key.map(|id| id.to_string()),
        }
    }
}

/// A proof that the trail begins with the first so many events of an older checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// The older checkpoint's size.
    pub size: u64,
    /// The proof, see [`super::consistency`].
    #[serde(with = "hashes")]
    pub proof: Vec<Hash>,
}

/// What a line says of names, which are not in the event's leaf and not proven.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// The actor's name today.
    pub actor: Option<&'a str>,
    /// The key's preview.
    pub key_preview: Option<&'a str>,
    /// What the event was done to.
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

/// The line of an event that is at that place of the tree which the header's checkpoint signs.
#[must_use]
pub fn line(event: &Event, names: Names<'_>, proof: Vec<Hash>) -> String {
    let leaf = event.canonical_bytes();
    written(&Line {
        sequence: event.sequence,
        event_id: Cow::Borrowed(&event.id),
        time: Instant::from_micros(event.at).to_rfc_3339_with_micros(),
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

/// A stored text as the JSON that it is. One that is none, or would break the line, is what no action wrote: it is left
/// out, and the leaf says what stands there.
fn as_json(stored: &str) -> Option<&RawValue> {
    serde_json::from_str(stored).ok().filter(|_| !stored.contains(['\n', '\r']))
}

/// A line as it is written: no spaces, a line feed at its end. There is no other way to write it.
pub(super) fn written(line: &impl Serialize) -> String {
    let mut text = serde_json::to_string(line).unwrap_or_default();
    text.push('\n');
    text
}

impl Header {
    /// The line itself.
    #[must_use]
    pub fn line(&self) -> String {
        written(self)
    }
}

/// The end of an export: it says how many events were before it, and signs every byte of the lines before it.
#[derive(Clone, Debug, Default)]
pub struct Seal {
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

impl Seal {
    /// Takes lines as they are written, one after the other.
    pub fn take(&mut self, lines: &[u8]) {
        self.digest.update(lines);
    }

    /// The last line.
    #[must_use]
    pub fn line(self, origin: &str, events: u64, signer: &CheckpointSigner) -> String {
        let signature = signer.signature(origin, &self.text(origin, events));
        written(&End::new(events, signature))
    }

    /// What is signed.
    pub(super) fn text(self, origin: &str, events: u64) -> String {
        let digest = BASE64_STANDARD.encode(self.digest.finalize());
        format!("keydesk audit export v{VERSION}\n{origin}\n{events}\n{digest}\n")
    }
}

/// Hashes as a list of Base64 texts.
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
        texts.into_iter().map(hash).collect::<Option<_>>().ok_or_else(|| D::Error::custom("a proof is made of hashes"))
    }
}

#[cfg(test)]
mod tests;
