//! What a server needs to be ready, and what it warns of: one function for each condition, in sentences. `/readyz` and
//! `keydesk doctor` say the same.

use crate::clock::Clock;
use crate::store::{LeaseState, Store};

/// Returns the state of the lease on the primary; `None` on SQLite.
fn lease_state(store: &Store) -> Option<LeaseState> {
    store.primary_watch()?.lease_state()
}

/// The server lost its lease on the primary.
#[must_use]
pub fn lost_lease(store: &Store) -> Option<String> {
    let is_lost = lease_state(store) == Some(LeaseState::Lost);
    is_lost.then(|| "The primary of the database commits nothing, so another server may be the primary.".to_owned())
}

/// There is no lease, because commits wait for no standby.
#[must_use]
pub fn missing_lease(store: &Store) -> Option<String> {
    let is_missing = lease_state(store) == Some(LeaseState::Missing);
    is_missing.then(|| {
        "PostgreSQL has no synchronous standby, so after a fail-over a former primary can accept revoked keys."
            .to_owned()
    })
}

/// Trails lack events. `summary` says which.
#[must_use]
pub fn shortened_trails(summary: Option<String>) -> Option<String> {
    summary.map(|lacking| format!("The database was put back to an older state: {lacking}."))
}

/// Other servers use a set of secrets that this one lacks.
#[must_use]
pub fn lacking_secrets(lacking: Option<&str>) -> Option<String> {
    lacking.map(|id| {
        format!(
            "The secrets file lacks the set {id}, which is active. Replace it by the file of the server where the secrets were rotated."
        )
    })
}

/// Changes cannot be saved, as the last attempt showed.
#[must_use]
pub fn write_trouble(store: &Store) -> Option<String> {
    store.write_health().trouble().map(|trouble| trouble.to_string())
}

/// The system's clock is far from the database's.
#[must_use]
pub fn clock_warning(clock: &Clock) -> Option<String> {
    let seconds = clock.excessive_offset_seconds()?;
    let direction = if seconds > 0.0 { "ahead of" } else { "behind" };
    let seconds = seconds.abs();
    Some(format!(
        "The system's clock is {seconds:.0} s {direction} the database's, which is used instead. Synchronise it."
    ))
}
