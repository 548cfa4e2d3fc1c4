//! Reads audit trails to check them against their head and trusted checkpoints, and to create proofs. Read-only; the
//! algorithms are in `domain`.

mod check;
mod prover;

pub use check::{CheckRequest, check_trail};
pub use prover::Prover;
