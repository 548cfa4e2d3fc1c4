//! Compares the trails in the database with what is remembered of them: a database that was put back to an older state has
//! shorter trails, or other ones.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::SigningKey;
use crate::checkpoint_memory::CheckpointMemory;
use crate::domain::ids::{InstallationId, TrailId};
use crate::domain::trail::action::Action;
use crate::domain::trail::check::TrailHead;
use crate::domain::trail::checkpoint;
use crate::domain::trail::event::Event;
use crate::domain::trail::key_chain::KeyChain;
use crate::domain::trail::merkle::{Frontier, Hash, leaf_hash};
use crate::domain::trail::remembered::{LossAcceptance, RememberedTrail, RememberedTree, grown};
use crate::domain::trail::shortfall::Shortfall;
use crate::store::{Store, StoreError, ThreadReader};

const BATCH_SIZE: u64 = 10_000;

/// Compares trails with the memory, and keeps the memory up to date.
#[derive(Clone)]
pub struct ContinuityCheck {
    store: Store,
    /// A connection of its own, which fails only if the database cannot be reached.
    reader: Arc<Mutex<ThreadReader>>,
    /// Whether the database can be put back without this process noticing: a file cannot.
    is_remote: bool,
    memory: CheckpointMemory,
    installation: InstallationId,
    key: SigningKey,
}

/// What a comparison does with trails that are not remembered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unknown {
    Remember,
    Skip,
}

impl fmt::Debug for ContinuityCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContinuityCheck").field("installation", &self.installation).finish_non_exhaustive()
    }
}

impl ContinuityCheck {
    #[must_use]
    pub fn new(store: Store, memory: CheckpointMemory, installation: InstallationId, key: SigningKey) -> Self {
        let (reader, is_remote) = (Arc::new(Mutex::new(store.background_reader())), store.is_remote());
        Self { store, reader, is_remote, memory, installation, key }
    }

    /// Compares all trails, and remembers their heads where they continue what is remembered. One query, and a few more
    /// for each trail that has changed.
    ///
    /// # Errors
    /// [`StoreError`]: the database could not be read.
    pub fn run(&self) -> Result<(), StoreError> {
        self.compare(Unknown::Remember)
    }

    /// Compares the remembered trails only, for a command.
    ///
    /// # Errors
    /// [`StoreError`]: the database could not be read.
    pub fn run_on_remembered(&self) -> Result<(), StoreError> {
        self.compare(Unknown::Skip)
    }

    fn compare(&self, unknown: Unknown) -> Result<(), StoreError> {
        let _comparison = self.memory.lock_comparison();
        // First, because all that is remembered was committed before the heads are read.
        let remembered = self.memory.trails();
        if remembered.is_empty() && unknown == Unknown::Skip {
            return Ok(());
        }
        let heads = self.heads().inspect_err(|_| self.memory.set_unconfirmed(self.is_remote))?;
        let mut found = HashSet::with_capacity(heads.len());
        let (mut result, mut is_confirmed) = (Ok(()), true);
        for (trail, size, checkpoint) in heads {
            found.insert(trail);
            let compared = match remembered.get(&trail) {
                Some(known) => match known.shortfall(size, &checkpoint) {
                    None if known.note == checkpoint => {
                        self.memory.confirm(trail);
                        continue;
                    }
                    lacking => {
                        let examined = self.examine(trail, known);
                        is_confirmed &= lacking.is_none() || examined.is_ok();
                        examined
                    }
                },
                None if unknown == Unknown::Remember => self.remember(trail),
                None => continue,
            };
            result = result.and(compared);
        }
        for (trail, known) in remembered.iter().filter(|(trail, _)| !found.contains(trail)) {
            let examined = self.examine_missing(*trail, known);
            is_confirmed &= examined.is_ok();
            result = result.and(examined);
        }
        self.memory.set_unconfirmed(self.is_remote && !is_confirmed);
        result
    }

