//! Types and rules, pure: no I/O, no clock, no random source of its own, no word of diesel or actix.

pub mod action;
pub mod actor;
pub mod api_key;
pub mod checkpoint;
pub mod email;
pub mod event;
pub mod ids;
pub mod instant;
pub mod key;
pub mod key_digest;
pub mod key_policy;
pub mod mac;
pub mod merkle;
pub mod name;
pub mod password;
pub mod rotation;
pub mod second_factor;
pub mod submission;
pub mod text;
pub mod token;
pub mod trail_check;
pub mod user;
