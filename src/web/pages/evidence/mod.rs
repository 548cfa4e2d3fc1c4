//! The Evidence page: the checkpoint of the audit trail, its witnesses, the last full check, and exports.

pub mod checkpoint;
pub mod export;
pub mod handlers;
pub mod load;
#[cfg(test)]
pub(crate) mod samples;
pub mod state_check;
pub mod view;
pub mod witnesses;
