//! API keys: format, digests, lifecycle, rotation and usage; details of their service accounts.

pub mod account_details;
pub mod api_key;
pub mod digest;
pub mod lifecycle;
pub mod rotation;
pub mod submission;
pub mod usage;
