//! The rules that a company sets for its keys.

pub mod key_policy;
pub mod reasons;
