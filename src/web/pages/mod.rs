//! The pages, each a file or a folder.

pub mod account;
pub mod api_keys;
pub mod audit_trail;
pub mod errors;
pub mod evidence;
pub mod general;
pub mod home;
pub mod invitation;
pub mod key_policy;
pub mod practice;
pub mod setup;
pub mod sign_in;
pub mod users;
