//! Checks an export line by line, with nothing but the export and what its reader kept: a public key, a checkpoint.

use super::checkpoint::{Checkpoint, CheckpointKey};
use super::consistency::is_beginning;
use super::consistency_file::ConsistencyFile;
use super::export::{End, FORMAT, Filters, Header, Line, Seal, VERSION, written};
use super::export_misfit::ExportMisfit;
use super::inclusion;
use super::instant::Instant;
use super::leaf;
use super::merkle::{Frontier, Hash, leaf_hash};

/// What the reader kept elsewhere: without it an export proves only that it fits together.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The installation's public key, and which trail its line names, where it names one.
    pub key: Option<(CheckpointKey, Option<String>)>,
    /// An older, equal or newer checkpoint of the trail, a signed note.
    pub checkpoint: Option<String>,
    /// A proof that connects the two checkpoints.
    pub consistency: Option<ConsistencyFile>,
}

/// What was found to be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// How many events the export holds.
    pub events: u64,
    /// How many events its trail had.
    pub size: u64,
    /// Whether it holds all of them.
    pub full: bool,
    /// The company's name, as the export says it.
    pub company: String,
    /// How many events the kept checkpoint signs, with all of which the trail begins.
    pub kept: Option<u64>,
}

/// A check under way: give it every line.
#[derive(Debug)]
pub struct ExportCheck {
    header: Header,
    key: CheckpointKey,
    tree: Checkpoint,
    kept: Option<Checkpoint>,
    /// Whether the tree is known to begin with what the kept checkpoint signs.
    connected: bool,
    seal: Seal,
    events: u64,
    /// The event of the line before.
    last: Option<i64>,
    ended: bool,
}

impl ExportCheck {
    /// Begins with the first line.
    ///
    /// # Errors
    /// [`ExportMisfit`].
    pub fn begin(line: &[u8], kept: &Kept) -> Result<Self, ExportMisfit> {
        let header: Header = serde_json::from_slice(line).map_err(|_| ExportMisfit::NoHeader)?;
        if header.format != FORMAT || header.version != VERSION || header.line().as_bytes() != line {
            return Err(ExportMisfit::NoHeader);
        }
        let (name, own_key) = CheckpointKey::parse_vkey(&header.public_key)
            .ok_or(ExportMisfit::Header("its public key is not in the form of one"))?;
        if name != header.origin || header.origin.rsplit('/').next() != Some(&header.company_id) {
            return Err(ExportMisfit::Header("public key, origin and company are not of one trail"));
        }
        let key = match &kept.key {
            None => own_key,
            Some((_, Some(name))) if *name != header.origin => {
                return Err(ExportMisfit::KeyOfAnotherTrail(name.clone()));
            }
            Some((key, _)) => *key,
        };
        if key != own_key {
            return Err(ExportMisfit::OtherKey);
        }
        let tree = key.verify(&header.checkpoint, &header.origin).map_err(ExportMisfit::Checkpoint)?;
        if header.full != (header.filters == Filters::default()) {
            return Err(ExportMisfit::Header("it says both that it is full and that it is filtered, or neither"));
        }
        if header.full && header.events != tree.size {
            return Err(ExportMisfit::Count { said: tree.size, found: header.events });
        }
        let checkpoint = kept.checkpoint.as_ref().map(|note| key.verify(note, &header.origin)).transpose();
        let mut seal = Seal::default();
        seal.take(line);
        let kept_tree = checkpoint.map_err(ExportMisfit::Kept)?;
        let (events, last, connected, ended) = (0, None, false, false);
        let mut check = Self { header, key, tree, kept: kept_tree, connected, seal, events, last, ended };
        check.connect(kept.consistency.as_ref())?;
        Ok(check)
    }

    /// Connects the file's checkpoint with the one that was kept, as far as the header and the further proof can.
    fn connect(&mut self, proof: Option<&ConsistencyFile>) -> Result<(), ExportMisfit> {
        let Some(kept) = self.kept else { return Ok(()) };
        let (tree, origin) = (self.tree, &self.header.origin);
        if kept.size == 0 {
            self.connected = kept.root == Frontier::default().root();
            return if self.connected { Ok(()) } else { Err(ExportMisfit::OtherBeginning(0)) };
        }
        if kept.size == tree.size {
            self.connected = kept.root == tree.root;
            return if self.connected { Ok(()) } else { Err(ExportMisfit::OtherTree(kept.size)) };
        }
        if let Some(proof) = proof {
            self.connected = proof.shows(origin, kept, tree) || proof.shows(origin, tree, kept);
            return if self.connected { Ok(()) } else { Err(ExportMisfit::Consistency) };
        }
        if kept.size > tree.size {
            return Err(ExportMisfit::Shorter { kept: kept.size, size: tree.size });
        }
        if let Some(since) = self.header.since.as_ref().filter(|since| since.size == kept.size) {
            self.connected = is_beginning(kept, tree, &since.proof);
            return if self.connected { Ok(()) } else { Err(ExportMisfit::OtherBeginning(kept.size)) };
        }
        Ok(())
    }

