//! A change: one transaction that holds the lock of a trail, writes rows and appends events to that trail.

use std::sync::Arc;

use super::authority::{Denied, Permission, RequestContext};
use super::service::Actions;
use super::trail_head::{signed_head, signer_of};
use crate::domain::actor::Actor;
use crate::domain::client::Client;
use crate::domain::ids::{KeyId, TrailId};
use crate::domain::key::usage::hour_of;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::check::TrailHead;
use crate::domain::trail::checkpoint::CheckpointSigner;
use crate::domain::trail::merkle::Frontier;
use crate::domain::trail::remembered::{RememberedTrail, RememberedTree};
use crate::store::{StoreError, WriteDb};

/// A change in progress.
pub(super) struct Change<'t, 'connection> {
    pub(super) tx: &'t mut WriteDb<'connection>,
    pub(super) trail: TrailId,
    pub(super) actor: Actor,
    pub(super) client: Client,
    /// The trail's tree, with the events of this change.
    pub(super) tree: Frontier,
    pub(super) now: Timestamp,
    /// The pepper that the events of new keys leave out.
    pub(super) first_pepper: Option<Arc<str>>,
    /// Signs the trail's next checkpoint.
    pub(super) signer: Arc<CheckpointSigner>,
    /// The keys that this change revokes.
    pub(super) revoked: Vec<KeyId>,
}

impl Actions {
    /// Runs a change of a company's data by an admin or the command line. The company's trail is locked from the first
    /// query to the commit.
    pub(super) fn change<T, E: From<StoreError> + From<Denied>>(
        &self,
        context: &RequestContext,
        work: impl FnOnce(&mut Change<'_, '_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let permit = |tx: &mut WriteDb<'_>, now| Permission::of_admin(tx, context, now);
        self.change_trail(context.company_id.into(), &context.client, permit, work)
    }

    /// Runs a change that a user of any role may make: of their own data.
    pub(super) fn change_own<T, E: From<StoreError> + From<Denied>>(
        &self,
        context: &RequestContext,
        work: impl FnOnce(&mut Change<'_, '_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let permit = |tx: &mut WriteDb<'_>, now| Permission::of_user(tx, context, now);
        self.change_trail(context.company_id.into(), &context.client, permit, work)
    }

    /// Runs a change of a trail's data with a permission that depends on no session.
    pub(super) fn change_with<T, E: From<StoreError>>(
        &self,
        permission: Permission,
        trail: TrailId,
        client: &Client,
        work: impl FnOnce(&mut Change<'_, '_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.change_trail(trail, client, |_, _| Ok(permission), work)
    }

    fn change_trail<T, E: From<StoreError>>(
        &self,
        trail: TrailId,
        client: &Client,
        permit: impl FnOnce(&mut WriteDb<'_>, Timestamp) -> Result<Permission, E>,
        work: impl FnOnce(&mut Change<'_, '_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut revoked = Vec::new();
        let (done, before, head) = self.store.write(|tx| {
            let before = tx.trails().lock(trail)?;
            self.refuse_shortened(trail, &before)?;
            let permission = permit(tx, self.clock.now())?;
            let (done, head) = self.append_to_locked_trail(tx, trail, &before, permission, client, |change| {
                let done = work(change);
                revoked.append(&mut change.revoked);
                done
            })?;
            Ok::<_, E>((done, before, head))
        })?;
        self.remember_change(trail, &before, head);
        if !revoked.is_empty() {
            self.usage.add_acknowledgements(revoked, self.clock.now());
        }
        Ok(done)
    }

    /// Runs a change in a transaction that already holds the trail's lock.
    pub(super) fn change_locked_trail<T, E: From<StoreError>>(
        &self,
        tx: &mut WriteDb<'_>,
        trail: TrailId,
        head: &TrailHead,
        permission: Permission,
        client: &Client,
        work: impl FnOnce(&mut Change<'_, '_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.refuse_shortened(trail, head)?;
        Ok(self.append_to_locked_trail(tx, trail, head, permission, client, work)?.0)
    }

    /// Refuses to sign a checkpoint of a trail that lacks events which the server remembers: the trail would grow over the
    /// gap. The lock of the trail makes the comparison exact.
    pub(super) fn refuse_shortened(&self, trail: TrailId, head: &TrailHead) -> Result<(), StoreError> {
        let lacking = match self.memory.shortfall(trail) {
            None => self.memory.trail(trail).and_then(|known| known.shortfall(head.size, &head.checkpoint)),
            marked => marked,
        };
        lacking.map_or(Ok(()), |shortfall| Err(StoreError::WentBack(shortfall.to_string())))
    }

    /// Remembers the head that a committed change has signed, if the change continues what is remembered. Otherwise, as
    /// after changes by another server, the next comparison of the trails does.
    fn remember_change(&self, trail: TrailId, before: &TrailHead, (head, tree): (TrailHead, Frontier)) {
        if let Some(known) = self.memory.trail(trail).filter(|known| known.note == before.checkpoint)
            && head.size > before.size
        {
            let (tree, accepted_losses) = (RememberedTree::Frontier(tree), known.accepted_losses.clone());
            self.memory.advance(trail, Some(&known), RememberedTrail { note: head.checkpoint, tree, accepted_losses });
        }
    }

    /// Runs a change also on a trail that lacks events. Returns the new head with its tree.
    pub(super) fn append_to_locked_trail<T, E: From<StoreError>>(
        &self,
        tx: &mut WriteDb<'_>,
        trail: TrailId,
        head: &TrailHead,
        permission: Permission,
        client: &Client,
        work: impl FnOnce(&mut Change<'_, '_>) -> Result<T, E>,
    ) -> Result<(T, (TrailHead, Frontier)), E> {
        let signer = signer_of(&self.secrets, self.installation, trail, head)?;
        let tree = u64::try_from(head.size).ok().and_then(|size| Frontier::from_bytes(size, &head.frontier));
        let tree = tree.ok_or_else(|| StoreError::unexpected(format!("the head of the trail {trail} is damaged")))?;
        let (actor, client, now) = (permission.actor(), client.clone(), self.clock.now());
        let first_pepper = self.secrets.keyring().first().cloned();
        let mut change = Change { tx, trail, actor, client, tree, now, first_pepper, signer, revoked: Vec::new() };
        let done = work(&mut change)?;
        let (tree, now, signer, size_before) = (change.tree, change.now, change.signer, head.size);
        let head = signed_head(&signer, self.installation, trail, &tree);
        tx.trails().update_head(trail, &head, size_before, hour_of(now))?;
        Ok((done, (head, tree)))
    }
}

/// Returns whether a change of Keydesk's own must wait because its company's trail lacks events. It is made later, and
/// other companies do not wait for it.
pub(super) fn is_change_paused(result: Result<(), StoreError>) -> Result<bool, StoreError> {
    match result {
        Ok(()) => Ok(false),
        Err(StoreError::WentBack(_)) => Ok(true),
        Err(error) => Err(error),
    }
}
