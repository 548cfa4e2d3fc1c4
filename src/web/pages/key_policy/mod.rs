//! The Key Policy page.

pub mod handlers;
pub mod load;
pub mod period;
#[cfg(test)]
pub(crate) mod samples;
pub mod view;
