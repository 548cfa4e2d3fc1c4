//! The page of one key.

pub mod banner;
pub mod handlers;
pub mod load;
#[cfg(test)]
pub(crate) mod samples;
pub mod view;
