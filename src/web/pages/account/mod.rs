//! The account page of the signed-in user.

pub mod browser;
pub mod handlers;
pub mod load;
pub mod preferences;
pub mod qr_code;
#[cfg(test)]
pub(crate) mod samples;
pub mod second_factor;
pub mod view;
