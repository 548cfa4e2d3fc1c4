//! The usage of a key.

pub mod chart;
pub mod export;
pub mod first_request;
pub mod load;
#[cfg(test)]
pub(crate) mod samples;
pub mod view;
