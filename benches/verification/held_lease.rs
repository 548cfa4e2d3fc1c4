//! A lease of the server on its primary, for as long as a load runs: `tests/with_postgres --standby` runs the standby.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use diesel::connection::SimpleConnection;

use crate::common::installation::{DirectConnection, Installation};
use crate::common::server_process::{Request, ServerProcess};

const MAX_WAIT: Duration = Duration::from_secs(20);

/// The server holds a lease until it is released.
pub struct HeldLease {
    installation: Installation,
}

impl HeldLease {
    /// Makes commits wait for the standby, and waits until the server holds its lease.
    pub fn take(installation: &Installation, server: &ServerProcess) -> Result<Self> {
        let lease = Self { installation: installation.clone() };
        lease.set("SET synchronous_standby_names = standby")?;
        let started = Instant::now();
        let request = Request { path: "/metrics", header: "Accept: text/plain" };
        while !server.send(request)?.1.contains("\nkeydesk_primary_lease 1\n") {
            ensure!(started.elapsed() < MAX_WAIT, "the server holds no lease: run this with make bench-lease");
            thread::sleep(Duration::from_millis(50));
        }
        Ok(lease)
    }

    /// Ends the lease with the next beat of the server. Returns 1: it was held once.
    pub fn release(self) -> Result<f64> {
        self.set("RESET synchronous_standby_names")?;
        Ok(1.0)
    }

    fn set(&self, setting: &str) -> Result<()> {
        let DirectConnection::Postgres(mut connection) = self.installation.connect()? else {
            anyhow::bail!("a lease needs PostgreSQL: --only postgres");
        };
        connection.batch_execute(&format!("ALTER SYSTEM {setting}"))?;
        Ok(connection.batch_execute("SELECT pg_reload_conf()")?)
    }
}
