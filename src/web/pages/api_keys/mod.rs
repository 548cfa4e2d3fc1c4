//! The list of API keys, the page of one key, and their dialogs.

pub mod activity;
pub mod assessed;
pub mod create;
pub mod edit;
pub mod end;
pub mod expiry;
pub mod identify;
pub mod key_findings;
pub mod list;
pub mod list_address;
pub mod list_filters;
pub mod new_key;
pub mod revocation;
pub mod revoke;
pub mod revoke_several;
pub mod rotate;
pub mod service_account;
pub mod show;
pub mod submission;
pub mod usage;
