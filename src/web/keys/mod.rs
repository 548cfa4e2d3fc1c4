//! The API Keys page and everything that lies over it.

pub mod address;
pub mod audit_trail;
mod banner;
pub mod create;
mod cursor;
pub mod edit;
pub mod expiry;
pub mod identify;
pub mod key_page;
#[cfg(test)]
mod key_page_samples;
pub mod list;
pub mod listing;
pub mod one_key;
pub mod revoke;
pub mod revoke_several;
pub mod rotate;
#[cfg(test)]
mod samples;
pub mod trail;
#[cfg(test)]
mod trail_samples;
