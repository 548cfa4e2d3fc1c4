//! Signing in and out.

pub mod code;
pub mod password;
