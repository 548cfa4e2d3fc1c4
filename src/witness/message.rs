//! The JSON message that a webhook receives: a checkpoint and the public key that verifies it.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::domain::ids::InstallationId;
use crate::domain::text::normalize::hex;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::checkpoint::{self, CheckpointKey};
use crate::store::UnwitnessedCheckpoint;

/// A message. Its id and body depend on the checkpoint only, so that a receiver recognizes a repetition.
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: String,
}

impl Message {
    /// Creates the message of a checkpoint.
    pub(super) fn about(due: &UnwitnessedCheckpoint, installation: InstallationId, key: CheckpointKey) -> Self {
        let company = due.company.as_ref().map(|company| json!({ "id": company.id, "name": company.name }));
        let body = json!({
            "type": "audit_trail.checkpoint",
            "timestamp": due.made_at.and_then(Timestamp::to_rfc_3339),
            "data": {
                "company": company,
                "trail": due.trail.to_string(),
                "size": due.size,
                "root": due.checkpoint.lines().nth(2),
                "checkpoint": due.checkpoint,
                "public_key": key.to_vkey(&checkpoint::origin(installation, due.trail)),
            },
        });
        // The id is derived from the note itself: another history of the same length is another message.
        let digest: [u8; 32] = Sha256::digest(due.checkpoint.as_bytes()).into();
        Self { id: format!("msg_{}", hex(&digest[..16])), body: body.to_string() }
    }
}
