//! The trail proven: reads it from the store to make proofs, and to check it against its head and kept checkpoints.
//! Writes nothing, and decides nothing that `domain` can decide.

mod check;
mod prover;

pub use check::{Question, check_trail};
pub use prover::Prover;
