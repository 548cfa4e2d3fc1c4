//! The key list.

pub mod banner;
pub mod cursor;
pub mod handlers;
pub mod load;
#[cfg(test)]
pub(crate) mod samples;
pub mod view;
