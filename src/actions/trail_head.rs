//! Builds the head of a trail: its size, its tree and a signed checkpoint.

use crate::domain::ids::{InstallationId, TrailId};
use crate::domain::trail::check::TrailHead;
use crate::domain::trail::checkpoint;
use crate::domain::trail::merkle::Frontier;
use crate::secrets::Secrets;

/// Returns the head of a trail with this tree, with a newly signed checkpoint.
pub(super) fn signed_head(
    secrets: &Secrets,
    installation: InstallationId,
    trail: TrailId,
    tree: &Frontier,
) -> TrailHead {
    let origin = checkpoint::origin(installation, trail);
    TrailHead {
        size: i64::try_from(tree.size()).unwrap_or(i64::MAX),
        frontier: tree.to_bytes(),
        checkpoint: secrets.signer().sign(&origin, tree.size(), &tree.root()),
    }
}
