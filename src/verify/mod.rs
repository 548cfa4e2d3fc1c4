//! "Is this key good, asked now": every answer rests on a read that began after the question arrived. Writes nothing.

use crate::clock::Clock;
use crate::domain::api_key::KeyState;
use crate::domain::key::KeyFormat;
use crate::secrets::Secrets;
use crate::store::{Store, StoreError, VerifiableKey};

use std::sync::Arc;

/// Answers whether presented keys are good.
#[derive(Clone, Debug)]
pub struct Verifier {
    /// Where keys are looked up.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// What keys are digested under.
    pub secrets: Arc<Secrets>,
    /// What a key looks like.
    pub key_format: KeyFormat,
}

impl Verifier {
    /// The key, where it is good now; `None` for every other text, whatever is wrong with it. What cannot be a key is
    /// refused without asking the database.
    ///
    /// # Errors
    /// [`StoreError`]: the truth is not known.
    pub async fn verify(&self, presented: &str) -> Result<Option<VerifiableKey>, StoreError> {
        let Ok(key) = self.key_format.parse(presented) else { return Ok(None) };
        let digest = key.digest(&self.secrets.pepper);
        let store = self.store.clone();
        let found = tokio::task::spawn_blocking(move || store.ask(|questions| questions.key_by_digest(&digest)));
        let found = found.await.map_err(|error| StoreError::Unavailable(error.to_string()))??;
        let now = self.clock.now();
        Ok(found.filter(|key| KeyState::at(now, key.expires_at, key.revoked_at) == KeyState::Active))
    }
}
