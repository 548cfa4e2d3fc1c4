//! The key list.

pub mod banner;
pub mod cursor;
pub mod export;
pub mod filter_bar;
pub mod handlers;
pub mod load;
pub mod practice_panel;
#[cfg(test)]
pub(crate) mod samples;
pub mod view;