    fn heads(&self) -> Result<Vec<(TrailId, i64, String)>, StoreError> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.query(|db| db.trails().checkpoints())
    }

    fn examine_missing(&self, trail: TrailId, known: &RememberedTrail) -> Result<(), StoreError> {
        if self.is_loss_of_trail_accepted(trail, known)? {
            self.memory.forget(trail);
        } else {
            self.report(trail, Shortfall::TrailMissing { last: known.size() });
        }
        Ok(())
    }

    /// Remembers a trail for the first time.
    fn remember(&self, trail: TrailId) -> Result<(), StoreError> {
        let Some(head) = self.store.query(|db| db.trails().find_head(trail))? else { return Ok(()) };
        let accepted = self.acceptances(trail, trail, 1, head.size)?;
        if let Some(seen) = self.read(trail, &head, acceptances(accepted))? {
            self.memory.advance(trail, None, seen);
        }
        Ok(())
    }

    /// Compares a trail whose head is another one than the remembered one.
    fn examine(&self, trail: TrailId, known: &RememberedTrail) -> Result<(), StoreError> {
        let Some(head) = self.store.query(|db| db.trails().find_head(trail))? else { return Ok(()) };
        let shortfall = match known.shortfall(head.size, &head.checkpoint) {
            Some(shortfall) => shortfall,
            None => match self.continuation(trail, known, &head)? {
                Some(continued) => {
                    self.memory.advance(trail, Some(known), continued);
                    return Ok(());
                }
                None => Shortfall::EventsReplaced { last: known.size() },
            },
        };
        match self.accepted_continuation(trail, known, &head)? {
            Some(continued) => {
                tracing::warn!(%trail, events = continued.size(), "loss of events accepted");
                self.memory.advance(trail, Some(known), continued);
            }
            None => self.report(trail, shortfall),
        }
        Ok(())
    }

    /// Returns the trail if it is signed, and consists of the remembered events and later ones.
    fn continuation(
        &self,
        trail: TrailId,
        known: &RememberedTrail,
        head: &TrailHead,
    ) -> Result<Option<RememberedTrail>, StoreError> {
        let (first, last) = (sequence(known.size() + 1), head.size);
        let mut accepted = known.accepted_losses.clone();
        accepted.extend(acceptances(self.acceptances(trail, trail, first, last)?));
        let Some(seen) = self.read(trail, head, accepted)? else { return Ok(None) };
        let Some(tree) = self.frontier(trail, known)? else { return Ok(None) };
        let tree = self.grow(trail, tree, seen.size())?;
        Ok((RememberedTree::Frontier(tree) == seen.tree).then_some(seen))
    }

    /// Returns the frontier of the remembered tree, built from the stored leaves if it was not kept; `None` if they are
    /// other ones.
    fn frontier(&self, trail: TrailId, known: &RememberedTrail) -> Result<Option<Frontier>, StoreError> {
        let signed = match &known.tree {
            RememberedTree::Frontier(tree) => return Ok(Some(tree.clone())),
            RememberedTree::Root(signed) => signed,
        };
        let tree = self.grow(trail, Frontier::default(), signed.size)?;
        Ok((tree.root() == signed.root).then_some(tree))
    }

    /// Returns the trail if it is signed, and one of its events accepts the loss of what is remembered.
    fn accepted_continuation(
        &self,
        trail: TrailId,
        known: &RememberedTrail,
        head: &TrailHead,
    ) -> Result<Option<RememberedTrail>, StoreError> {
        let found = self.acceptances(trail, trail, 1, head.size)?;
        let covering = found.iter().find(|(_, acceptance)| known.is_covered_by(acceptance));
        let Some((event, _)) = covering else { return Ok(None) };
        if !self.is_signed(trail, head, event)? {
            return Ok(None);
        }
        self.read(trail, head, acceptances(found))
    }

    /// Returns whether an event in the installation's trail accepts the loss of a whole trail.
    fn is_loss_of_trail_accepted(&self, trail: TrailId, known: &RememberedTrail) -> Result<bool, StoreError> {
        let own = TrailId::from(self.installation);
        let Some(head) = self.store.query(|db| db.trails().find_head(own))? else { return Ok(false) };
        for (event, acceptance) in self.acceptances(own, trail, 1, head.size)? {
            if known.is_covered_by(&acceptance) && self.is_signed(own, &head, &event)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the events of a trail that accept a loss of `about`, each with what it accepts.
    fn acceptances(
        &self,
        trail: TrailId,
        about: TrailId,
        first: i64,
        last: i64,
    ) -> Result<Vec<(Event, LossAcceptance)>, StoreError> {
        let events =
            self.store.query(|db| db.trails().of_action(trail, Action::AuditTrailLossAccepted, first..=last))?;
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let (origin, keys) = self.keys(about)?;
        let parsed = events.into_iter().filter_map(|event| {
            let acceptance = LossAcceptance::of_event(&event, &origin, &keys)?;
            (event.target_id == about.to_string()).then_some((event, acceptance))
        });
        Ok(parsed.collect())
    }

    /// Returns whether the head is signed and its tree, built from all stored leaves, contains the event: a client
    /// that can write to the database can insert a row, but cannot sign.
    fn is_signed(&self, trail: TrailId, head: &TrailHead, event: &Event) -> Result<bool, StoreError> {
        let Some(signed) = self.read(trail, head, Vec::new())? else { return Ok(false) };
        let leaf = self.store.query(|db| db.trails().leaf_hashes(trail, event.sequence..=event.sequence))?;
        let is_leaf = leaf.first().is_some_and(|(_, hash)| hash[..] == leaf_hash(&event.canonical_bytes()));
        let tree = self.grow(trail, Frontier::default(), signed.size())?;
        Ok(is_leaf && RememberedTree::Frontier(tree) == signed.tree)
    }

    /// Grows a tree by the stored leaves of a trail, up to `size` of them if there are as many.
    fn grow(&self, trail: TrailId, mut tree: Frontier, size: u64) -> Result<Frontier, StoreError> {
        while tree.size() < size {
            let (first, last) = (tree.size() + 1, size.min(tree.size() + BATCH_SIZE));
            let leaves = self.store.query(|db| db.trails().leaf_hashes(trail, sequence(first)..=sequence(last)))?;
            if leaves.len() as u64 != last + 1 - first {
                break;
            }
            tree = grown(&tree, leaves.into_iter().map(|(_, hash)| Hash::try_from(hash).unwrap_or_default()));
        }
        Ok(tree)
    }

    /// Returns the trail of a head if the key that signs the trail now has signed it.
    fn read(
        &self,
        trail: TrailId,
        head: &TrailHead,
        accepted: Vec<LossAcceptance>,
    ) -> Result<Option<RememberedTrail>, StoreError> {
        let (origin, keys) = self.keys(trail)?;
        Ok(RememberedTrail::of_head(head, &origin, keys.active(), accepted))
    }

    /// Returns the origin of a trail, and the keys that signed it.
    fn keys(&self, trail: TrailId) -> Result<(String, KeyChain), StoreError> {
        let origin = checkpoint::origin(self.installation, trail);
        let notes = self.store.query(|db| db.trails().key_changes(trail))?;
        let keys = KeyChain::read_or_key((self.key)(), &notes, &origin);
        Ok((origin, keys))
    }

    fn report(&self, trail: TrailId, shortfall: Shortfall) {
        if self.memory.mark(trail, shortfall) {
            tracing::error!(
                %trail,
                %shortfall,
                "the database went back: keys of this company are not verified; show the missing events, or run keydesk restore --accept-loss"
            );
        }
    }
}

fn acceptances(events: Vec<(Event, LossAcceptance)>) -> Vec<LossAcceptance> {
    events.into_iter().map(|(_, acceptance)| acceptance).collect()
}

fn sequence(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
