//! The Key Policy page.

pub mod handlers;
pub mod load;
#[cfg(test)]
pub(crate) mod samples;
pub mod view;
