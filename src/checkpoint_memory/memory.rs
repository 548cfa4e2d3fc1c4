//! The remembered checkpoints of a running process, and the trails that fall short of them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::MemoryError;
use super::file::{self, StoredMemory, StoredTrail};
use crate::domain::ids::{InstallationId, TrailId};
use crate::domain::trail::checkpoint::{self, CheckpointKey};
use crate::domain::trail::remembered::RememberedTrail;
use crate::domain::trail::shortfall::Shortfall;
use crate::secrets::Secrets;

/// Not the name of a witness file, which an operator may put beside it.
const FILE_NAME: &str = "remembered-checkpoints";

/// The remembered trails at one moment.
pub type RememberedTrails = HashMap<TrailId, Arc<RememberedTrail>>;

/// The memory of a process. Clones share it.
#[derive(Clone)]
pub struct CheckpointMemory(Arc<Inner>);

struct Inner {
    path: PathBuf,
    installation: InstallationId,
    secrets: Arc<Secrets>,
    /// Whether any trail falls short, or may: verification asks before anything else.
    is_in_doubt: AtomicBool,
    state: Mutex<State>,
    /// Held while the file is written.
    write: Mutex<()>,
    /// Held while the trails are compared.
    comparison: Mutex<()>,
}

#[derive(Default)]
struct State {
    trails: RememberedTrails,
    shortfalls: BTreeMap<TrailId, Shortfall>,
    /// The last checkpoint of each trail that each webhook accepted, as a note.
    webhooks: HashMap<String, HashMap<TrailId, String>>,
    /// The connection to the database was lost, and the trails were not compared since: it may have been put back.
    is_unconfirmed: bool,
    is_changed: bool,
}

/// Returns what trails lack, as a clause that names the first one; `None` if they lack nothing.
#[must_use]
pub fn summary_of(shortfalls: &[(TrailId, Shortfall)]) -> Option<String> {
    let (trail, shortfall) = shortfalls.first()?;
    let others = match shortfalls.len() {
        1 => String::new(),
        2 => ", and 1 other trail is affected".to_owned(),
        all => format!(", and {} other trails are affected", all - 1),
    };
    Some(format!("{shortfall} in the audit trail {trail}{others}"))
}

impl fmt::Debug for CheckpointMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckpointMemory").field("path", &self.0.path).finish_non_exhaustive()
    }
}

