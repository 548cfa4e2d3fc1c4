//! Keeps the secrets of a running server up to date: with the file, with the database, and with other servers.

use std::time::Duration;

use super::installation::{OpenError, compare};
use super::service::Actions;
use crate::domain::timestamp::Timestamp;
use crate::secrets::SecretsError;
use crate::store::{AnnouncedServer, Db, StoreError};

/// A server that announced nothing for this time does not run.
const SERVER_TIMEOUT: Duration = Duration::from_secs(10);
/// Rows of servers are deleted after this time.
const FORGET_AFTER: Duration = Duration::from_mins(10);

/// Why a changed secrets file is not used.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error(transparent)]
    File(#[from] SecretsError),
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl Actions {
    /// Reads the secrets file again if it has changed. Returns whether other sets are used now.
    ///
    /// # Errors
    /// [`ReloadError`]: the file cannot be used. The secrets stay as they are.
    pub fn reload_secrets(&self) -> Result<bool, ReloadError> {
        if !self.secrets.has_changed() {
            return Ok(false);
        }
        // While the database cannot be read, the file counts as not looked at.
        let (stored, records) = self
            .store
            .read(|db| Ok::<_, StoreError>((db.installation().secret_checks()?, db.secret_sets().records()?)))
            .map_err(OpenError::from)?;
        self.secrets.reload(self.clock.now(), |sets| {
            Ok(compare(self.installation, sets, &stored, &records, self.secrets.path())?)
        })
    }

    /// Learns from the database which set is active and which are retired. Returns whether a set of the file is pending.
    pub fn refresh_secrets(&self) -> Result<bool, StoreError> {
        let records = self.store.query(|db| db.secret_sets().records())?;
        let pending: Vec<String> = records.pending().map(|record| record.id.clone()).collect();
        self.secrets.apply(records, self.clock.now());
        let keyring = self.secrets.keyring();
        Ok(pending.iter().any(|id| keyring.set(id).is_some()))
    }

    /// Tells other servers that this one runs, and which sets it has. Needed on PostgreSQL only: SQLite has one server.
    pub fn announce_server(&self, server: &str) -> Result<(), StoreError> {
        if !self.store.is_remote() {
            return Ok(());
        }
        let set_ids = self.secrets.file_sets().iter().map(|set| set.id().to_owned()).collect();
        let announced = AnnouncedServer { id: server.to_owned(), set_ids };
        self.store.write(|tx| {
            // An activation sees the announcement, or this server sees the activation.
            tx.trails().lock(self.installation.into())?;
            let now = tx.clock()?.unwrap_or_else(|| self.clock.now());
            tx.secret_sets().announce(&announced, now, now - FORGET_AFTER)
        })
    }

    /// Tells other servers that this one stops.
    pub fn withdraw_server(&self, server: &str) -> Result<(), StoreError> {
        if !self.store.is_remote() {
            return Ok(());
        }
        self.store.write(|tx| tx.secret_sets().withdraw(server))
    }

    /// Activates a pending set of the file that every running server has. Takes the lock of the installation's trail.
    pub fn activate_pending_secrets(&self) -> Result<(), StoreError> {
        let keyring = self.secrets.keyring();
        self.activate_secrets(|tx, id| {
            if keyring.set(id).is_none() {
                return Ok(false);
            }
            let servers = running_servers(tx, self.clock.now())?;
            Ok(servers.iter().all(|server| server.set_ids.iter().any(|set| set == id)))
        })?;
        self.refresh_secrets().map(drop)
    }
}

/// Returns the servers that run. `now` is the time on SQLite, which has no clock of its own.
pub fn running_servers<A>(db: &mut Db<'_, A>, now: Timestamp) -> Result<Vec<AnnouncedServer>, StoreError> {
    let now = db.clock()?.unwrap_or(now);
    db.secret_sets().servers(now - SERVER_TIMEOUT)
}
