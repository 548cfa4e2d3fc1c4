//! "Is this key good, asked now": every answer rests on a read that began after the question arrived. Writes nothing.

use crate::clock::Clock;
use crate::domain::api_key::KeyState;
use crate::domain::key::KeyFormat;
use crate::secrets::Secrets;
use crate::store::{OwnReader, Store, StoreError, VerifiableKey};

use std::sync::Arc;

/// Answers whether presented keys are good; one for each thread that serves.
pub struct Verifier {
    store: Store,
    /// On SQLite a look-up takes less time than handing it to another thread.
    own_reader: Option<OwnReader>,
    clock: Clock,
    secrets: Arc<Secrets>,
    key_format: KeyFormat,
}

impl Verifier {
    /// A verifier for the thread that makes it.
    #[must_use]
    pub fn new(store: &Store, clock: &Clock, secrets: &Arc<Secrets>, key_format: &KeyFormat) -> Self {
        Self {
            store: store.clone(),
            own_reader: store.own_reader(),
            clock: clock.clone(),
            secrets: Arc::clone(secrets),
            key_format: key_format.clone(),
        }
    }

    /// The key, where it is good now; `None` for every other text, whatever is wrong with it. What cannot be a key is
    /// refused without asking the database.
    ///
    /// # Errors
    /// [`StoreError`]: the truth is not known.
    pub async fn verify(&self, presented: &str) -> Result<Option<VerifiableKey>, StoreError> {
        let Ok(key) = self.key_format.parse(presented) else { return Ok(None) };
        let digest = key.digest(&self.secrets.pepper);
        let found = if let Some(own_reader) = &self.own_reader {
            own_reader.ask(|questions| questions.key_by_digest(&digest))?
        } else {
            let store = self.store.clone();
            let asked = tokio::task::spawn_blocking(move || store.ask(|questions| questions.key_by_digest(&digest)));
            asked.await.map_err(|error| StoreError::Unavailable(error.to_string()))??
        };
        let now = self.clock.now();
        Ok(found.filter(|key| key.ends.state(now) == KeyState::Active))
    }
}
