//! Verifies an export line by line, against a public key and a checkpoint that the reader trusts.

use crate::domain::timestamp::Timestamp;
use crate::domain::trail::checkpoint::{Checkpoint, CheckpointKey};
use crate::domain::trail::consistency::is_consistent;
use crate::domain::trail::consistency_file::ConsistencyFile;
use crate::domain::trail::export::{End, ExportDigest, FORMAT, Filters, Header, Line, VERSION, to_line};
use crate::domain::trail::export_error::ExportError;
use crate::domain::trail::inclusion;
use crate::domain::trail::key_chain::KeyChain;
use crate::domain::trail::key_change::KeyChange;
use crate::domain::trail::leaf;
use crate::domain::trail::merkle::{Frontier, Hash, leaf_hash};

/// What the reader trusts, from outside the export. Without it an export proves only that it is consistent with itself.
#[derive(Clone, Debug, Default)]
pub struct TrustAnchor {
    /// A public key that signs the trail, or did so before its key was changed, and the trail that it names, if any.
    pub key: Option<(CheckpointKey, Option<String>)>,
    /// An older, equal or newer checkpoint of the trail, as a signed note.
    pub checkpoint: Option<String>,
    /// A proof that connects the two checkpoints.
    pub consistency: Option<ConsistencyFile>,
}

/// What a verified export proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportSummary {
    /// The number of exported events.
    pub events: u64,
    /// The number of events in the trail.
    pub size: u64,
    /// Whether the export contains all of them.
    pub full: bool,
    /// The company's name; it is not proven.
    pub company: String,
    /// The size of the trusted checkpoint, which the trail extends.
    pub trusted_size: Option<u64>,
    /// The trail, as its checkpoints name it.
    pub origin: String,
    /// The changes of the key since the trusted one.
    pub key_changes: Vec<KeyChange>,
}

/// A running check. It takes every line in order.
#[derive(Debug)]
pub struct ExportCheck {
    header: Header,
    key: CheckpointKey,
    /// See [`ExportSummary::key_changes`].
    key_changes: Vec<KeyChange>,
    /// The header's checkpoint.
    tree: Checkpoint,
    trusted: Option<Checkpoint>,
    /// Whether the tree is proven to extend the trusted checkpoint.
    is_connected: bool,
    digest: ExportDigest,
    events: u64,
    /// The sequence number of the previous line.
    last: Option<i64>,
    has_ended: bool,
}

impl ExportCheck {
    /// Starts a check with the first line.
    pub fn start(line: &[u8], anchor: &TrustAnchor) -> Result<Self, ExportError> {
        let header: Header = serde_json::from_slice(line).map_err(|_| ExportError::MissingHeader)?;
        if header.format != FORMAT || header.version != VERSION || header.line().as_bytes() != line {
            return Err(ExportError::MissingHeader);
        }
        let (name, own_key) = CheckpointKey::parse_vkey(&header.public_key)
            .ok_or(ExportError::InconsistentHeader("its public key is malformed"))?;
        if name != header.origin || header.origin.rsplit('/').next() != Some(&header.company_id) {
            return Err(ExportError::InconsistentHeader("public key, origin and company name different trails"));
        }
        let trusted_key = match &anchor.key {
            None => own_key,
            Some((_, Some(name))) if *name != header.origin => {
                return Err(ExportError::KeyForOtherTrail(name.clone()));
            }
            Some((key, _)) => *key,
        };
        let (keys, tree) = check_keys(&header, own_key)?;
        if !keys.contains(trusted_key) {
            return Err(ExportError::KeyMismatch);
        }
        if header.full != (header.filters == Filters::default()) {
            return Err(ExportError::InconsistentHeader("it is either full or filtered, not both"));
        }
        if header.full && header.events != tree.size {
            return Err(ExportError::EventCount { stated: tree.size, found: header.events });
        }
        let checkpoint = anchor.checkpoint.as_ref().map(|note| keys.verify(note, &header.origin)).transpose();
        let trusted = checkpoint.map_err(ExportError::TrustedCheckpoint)?;
        let mut digest = ExportDigest::default();
        digest.update(line);
        let (events, last, is_connected, has_ended) = (0, None, false, false);
        let (key, key_changes) = (own_key, keys.changes_after(trusted_key).to_vec());
        let mut check = Self { header, key, key_changes, tree, trusted, is_connected, digest, events, last, has_ended };
        check.connect(anchor.consistency.as_ref())?;
        Ok(check)
    }

