//! What a webhook is sent: a checkpoint and what is needed to check it, as JSON.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::domain::checkpoint::{self, CheckpointKey};
use crate::domain::ids::InstallationId;
use crate::domain::instant::Instant;
use crate::domain::text::hex;
use crate::store::UnwitnessedCheckpoint;

/// A message; the same for the same checkpoint, whoever sends it and however often.
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: String,
}

impl Message {
    /// The message about a checkpoint.
    pub(super) fn about(due: &UnwitnessedCheckpoint, installation: InstallationId, key: CheckpointKey) -> Self {
        let company = due.company.as_ref().map(|company| json!({ "id": company.id, "name": company.name }));
        let body = json!({
            "type": "audit_trail.checkpoint",
            "timestamp": due.made_at.and_then(Instant::to_rfc_3339),
            "data": {
                "company": company,
                "trail": due.trail.to_string(),
                "size": due.size,
                "root": due.checkpoint.lines().nth(2),
                "checkpoint": due.checkpoint,
                "public_key": key.to_vkey(&checkpoint::origin(installation, due.trail)),
            },
        });
        // Of the note itself, so that no history of the same length passes for a repetition of this one.
        let digest: [u8; 32] = Sha256::digest(due.checkpoint.as_bytes()).into();
        Self { id: format!("msg_{}", hex(&digest[..16])), body: body.to_string() }
    }
}
