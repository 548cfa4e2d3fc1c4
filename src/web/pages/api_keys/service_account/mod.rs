//! The page of a service account: its details and all of its keys.

mod cursor;
pub mod handlers;
mod load;
#[cfg(test)]
mod samples;
pub mod view;