    /// Connects the header's checkpoint with the trusted one, if the header or the separate proof can.
    fn connect(&mut self, proof: Option<&ConsistencyFile>) -> Result<(), ExportError> {
        let Some(trusted) = self.trusted else { return Ok(()) };
        let (tree, origin) = (self.tree, &self.header.origin);
        if trusted.size == 0 {
            self.is_connected = trusted.root == Frontier::default().root();
            return if self.is_connected { Ok(()) } else { Err(ExportError::HistoryChanged(0)) };
        }
        if trusted.size == tree.size {
            self.is_connected = trusted.root == tree.root;
            return if self.is_connected { Ok(()) } else { Err(ExportError::TreeMismatch(trusted.size)) };
        }
        if let Some(proof) = proof {
            self.is_connected = proof.proves(origin, trusted, tree) || proof.proves(origin, tree, trusted);
            return if self.is_connected { Ok(()) } else { Err(ExportError::BadConsistencyProof) };
        }
        if trusted.size > tree.size {
            return Err(ExportError::TooShort { trusted: trusted.size, size: tree.size });
        }
        if let Some(since) = self.header.since.as_ref().filter(|since| since.size == trusted.size) {
            self.is_connected = is_consistent(trusted, tree, &since.proof);
            return if self.is_connected { Ok(()) } else { Err(ExportError::HistoryChanged(trusted.size)) };
        }
        Ok(())
    }

    /// Checks the next line, including its line feed.
    pub fn check_line(&mut self, line: &[u8]) -> Result<(), ExportError> {
        if self.has_ended {
            return Err(ExportError::LineAfterEnd(self.line()));
        }
        if !line.ends_with(b"\n") {
            return Err(ExportError::Truncated(self.line() - 1));
        }
        if line.starts_with(b"{\"end\":") {
            return self.check_end(line);
        }
        let read: Line<'_> = serde_json::from_slice(line).map_err(|_| ExportError::Malformed(self.line()))?;
        self.check_event(&read)?;
        if to_line(&read).as_bytes() != line {
            return Err(ExportError::Malformed(self.line()));
        }
        self.digest.update(line);
        self.events += 1;
        self.last = Some(read.sequence);
        Ok(())
    }

    /// Returns the number of events that the header states.
    #[must_use]
    pub fn expected_events(&self) -> u64 {
        self.header.events
    }

    /// The number of the current line, from 1.
    const fn line(&self) -> u64 {
        self.events + 2
    }

    fn check_event(&mut self, read: &Line<'_>) -> Result<(), ExportError> {
        let (line, sequence) = (self.line(), read.sequence);
        let leaf = leaf_hash(read.leaf.as_bytes());
        let index = u64::try_from(sequence).ok().and_then(|sequence| sequence.checked_sub(1));
        let is_proven = index
            .and_then(|index| inclusion::root_from_proof(leaf, index, self.tree.size, &read.proof))
            .is_some_and(|root| root == self.tree.root);
        let id = read.event_id.to_string();
        let Some(index) = index.filter(|_| is_proven) else {
            return Err(ExportError::NotInTree { line, sequence, id });
        };
        self.check_fields(read)?;
        if self.last.is_some_and(|last| sequence >= last) {
            return Err(ExportError::OutOfOrder { line, sequence });
        }
        let expected = self.tree.size - self.events;
        if self.header.full && index + 1 != expected {
            return Err(ExportError::Missing(expected));
        }
        self.connect_by_proof(index, &read.proof)
    }

    /// Connects the trusted checkpoint by the first event after it: the event's proof contains the checkpoint's tree.
    fn connect_by_proof(&mut self, index: u64, proof: &[Hash]) -> Result<(), ExportError> {
        if let Some(trusted) = self.trusted.filter(|trusted| trusted.size == index && index > 0) {
            if inclusion::root_before(index, self.tree.size, proof) != Some(trusted.root) {
                return Err(ExportError::HistoryChanged(trusted.size));
            }
            self.is_connected = true;
        }
        Ok(())
    }

