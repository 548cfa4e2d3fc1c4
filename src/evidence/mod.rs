//! Reads audit trails to check them against their head and trusted checkpoints, to compare the rows with them, and to
//! create proofs. Read-only; the algorithms are in `domain`.

mod check;
mod continuity;
mod monitor;
mod prover;
mod state;

use std::sync::Arc;

pub use check::{CheckRequest, Pace, check_trail, key_chain};
pub use continuity::ContinuityCheck;
pub use monitor::{StateMonitor, TrailVerdict, Verdict};
pub use prover::Prover;
pub use state::{CheckedState, EventReference, Progress, StateDifference, check_state, stray_rows};

use crate::domain::trail::checkpoint::CheckpointKey;

/// Returns the key that signs new checkpoints now. It changes when the secrets are rotated.
pub type SigningKey = Arc<dyn Fn() -> CheckpointKey + Send + Sync>;
