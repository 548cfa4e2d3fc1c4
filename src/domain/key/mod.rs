//! API keys: format, digests, lifecycle, rotation and usage.

pub mod api_key;
pub mod digest;
pub mod lifecycle;
pub mod rotation;
pub mod submission;
pub mod usage;
