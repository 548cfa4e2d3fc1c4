//! The Practice page: how a company's keys follow good practice, in pictures.

pub mod handlers;
pub mod load;
#[cfg(test)]
pub(crate) mod samples;
pub mod view;
