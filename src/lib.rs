//! Keydesk: create, watch and permanently revoke the API keys of service accounts.

pub mod actions;
pub mod api;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod edge;
pub mod evidence;
pub mod random;
pub mod secrets;
pub mod server;
pub mod store;
pub mod verify;
pub mod web;
pub mod witness;

/// Pages and answers are made of very many small pieces, which threads hand to each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
