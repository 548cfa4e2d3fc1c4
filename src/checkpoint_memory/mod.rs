//! Remembers, outside the database, the last checkpoint of every trail, and which trails fall short of it.

mod error;
mod file;
mod memory;

pub use error::MemoryError;
pub use memory::{CheckpointMemory, RememberedTrails, summary_of};
