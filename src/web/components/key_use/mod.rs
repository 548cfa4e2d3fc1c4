//! The recent use of keys, and the warning before it ends.

pub mod load;
#[cfg(test)]
pub(crate) mod samples;
pub mod view;
