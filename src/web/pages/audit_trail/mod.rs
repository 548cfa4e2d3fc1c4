//! The Audit Trail page: filters and single events.

pub mod address;
pub mod cursor;
pub mod event_drawer;
pub mod filters;
pub mod handlers;
pub mod load;
pub mod presets;
#[cfg(test)]
pub(crate) mod samples;
pub mod view;
