//! Keydesk: create, watch and permanently revoke the API keys of service accounts.

pub mod clock;
pub mod config;
pub mod domain;
pub mod random;
pub mod store;
pub mod actions;
pub mod verify;
