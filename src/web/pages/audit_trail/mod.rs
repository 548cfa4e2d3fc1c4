//! The Audit Trail page: filters, single events and exports.

pub mod address;
pub mod checkpoint;
pub mod cursor;
pub mod event_dialog;
pub mod export;
pub mod filters;
pub mod handlers;
pub mod load;
#[cfg(test)]
pub(crate) mod samples;
pub mod state_check;
pub mod view;
pub mod witnesses;
