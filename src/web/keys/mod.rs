//! The API Keys page and everything that lies over it.

pub mod address;
pub mod audit_trail;
mod banner;
pub mod create;
mod cursor;
pub mod list;
pub mod listing;
pub mod revoke;
#[cfg(test)]
mod samples;
pub mod trail;
