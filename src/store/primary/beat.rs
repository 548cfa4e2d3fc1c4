//! The two connections that watch the primary: one asks which server it is, the other commits beats.

use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use std::sync::Arc;

use super::identity::describe;
use super::watch::{Primary, PrimaryWatch, superseded};
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::error::StoreError;
use crate::store::pool::Store;
use crate::store::serving_lock;

/// A message in the write-ahead log that no table stores. Its transaction is committed as any other, so a synchronous
/// standby must confirm it.
const BEAT: &str = "SELECT pg_logical_emit_message(true, 'keydesk', '')";

/// Asks which server the database is.
pub struct ObservingConnection {
    connection: PgConnection,
    watch: PrimaryWatch,
    primary: Arc<Primary>,
}

/// Commits beats on one primary.
pub struct BeatConnection {
    connection: PgConnection,
    primary: Arc<Primary>,
}

impl Store {
    /// The primary that is in use; `None` on SQLite.
    #[must_use]
    pub fn primary_watch(&self) -> Option<&PrimaryWatch> {
        self.is_remote().then_some(self.connector().primaries())
    }

    /// Opens a connection that observes the primary. Fails on SQLite.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], see [`Store::connect`].
    pub fn observe_primary(&self) -> Result<ObservingConnection, StoreError> {
        let (connection, primary) = self.connector().open(ConnectionPurpose::Read)?;
        let watch = self.connector().primaries().clone();
        Ok(ObservingConnection { connection: postgres(connection)?, watch, primary })
    }

    /// Tries other servers first from now on, as the one that was the primary hangs.
    pub fn distrust_primary(&self) {
        self.connector().distrust_first_server();
    }

    /// Opens a connection that commits beats, and shows to others that a server runs on the database. Fails on SQLite.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], see [`Store::connect`].
    pub fn open_beats(&self) -> Result<BeatConnection, StoreError> {
        let (connection, primary) = self.connector().open(ConnectionPurpose::Write)?;
        let mut connection = postgres(connection)?;
        if !serving_lock::share(&mut connection)? {
            tracing::warn!("the database is being copied; what is changed from now on is not in the copy");
        }
        Ok(BeatConnection { connection, primary })
    }
}

impl ObservingConnection {
    /// Asks the server again.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if another connection is needed.
    pub fn observe(&mut self) -> Result<(), StoreError> {
        let primary = self.watch.admit_server(&describe(&mut self.connection)?)?;
        if Arc::ptr_eq(&primary, &self.primary) { Ok(()) } else { Err(superseded()) }
    }
}

impl BeatConnection {
    /// Commits a beat and extends the lease. May wait for a standby without a bound.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if another connection is needed.
    pub fn beat(&mut self) -> Result<(), StoreError> {
        if self.primary.is_superseded() {
            return Err(superseded());
        }
        let server = describe(&mut self.connection)?;
        let sent = self.primary.elapsed();
        if server.has_synchronous_standby {
            self.primary.lease().limit(sent);
        }
        self.connection.batch_execute(BEAT)?;
        let committed = self.primary.elapsed();
        if server.has_synchronous_standby {
            self.primary.lease().extend(sent, committed);
        } else {
            self.primary.lease().waive(committed);
        }
        Ok(())
    }

    /// The primary that the connection leads to, see [`PrimaryWatch::generation`].
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.primary.generation()
    }
}

fn postgres(connection: AnyConnection) -> Result<PgConnection, StoreError> {
    match connection {
        AnyConnection::Postgres(connection) => Ok(connection),
        AnyConnection::Sqlite(_) => Err(StoreError::unexpected("SQLite has no primary to observe")),
    }
}
