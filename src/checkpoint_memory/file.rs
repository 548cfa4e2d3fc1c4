//! The file of the remembered checkpoints: one line of JSON, then a signature as signed notes have it. It is replaced as a
//! whole, so that a crash leaves the old content or the new one.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::error::MemoryError;
use crate::domain::ids::InstallationId;
use crate::domain::trail::checkpoint::{Checkpoint, CheckpointKey, CheckpointSigner};
use crate::domain::trail::merkle::Frontier;
use crate::domain::trail::remembered::{LossAcceptance, RememberedTrail, RememberedTree};
use crate::domain::trail::signed_document::{self, SignedDocument};
use crate::durable_file;

const TITLE: &str = "keydesk remembered checkpoints v1";
const TEMPORARY_PREFIX: &str = ".remembered-checkpoints-";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredMemory {
    pub(super) installation: InstallationId,
    pub(super) trails: BTreeMap<String, StoredTrail>,
    /// For each webhook, the last checkpoint of each trail that it accepted.
    pub(super) webhooks: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredTrail {
    checkpoint: String,
    size: u64,
    /// Missing for a checkpoint that was kept without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    frontier: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    accepted_losses: Vec<StoredAcceptance>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredAcceptance {
    event: String,
    events_left: u64,
    lost_size: u64,
    lost_root: String,
}

impl From<&RememberedTrail> for StoredTrail {
    fn from(trail: &RememberedTrail) -> Self {
        let acceptance = |accepted: &LossAcceptance| StoredAcceptance {
            event: accepted.event_id.clone(),
            events_left: accepted.events_left,
            lost_size: accepted.lost.size,
            lost_root: BASE64_STANDARD.encode(accepted.lost.root),
        };
        Self {
            checkpoint: trail.note.clone(),
            size: trail.size(),
            frontier: match &trail.tree {
                RememberedTree::Frontier(tree) => Some(BASE64_STANDARD.encode(tree.to_bytes())),
                RememberedTree::Root(_) => None,
            },
            accepted_losses: trail.accepted_losses.iter().map(acceptance).collect(),
        }
    }
}

impl StoredTrail {
    /// `keys` are those that may have signed the file: it protects all that it holds.
    pub(super) fn parse(self, origin: &str, keys: &[CheckpointKey]) -> Option<RememberedTrail> {
        let acceptance = |stored: StoredAcceptance| {
            let root = BASE64_STANDARD.decode(stored.lost_root).ok()?.try_into().ok()?;
            let lost = Checkpoint { size: stored.lost_size, root };
            Some(LossAcceptance { event_id: stored.event, events_left: stored.events_left, lost })
        };
        let tree = match self.frontier {
            Some(frontier) => {
                RememberedTree::Frontier(Frontier::from_bytes(self.size, &BASE64_STANDARD.decode(frontier).ok()?)?)
            }
            None => RememberedTree::Root(keys.iter().find_map(|key| key.verify(&self.checkpoint, origin).ok())?),
        };
        Some(RememberedTrail {
            note: self.checkpoint,
            tree,
            accepted_losses: self.accepted_losses.into_iter().map(acceptance).collect::<Option<_>>()?,
        })
    }
}

/// Reads the file, which one of the keys has signed; `None` if there is none. Returns it with that key.
pub(super) fn read(path: &Path, keys: &[CheckpointKey]) -> Result<Option<(StoredMemory, CheckpointKey)>, MemoryError> {
    let shown = path.display();
    let unreadable =
        |error: io::Error| MemoryError(format!("The remembered checkpoints {shown} cannot be read: {error}."));
    let mode = match fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    if mode & 0o022 != 0 {
        return Err(MemoryError(format!(
            "The remembered checkpoints {shown} can be written by others (mode {mode:04o}). Run: chmod 600 {shown}"
        )));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let stored = String::from_utf8(bytes).ok().and_then(|text| parse(&text, keys));
    stored.map(Some).ok_or_else(|| {
        MemoryError(format!(
            "The remembered checkpoints {shown} are damaged or were changed: their signature is not valid. Restore the file; or check the audit trails with keydesk audit verify and a checkpoint that you kept, then move the file away."
        ))
    })
}

fn parse(text: &str, keys: &[CheckpointKey]) -> Option<(StoredMemory, CheckpointKey)> {
    let document = SignedDocument::split(text, TITLE)?;
    let stored: StoredMemory = serde_json::from_str(document.json).ok()?;
    let name = name(stored.installation);
    let key = keys.iter().find(|key| document.is_signed(**key, &name))?;
    Some((stored, *key))
}

/// Replaces the file durably.
pub(super) fn write(path: &Path, memory: &StoredMemory, signer: &CheckpointSigner) -> io::Result<()> {
    let note = signed_document::sign(TITLE, &serde_json::to_string(memory)?, &name(memory.installation), signer);
    durable_file::replace(path, TEMPORARY_PREFIX, note.as_bytes())
}

/// Removes temporary files that a crash left behind.
pub(super) fn remove_leftovers(path: &Path) {
    let entries = path.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX)) {
        let _ = fs::remove_file(entry.path());
    }
}

/// Moves the file of another installation away, and returns its new name.
pub(super) fn set_aside(path: &Path, installation: InstallationId) -> io::Result<PathBuf> {
    let aside = path.with_file_name(format!("remembered-checkpoints-of-{installation}"));
    fs::rename(path, &aside)?;
    Ok(aside)
}

/// The name in the signature line.
fn name(installation: InstallationId) -> String {
    format!("keydesk/{installation}/remembered-checkpoints")
}
