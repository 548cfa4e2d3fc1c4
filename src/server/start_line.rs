//! The line of the log that says what was started.

use std::net::SocketAddr;

use ipnet::IpNet;

use crate::build_info;
use crate::store::{LeaseState, PrimaryWatch, Store};

/// Logs what was started. `lease` is left out on SQLite.
pub(super) fn log(store: &Store, address: SocketAddr, trusted_proxies: &[IpNet]) {
    let (version, commit) = (build_info::VERSION, build_info::COMMIT);
    let database = if store.is_remote() { "postgres" } else { "sqlite" };
    let lease = store.primary_watch().and_then(PrimaryWatch::lease_state).map(|state| match state {
        LeaseState::Missing => "missing",
        LeaseState::Held => "held",
        LeaseState::Lost => "lost",
    });
    let trusted_proxies = trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    tracing::info!(version, commit, database, %address, trusted_proxies, lease, "server started");
}
