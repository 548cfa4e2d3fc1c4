//! Types and rules. Pure: no I/O, clock, random source, diesel or actix.

pub mod actor;
pub mod backup_manifest;
pub mod client;
pub mod ids;
pub mod key;
pub mod lease;
pub mod mac;
pub mod policy;
pub mod practice;
pub mod secret_set;
pub mod text;
pub mod timestamp;
pub mod token;
pub mod trail;
pub mod user;
pub mod webhook;
