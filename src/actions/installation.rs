//! Opens the installation: the first start creates its id and trail, later starts check the secrets against it.

use super::trail_head::signed_head;
use crate::domain::ids::InstallationId;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::merkle::Frontier;
use crate::random;
use crate::secrets::Secrets;
use crate::store::{Installation, Store, StoreError};

/// Why the installation was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "The secrets file belongs to another database. Use --secrets-file to name the file created with this database."
    )]
    OtherSecrets,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens the installation, creating it on the first start.
pub fn open_installation(store: &Store, secrets: &Secrets, now: Timestamp) -> Result<InstallationId, OpenError> {
    let find = || store.query(|db| db.installation().get());
    let installation = match find()? {
        Some(installation) => installation,
        None => match create(store, secrets, now) {
            // Another server created it at the same moment. The table has at most one row.
            Err(StoreError::Exists) => find()?.ok_or(StoreError::Exists)?,
            created => created?,
        },
    };
    check_secrets(&installation, secrets)?;
    Ok(installation.id)
}

/// Checks that the secrets belong to the installation.
pub fn check_secrets(installation: &Installation, secrets: &Secrets) -> Result<(), OpenError> {
    let matches = installation.checkpoint_key == secrets.signer.public_key().to_bytes()
        && installation.pepper_id == secrets.pepper.id();
    if matches { Ok(()) } else { Err(OpenError::OtherSecrets) }
}

fn create(store: &Store, secrets: &Secrets, now: Timestamp) -> Result<Installation, StoreError> {
    store.write(|tx| {
        let id = InstallationId::new(now, &random::bytes());
        let installation = Installation {
            id,
            checkpoint_key: secrets.signer.public_key().to_bytes().to_vec(),
            pepper_id: secrets.pepper.id().to_owned(),
        };
        tx.trails().insert(id.into(), &signed_head(secrets, id, id.into(), &Frontier::default()))?;
        tx.installation().insert(&installation, now)?;
        Ok(installation)
    })
}
