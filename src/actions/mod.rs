//! Every change of company data: the rule checked, the rows and the event written in one transaction. Knows no HTTP.

mod account;
mod companies;
mod departure;
mod export;
mod gateways;
mod installation;
mod key_life;
mod keys;
mod passwords;
mod rotation;
mod second_factor;
mod sign_in;
mod throttle;
mod usage;
mod users;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

pub use account::OwnPasswordError;
pub use companies::{CompanyNameError, SetUp, SetUpError, SetUpRefused};
pub use departure::{DeleteUserError, KeysLeftBehind};
pub use gateways::GatewayError;
pub use installation::{OpenError, open_installation};
pub use key_life::EditKeyError;
pub use keys::{CreateKeyError, CreatedKey, KeyWish, RevokeKeyError, RevokeKeysError};
pub use passwords::{PasswordHash, PasswordHasher};
pub use rotation::{OverlapError, RotateKeyError, Rotated, RotationWish};
pub use second_factor::ConfirmSecondFactorError;
pub use sign_in::{Admission, SignIn, SignInError, SignedInUser};
pub use throttle::Attempter;
pub use usage::UsageNotes;
pub use users::{AcceptInvitationError, AddUserError, ChangeUserError, Invited, NewUser};

use crate::clock::Clock;
use crate::domain::checkpoint;
use crate::domain::event::{Event, Happening, Origin};
use crate::domain::ids::{EventId, InstallationId, KeyId, TrailId};
use crate::domain::instant::Instant;
use crate::domain::key::KeyFormat;
use crate::domain::merkle::{Frontier, leaf_hash};
use crate::domain::trail_check::TrailHead;
use crate::domain::usage::hour_of;
use crate::random;
use crate::secrets::Secrets;
use crate::store::{Store, StoreError, Transaction};

/// What can be done here, and what it takes.
#[derive(Clone, Debug)]
pub struct Actions {
    /// Where it is done.
    pub store: Store,
    /// When it is done.
    pub clock: Clock,
    /// What only this installation knows.
    pub secrets: Arc<Secrets>,
    /// The installation.
    pub installation: InstallationId,
    /// What a key looks like.
    pub key_format: KeyFormat,
    /// What the platform is called; a password must not be made of it.
    pub platform_name: String,
    /// How passwords are hashed.
    pub passwords: Arc<PasswordHasher>,
    /// What is known of the use of keys beside the database.
    pub usage: UsageNotes,
}

impl Actions {
    /// Makes a change in the name of `origin`, alone in that trail from its first question to its commit.
    fn change<T, E: From<StoreError>>(
        &self,
        trail: TrailId,
        origin: &Origin,
        work: impl FnOnce(&mut Change<'_, '_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut revoked = Vec::new();
        let done = self.store.write(|transaction| {
            let head = transaction.lock_trail(trail)?;
            self.change_from(transaction, trail, &head, origin, |change| {
                let done = work(change);
                revoked.append(&mut change.revoked);
                done
            })
        })?;
        if !revoked.is_empty() {
            self.usage.acknowledged(revoked, self.clock.now());
        }
        Ok(done)
    }

    /// The same on a trail that this transaction holds already.
    fn change_from<T, E: From<StoreError>>(
        &self,
        transaction: &mut Transaction<'_>,
        trail: TrailId,
        head: &TrailHead,
        origin: &Origin,
        work: impl FnOnce(&mut Change<'_, '_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let tree = u64::try_from(head.size).ok().and_then(|size| Frontier::from_bytes(size, &head.frontier));
        let tree = tree.ok_or_else(|| StoreError::Unexpected(format!("the head of the trail {trail} is damaged")))?;
        // Whatever calls itself by a key must not bring it into the trail.
        let user_agent = origin.user_agent.clone().filter(|name| !self.key_format.occurs_in(name));
        let origin = Origin { user_agent, ..origin.clone() };
        let mut change = Change { transaction, trail, origin, tree, now: self.clock.now(), revoked: Vec::new() };
        let done = work(&mut change)?;
        let (tree, now) = (change.tree, change.now);
        transaction.note_hour(trail, hour_of(now), head.size, i64::try_from(tree.size()).unwrap_or(i64::MAX))?;
        transaction.update_trail(trail, &signed_head(&self.secrets, self.installation, trail, &tree))?;
        Ok(done)
    }
}

/// The head of a trail whose tree is `tree`, with a new checkpoint.
fn signed_head(secrets: &Secrets, installation: InstallationId, trail: TrailId, tree: &Frontier) -> TrailHead {
    let origin = checkpoint::origin(installation, trail);
    TrailHead {
        size: i64::try_from(tree.size()).unwrap_or(i64::MAX),
        frontier: tree.to_bytes(),
        checkpoint: secrets.signer.sign(&origin, tree.size(), &tree.root()),
    }
}

/// A change under way: a transaction that can also append to its trail.
struct Change<'t, 'connection> {
    transaction: &'t mut Transaction<'connection>,
    trail: TrailId,
    origin: Origin,
    tree: Frontier,
    now: Instant,
    /// The keys that are revoked in it.
    revoked: Vec<KeyId>,
}

impl<'connection> Deref for Change<'_, 'connection> {
    type Target = Transaction<'connection>;

    fn deref(&self) -> &Self::Target {
        self.transaction
    }
}

impl DerefMut for Change<'_, '_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.transaction
    }
}

impl Change<'_, '_> {
    /// Appends an event to the trail.
    fn record(&mut self, happening: Happening) -> Result<EventId, StoreError> {
        let id = EventId::new(self.now, &random::bytes());
        let event = Event {
            trail_id: self.trail.to_string(),
            sequence: i64::try_from(self.tree.size()).unwrap_or(i64::MAX).saturating_add(1),
            id: id.to_string(),
            at: self.now.as_micros(),
            action: happening.action.as_str().to_owned(),
            actor_type: self.origin.actor.kind().to_owned(),
            actor_id: self.origin.actor.user().map(|user| user.to_string()),
            key_id: happening.target.key().map(|key| key.to_string()),
            target_type: happening.target.kind().to_owned(),
            target_id: happening.target.to_string(),
            before: happening.before.map(|value| value.to_string()),
            after: happening.after.map(|value| value.to_string()),
            reason: happening.reason.map(|reason| reason.as_str().to_owned()),
            comment: happening.comment.map(|comment| comment.as_str().to_owned()),
            client_address: self.origin.client_address.clone(),
            user_agent: self.origin.user_agent.clone(),
            request_id: self.origin.request_id.clone(),
        };
        let leaf = leaf_hash(&event.canonical_bytes());
        self.transaction.insert_event(event, &leaf)?;
        self.tree.push(leaf);
        Ok(id)
    }
}
