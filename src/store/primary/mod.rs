//! Ties the connections of a PostgreSQL database to one primary, and its answers to a lease.

mod beat;
mod identity;
mod watch;

pub use beat::{BeatConnection, ObservingConnection};
pub use watch::{LeaseState, PrimaryWatch};
pub(in crate::store) use watch::{Primary, superseded};
