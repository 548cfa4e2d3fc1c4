//! The first start: the installation gets its id and its own trail; every later start is held against it.

use crate::domain::ids::InstallationId;
use crate::domain::instant::Instant;
use crate::domain::merkle::Frontier;
use crate::random;
use crate::secrets::Secrets;
use crate::store::{Installation, Store, StoreError};

/// Why a database cannot be opened with these secrets. Displays as a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The secrets belong to another database.
    #[error(
        "The secrets file belongs to another database. Name the one that was made with this database by --secrets-file."
    )]
    OtherSecrets,
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens the installation, and begins it where this is the first start.
///
/// # Errors
/// [`OpenError`].
pub fn open_installation(store: &Store, secrets: &Secrets, now: Instant) -> Result<InstallationId, OpenError> {
    let find = || store.ask(|questions| questions.installation());
    let installation = match find()? {
        Some(installation) => installation,
        None => match begin(store, secrets, now) {
            // Another server began it at this very moment; the table takes one row.
            Err(StoreError::Exists) => find()?.ok_or(StoreError::Exists)?,
            begun => begun?,
        },
    };
    let fits = installation.checkpoint_key == secrets.signer.public_key().to_bytes()
        && installation.pepper_id == secrets.pepper.id();
    if fits { Ok(installation.id) } else { Err(OpenError::OtherSecrets) }
}

fn begin(store: &Store, secrets: &Secrets, now: Instant) -> Result<Installation, StoreError> {
    store.write(|transaction| {
        let id = InstallationId::new(now, &random::bytes());
        let begun = Installation {
            id,
            checkpoint_key: secrets.signer.public_key().to_bytes().to_vec(),
            pepper_id: secrets.pepper.id().to_owned(),
        };
        transaction.insert_trail(id.into(), &super::signed_head(secrets, id, id.into(), &Frontier::default()))?;
        transaction.insert_installation(&begun, now)?;
        Ok(begun)
    })
}