    /// Takes the next line, with the line feed at its end.
    ///
    /// # Errors
    /// [`ExportMisfit`], where this is the first line that does not fit.
    pub fn take(&mut self, line: &[u8]) -> Result<(), ExportMisfit> {
        if self.ended {
            return Err(ExportMisfit::BehindTheEnd(self.line()));
        }
        if !line.ends_with(b"\n") {
            return Err(ExportMisfit::BreaksOff(self.line() - 1));
        }
        if line.starts_with(b"{\"end\":") {
            return self.take_end(line);
        }
        let read: Line<'_> = serde_json::from_slice(line).map_err(|_| ExportMisfit::Malformed(self.line()))?;
        self.check(&read)?;
        if written(&read).as_bytes() != line {
            return Err(ExportMisfit::Malformed(self.line()));
        }
        self.seal.take(line);
        self.events += 1;
        self.last = Some(read.sequence);
        Ok(())
    }

    /// How many events are still to come.
    #[must_use]
    pub fn announced(&self) -> u64 {
        self.header.events
    }

    /// The line that is being looked at, from 1.
    const fn line(&self) -> u64 {
        self.events + 2
    }

    fn check(&mut self, read: &Line<'_>) -> Result<(), ExportMisfit> {
        let (line, sequence) = (self.line(), read.sequence);
        let leaf = leaf_hash(read.leaf.as_bytes());
        let index = u64::try_from(sequence).ok().and_then(|sequence| sequence.checked_sub(1));
        let proven = index
            .and_then(|index| inclusion::root_of(leaf, index, self.tree.size, &read.proof))
            .is_some_and(|root| root == self.tree.root);
        let id = read.event_id.to_string();
        let Some(index) = index.filter(|_| proven) else {
            return Err(ExportMisfit::NotInTheTree { line, sequence, id });
        };
        self.check_fields(read)?;
        if self.last.is_some_and(|last| sequence >= last) {
            return Err(ExportMisfit::OutOfOrder { line, sequence });
        }
        let expected = self.tree.size - self.events;
        if self.header.full && index + 1 != expected {
            return Err(ExportMisfit::Missing(expected));
        }
        self.connect_by(index, &read.proof)
    }

    /// The first event after those that the kept checkpoint signs: its proof holds their tree.
    fn connect_by(&mut self, index: u64, proof: &[Hash]) -> Result<(), ExportMisfit> {
        if let Some(kept) = self.kept.filter(|kept| kept.size == index && index > 0) {
            if inclusion::root_before(index, self.tree.size, proof) != Some(kept.root) {
                return Err(ExportMisfit::OtherBeginning(kept.size));
            }
            self.connected = true;
        }
        Ok(())
    }

    /// Holds what the line says for readers against the bytes that are proven.
    fn check_fields(&self, read: &Line<'_>) -> Result<(), ExportMisfit> {
        let (line, sequence) = (self.line(), read.sequence);
        let event = leaf::event(&read.leaf).ok_or(ExportMisfit::Malformed(line))?;
        let fields = [
            ("leaf", event.trail_id == self.header.company_id),
            ("sequence", event.sequence == sequence),
            ("event_id", event.id == read.event_id),
            ("time", Instant::from_micros(event.at).to_rfc_3339_with_micros() == read.time),
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
        let differs = fields.into_iter().find(|(_, same)| !same);
        differs.map_or(Ok(()), |(field, _)| Err(ExportMisfit::Field { line, sequence, field }))
    }

    fn take_end(&mut self, line: &[u8]) -> Result<(), ExportMisfit> {
        let end: End<'_> = serde_json::from_slice(line).map_err(|_| ExportMisfit::Malformed(self.line()))?;
        if written(&End::new(end.events, &*end.signature)).as_bytes() != line {
            return Err(ExportMisfit::Malformed(self.line()));
        }
        for said in [self.header.events, end.events] {
            if said != self.events {
                return Err(ExportMisfit::Count { said, found: self.events });
            }
        }
        let origin = &self.header.origin;
        let text = self.seal.clone().text(origin, self.events);
        if !self.key.made(&end.signature, origin, text.as_bytes()) {
            return Err(ExportMisfit::Signature);
        }
        self.ended = true;
        Ok(())
    }

    /// Ends the check, when there are no more lines.
    ///
    /// # Errors
    /// [`ExportMisfit`].
    pub fn finish(self) -> Result<Checked, ExportMisfit> {
        if !self.ended {
            return Err(ExportMisfit::BreaksOff(self.line() - 1));
        }
        let (events, size, full, company) = (self.events, self.tree.size, self.header.full, self.header.company_name);
        match self.kept {
            Some(kept) if !self.connected => {
                Err(ExportMisfit::NotConnected { kept: kept.size, size, company: self.header.company_id })
            }
            kept => Ok(Checked { events, size, full, company, kept: kept.map(|kept| kept.size) }),
        }
    }
}
