//! Publishes signed checkpoints to witnesses outside the installation, and records what each witness has.

mod backoff;
mod error;
mod file;
mod message;
mod publisher;
mod webhook;
mod witnesses;

pub use error::{Failure, WitnessError};
pub use publisher::{Witness, WitnessContext};
pub use witnesses::{LastWitnessed, WitnessStatus, Witnesses, oldest_unwitnessed};