    /// Compares the readable fields of a line with the proven leaf.
    fn check_fields(&self, read: &Line<'_>) -> Result<(), ExportError> {
        let (line, sequence) = (self.line(), read.sequence);
        let event = leaf::parse(&read.leaf).ok_or(ExportError::Malformed(line))?;
        let fields = [
            ("leaf", event.trail_id == self.header.company_id),
            ("sequence", event.sequence == sequence),
            ("event_id", event.id == read.event_id),
            ("time", Timestamp::from_micros(event.at).to_rfc_3339_with_micros() == read.time),
            ("action", event.action == read.action),
            ("actor_type", event.actor_type == read.actor_type),
            ("actor_id", event.actor_id.as_deref() == read.actor_id.as_deref()),
            ("key_id", event.key_id.as_deref() == read.key_id.as_deref()),
            ("target_type", event.target_type == read.target_type),
            ("target_id", event.target_id == read.target_id),
            ("reason", event.reason.as_deref() == read.reason.as_deref()),
            ("comment", event.comment.as_deref() == read.comment.as_deref()),
            ("client_address", event.client_address.as_deref() == read.client_address.as_deref()),
            ("user_agent", event.user_agent.as_deref() == read.user_agent.as_deref()),
            ("request_id", event.request_id.as_deref() == read.request_id.as_deref()),
            ("before", event.before.as_deref() == read.before.map(|json| json.get())),
            ("after", event.after.as_deref() == read.after.map(|json| json.get())),
        ];
        let mismatch = fields.into_iter().find(|(_, is_same)| !is_same);
        mismatch.map_or(Ok(()), |(field, _)| Err(ExportError::FieldMismatch { line, sequence, field }))
    }

    fn check_end(&mut self, line: &[u8]) -> Result<(), ExportError> {
        let end: End<'_> = serde_json::from_slice(line).map_err(|_| ExportError::Malformed(self.line()))?;
        if to_line(&End::new(end.events, &*end.signature)).as_bytes() != line {
            return Err(ExportError::Malformed(self.line()));
        }
        for stated in [self.header.events, end.events] {
            if stated != self.events {
                return Err(ExportError::EventCount { stated, found: self.events });
            }
        }
        let origin = &self.header.origin;
        let text = self.digest.clone().signed_text(origin, self.events);
        if !self.key.verify_signature(&end.signature, origin, text.as_bytes()) {
            return Err(ExportError::BadSignature);
        }
        self.has_ended = true;
        Ok(())
    }

    /// Ends the check after the last line.
    pub fn finish(self) -> Result<ExportSummary, ExportError> {
        if !self.has_ended {
            return Err(ExportError::Truncated(self.line() - 1));
        }
        let Header { full, company_name: company, origin, .. } = self.header;
        let (events, size, key_changes) = (self.events, self.tree.size, self.key_changes);
        match self.trusted {
            Some(trusted) if !self.is_connected => Err(ExportError::NotConnected { trusted: trusted.size, size }),
            trusted => {
                let trusted_size = trusted.map(|trusted| trusted.size);
                Ok(ExportSummary { events, size, full, company, trusted_size, origin, key_changes })
            }
        }
    }
}

/// Checks that the changes of the key lead to the key of the header, and that its checkpoint extends each of their
/// trees. Returns the keys, and the header's tree.
fn check_keys(header: &Header, own_key: CheckpointKey) -> Result<(KeyChain, Checkpoint), ExportError> {
    let notes = header.key_changes.iter().map(|change| change.note.as_str());
    let keys = KeyChain::read(own_key, notes, &header.origin).map_err(ExportError::Keys)?;
    if keys.active() != own_key {
        return Err(ExportError::InconsistentHeader(
            "its public key is not the one that its signing key was last changed to",
        ));
    }
    let tree = own_key.verify(&header.checkpoint, &header.origin).map_err(ExportError::Checkpoint)?;
    for (change, exported) in keys.changes().iter().zip(&header.key_changes) {
        if !is_consistent(change.checkpoint, tree, &exported.proof) {
            return Err(ExportError::KeyChangeMismatch(change.checkpoint.size));
        }
    }
    Ok((keys, tree))
}
