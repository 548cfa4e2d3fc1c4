//! Replaces the key that signs the checkpoints.

use super::trail_head::is_signed_by;
use crate::domain::ids::{InstallationId, TrailId};
use crate::domain::trail::check::TrailHead;
use crate::domain::trail::checkpoint::{self, Checkpoint, CheckpointSigner};
use crate::domain::trail::key_chain::{KeyChain, MAX_KEY_CHANGES};
use crate::domain::trail::key_change::KeyChange;
use crate::domain::trail::merkle::Frontier;
use crate::store::{StoreError, WriteDb};

/// Why the key was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum KeyChangeError {
    /// The former key has not signed the stored tree, or the changes before are not valid.
    #[error("The audit trail {0} does not verify. Find the cause with: keydesk audit verify")]
    Broken(TrailId),
    /// The next key has signed the trail before.
    #[error("The new key has signed the audit trail {0} before. Use another one.")]
    Repeated(TrailId),
    #[error("The signing key of the audit trail {0} was changed {MAX_KEY_CHANGES} times, and cannot be changed again.")]
    TooMany(TrailId),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Replaces the key in the caller's transaction: adds a note that both keys sign to each trail, signs its checkpoint again
/// with the next key, and stores that key as the installation's. A trail that the next key has signed already is left as it
/// is. Returns the number of trails with a new note.
pub fn record_key_change(
    tx: &mut WriteDb<'_>,
    installation: InstallationId,
    former: &CheckpointSigner,
    next: &CheckpointSigner,
) -> Result<usize, KeyChangeError> {
    let mut trails: Vec<TrailId> = tx.trails().checkpoints()?.into_iter().map(|(trail, ..)| trail).collect();
    // In one order, so that two programs do not wait for each other.
    trails.sort_unstable();
    let mut changed = 0;
    for trail in trails {
        let head = tx.trails().lock(trail)?;
        if !is_signed_by(next, installation, trail, &head) {
            change(tx, installation, trail, &head, former, next)?;
            changed += 1;
        }
    }
    tx.installation().set_checkpoint_key(&next.public_key().to_bytes())?;
    Ok(changed)
}

/// Replaces the key of a trail whose head is locked.
fn change(
    tx: &mut WriteDb<'_>,
    installation: InstallationId,
    trail: TrailId,
    head: &TrailHead,
    former: &CheckpointSigner,
    next: &CheckpointSigner,
) -> Result<(), KeyChangeError> {
    let origin = checkpoint::origin(installation, trail);
    let tree = signed_tree(head, &origin, former).ok_or(KeyChangeError::Broken(trail))?;
    let notes = tx.trails().key_changes(trail)?;
    let keys = KeyChain::read(former.public_key(), notes.iter().map(String::as_str), &origin);
    let keys = keys.ok().filter(|keys| keys.active() == former.public_key()).ok_or(KeyChangeError::Broken(trail))?;
    if keys.contains(next.public_key()) {
        return Err(KeyChangeError::Repeated(trail));
    }
    if keys.changes().len() >= MAX_KEY_CHANGES {
        return Err(KeyChangeError::TooMany(trail));
    }
    tx.trails().insert_key_change(trail, &KeyChange::sign(&origin, tree, former, next))?;
    tx.trails().replace_checkpoint(trail, &next.sign(&origin, tree.size, &tree.root))?;
    Ok(())
}

/// Returns the tree that the head's checkpoint signs, if the key has signed it and the frontier is its.
fn signed_tree(head: &TrailHead, origin: &str, signer: &CheckpointSigner) -> Option<Checkpoint> {
    let checkpoint = signer.public_key().verify(&head.checkpoint, origin).ok()?;
    let tree = Frontier::from_bytes(checkpoint.size, &head.frontier)?;
    (tree.root() == checkpoint.root && u64::try_from(head.size) == Ok(checkpoint.size)).then_some(checkpoint)
}
