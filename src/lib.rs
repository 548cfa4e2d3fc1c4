//! Keydesk creates, monitors and permanently revokes the API keys of service accounts.

#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod actions;
pub mod api;
pub mod backup;
pub mod build_info;
pub mod checkpoint_memory;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod durable_file;
pub mod evidence;
pub mod http;
pub mod last_backup;
pub mod random;
pub mod secrets;
pub mod server;
pub mod store;
pub mod verify;
pub mod web;
pub mod witness;

/// Responses consist of many small allocations, which threads pass to each other; mimalloc handles these well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