impl CheckpointMemory {
    /// The file of the memory in a data folder.
    #[must_use]
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join(FILE_NAME)
    }

    /// Checks that the memory in the data folder, if any, belongs to the installation in the database; `None` if the
    /// database holds none yet. If a new database is wanted, the memory of another one is moved away. One of the keys
    /// must have signed it.
    ///
    /// # Errors
    /// [`MemoryError`]: the file is damaged, or belongs to another installation.
    pub fn check_owner(
        data_dir: &Path,
        keys: &[CheckpointKey],
        installation: Option<InstallationId>,
        is_new: bool,
    ) -> Result<(), MemoryError> {
        let path = Self::path(data_dir);
        let Some((stored, _)) = file::read(&path, keys)? else { return Ok(()) };
        if installation == Some(stored.installation) {
            return Ok(());
        }
        let shown = path.display();
        if is_new {
            let aside = file::set_aside(&path, stored.installation);
            let aside = aside.map_err(|error| MemoryError(format!("{shown} cannot be moved away: {error}.")))?;
            tracing::warn!(path = %aside.display(), "remembered checkpoints of the former database moved away");
            return Ok(());
        }
        Err(MemoryError(format!(
            "The remembered checkpoints {shown} belong to another installation than the database. Restore the database that belongs to them, or name another folder with --data-dir. To begin anew, add --new-database."
        )))
    }

    /// Opens the memory in the data folder, see [`check_owner`](Self::check_owner). It is empty if there is no file. If a
    /// former key has signed the file, the next write signs it again.
    ///
    /// # Errors
    /// [`MemoryError`]: the file cannot be read, or is damaged.
    pub fn open(
        data_dir: &Path,
        installation: InstallationId,
        secrets: Arc<Secrets>,
        keys: &[CheckpointKey],
    ) -> Result<Self, MemoryError> {
        let path = Self::path(data_dir);
        file::remove_leftovers(&path);
        let mut state = State::default();
        if let Some((stored, key)) = file::read(&path, keys)? {
            state.is_changed = key != secrets.signer().public_key();
            let damaged = || MemoryError(format!("The remembered checkpoints {} are damaged.", path.display()));
            for (trail, stored) in stored.trails {
                let trail = TrailId::parse(&trail).ok_or_else(damaged)?;
                let origin = checkpoint::origin(installation, trail);
                let remembered = stored.parse(&origin, keys).ok_or_else(damaged)?;
                state.trails.insert(trail, Arc::new(remembered));
            }
            for (webhook, notes) in stored.webhooks {
                let notes = notes.into_iter().filter_map(|(trail, note)| Some((TrailId::parse(&trail)?, note)));
                state.webhooks.insert(webhook, notes.collect());
            }
        }
        let (is_in_doubt, state, write) = (AtomicBool::new(false), Mutex::new(state), Mutex::new(()));
        Ok(Self(Arc::new(Inner {
            path,
            installation,
            secrets,
            is_in_doubt,
            state,
            write,
            comparison: Mutex::default(),
        })))
    }

    /// Waits for another comparison of the trails, and keeps others from starting: one that read the heads earlier must
    /// not overrule a later one.
    pub fn lock_comparison(&self) -> MutexGuard<'_, ()> {
        self.0.comparison.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what is remembered. Read it before the heads that are compared with it: what is remembered was committed.
    #[must_use]
    pub fn trails(&self) -> RememberedTrails {
        self.state().trails.clone()
    }

    #[must_use]
    pub fn trail(&self, trail: TrailId) -> Option<Arc<RememberedTrail>> {
        self.state().trails.get(&trail).cloned()
    }

    /// Remembers a trail whose events continue those of `before`, unless another state is remembered by now. The trail
    /// must be committed.
    pub fn advance(&self, trail: TrailId, before: Option<&RememberedTrail>, after: RememberedTrail) {
        let mut state = self.state();
        if state.trails.get(&trail).map(|known| known.note.as_str()) == before.map(|before| before.note.as_str()) {
            state.trails.insert(trail, Arc::new(after));
            state.is_changed = true;
            self.clear_shortfall(&mut state, trail);
        }
    }

    /// Remembers a checkpoint that was kept elsewhere, unless a later one is remembered.
    pub fn remember_kept(&self, trail: TrailId, kept: RememberedTrail) {
        let mut state = self.state();
        if state.trails.get(&trail).is_none_or(|known| known.size() < kept.size()) {
            state.trails.insert(trail, Arc::new(kept));
            state.is_changed = true;
        }
    }

    /// Forgets a trail whose loss was accepted.
    pub fn forget(&self, trail: TrailId) {
        let mut state = self.state();
        state.trails.remove(&trail);
        state.is_changed = true;
        self.clear_shortfall(&mut state, trail);
    }

    /// Marks a trail as whole again.
    pub fn confirm(&self, trail: TrailId) {
        if self.is_in_doubt() {
            self.clear_shortfall(&mut self.state(), trail);
        }
    }

    /// Marks a trail as one that falls short. Returns whether that is new.
    pub fn mark(&self, trail: TrailId, shortfall: Shortfall) -> bool {
        let mut state = self.state();
        let before = state.shortfalls.insert(trail, shortfall);
        self.update_doubt(&state);
        before != Some(shortfall)
    }

    fn clear_shortfall(&self, state: &mut State, trail: TrailId) {
        if state.shortfalls.remove(&trail).is_some() {
            tracing::info!(%trail, "audit trail is what is remembered of it");
        }
        self.update_doubt(state);
    }

    /// Stores whether the trails are yet to be compared with a database that was out of reach.
    pub fn set_unconfirmed(&self, is_unconfirmed: bool) {
        let mut state = self.state();
        state.is_unconfirmed = is_unconfirmed;
        self.update_doubt(&state);
    }

    fn update_doubt(&self, state: &State) {
        self.0.is_in_doubt.store(state.is_unconfirmed || !state.shortfalls.is_empty(), Ordering::Release);
    }

    /// Whether any trail falls short, or may. One atomic load.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.0.is_in_doubt.load(Ordering::Acquire)
    }

    /// Whether the trails are yet to be compared with a database that was out of reach.
    #[must_use]
    pub fn is_unconfirmed(&self) -> bool {
        self.is_in_doubt() && self.state().is_unconfirmed
    }

    /// Returns what a trail lacks.
    #[must_use]
    pub fn shortfall(&self, trail: TrailId) -> Option<Shortfall> {
        if self.is_in_doubt() { self.state().shortfalls.get(&trail).copied() } else { None }
    }

    /// Returns all trails that fall short.
    #[must_use]
    pub fn shortfalls(&self) -> Vec<(TrailId, Shortfall)> {
        if !self.is_in_doubt() {
            return Vec::new();
        }
        self.state().shortfalls.iter().map(|(trail, shortfall)| (*trail, *shortfall)).collect()
    }

    /// Returns what the trails lack, as a clause that names the first one; `None` if they lack nothing. While they do, an
    /// unknown key may be a valid one that was created in lost events.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        summary_of(&self.shortfalls())
    }

    /// Returns the last checkpoint of a trail that a webhook accepted, as a note.
    #[must_use]
    pub fn webhook_note(&self, webhook: &str, trail: TrailId) -> Option<String> {
        self.state().webhooks.get(webhook)?.get(&trail).cloned()
    }

    /// Remembers that a webhook accepted a checkpoint.
    pub fn set_webhook_note(&self, webhook: &str, trail: TrailId, note: &str) {
        let mut state = self.state();
        state.webhooks.entry(webhook.to_owned()).or_default().insert(trail, note.to_owned());
        state.is_changed = true;
    }

    /// Writes the file, if something changed since it was last written.
    ///
    /// # Errors
    /// The error of the file; the next call tries again.
    pub fn save(&self) -> std::io::Result<()> {
        let _write = self.0.write.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = {
            let mut state = self.state();
            if !std::mem::take(&mut state.is_changed) {
                return Ok(());
            }
            self.stored(&state)
        };
        file::write(&self.0.path, &stored, &self.0.secrets.signer()).inspect_err(|_| self.state().is_changed = true)
    }

    fn stored(&self, state: &State) -> StoredMemory {
        let notes = |notes: &HashMap<TrailId, String>| {
            notes.iter().map(|(trail, note)| (trail.to_string(), note.clone())).collect::<BTreeMap<_, _>>()
        };
        StoredMemory {
            installation: self.0.installation,
            trails: state.trails.iter().map(|(id, trail)| (id.to_string(), StoredTrail::from(&**trail))).collect(),
            webhooks: state.webhooks.iter().map(|(webhook, known)| (webhook.clone(), notes(known))).collect(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
