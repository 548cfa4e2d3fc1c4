//! Keydesk: create, watch and permanently revoke the API keys of service accounts.

pub mod clock;
pub mod domain;
pub mod random;
