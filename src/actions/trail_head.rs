//! The head of a trail: its size, its tree and a signed checkpoint.

use std::sync::Arc;

use crate::domain::ids::{InstallationId, TrailId};
use crate::domain::trail::check::TrailHead;
use crate::domain::trail::checkpoint::{self, CheckpointSigner};
use crate::domain::trail::merkle::Frontier;
use crate::secrets::Secrets;
use crate::store::StoreError;

/// Returns the head of a trail with this tree, with a newly signed checkpoint.
pub(super) fn signed_head(
    signer: &CheckpointSigner,
    installation: InstallationId,
    trail: TrailId,
    tree: &Frontier,
) -> TrailHead {
    let origin = checkpoint::origin(installation, trail);
    TrailHead {
        size: i64::try_from(tree.size()).unwrap_or(i64::MAX),
        frontier: tree.to_bytes(),
        checkpoint: signer.sign(&origin, tree.size(), &tree.root()),
    }
}

/// Returns the signer that the stored head names, which is not the active one while another server activates a set. Does
/// not verify the signature.
///
/// # Errors
/// [`StoreError`]: none of the accepted sets has signed it.
pub(super) fn signer_of(
    secrets: &Secrets,
    installation: InstallationId,
    trail: TrailId,
    head: &TrailHead,
) -> Result<Arc<CheckpointSigner>, StoreError> {
    let keyring = secrets.keyring();
    keyring.signer_named_in(&head.checkpoint, &checkpoint::origin(installation, trail)).cloned().ok_or_else(|| {
        StoreError::unavailable(format!(
            "another key than this server's signs the audit trail {trail}; if the secrets were rotated, give this server the same secrets file"
        ))
    })
}

/// Returns whether a stored head names the key of this signer. Does not verify the signature.
pub(super) fn is_signed_by(
    signer: &CheckpointSigner,
    installation: InstallationId,
    trail: TrailId,
    head: &TrailHead,
) -> bool {
    signer.public_key().is_named_in(&head.checkpoint, &checkpoint::origin(installation, trail))
}
