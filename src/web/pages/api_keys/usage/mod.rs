//! The usage of a key.

pub mod chart;
pub mod load;
#[cfg(test)]
pub(crate) mod samples;
pub mod view;
