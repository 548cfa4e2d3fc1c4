//! What pages and machine endpoints share: request ids, response headers, client addresses, body limits, log
//! limits, counts of responses, the panic guard, waits for blocking work.

pub mod blocking;
pub mod body;
pub mod client_address;
mod config;
pub mod connections;
pub mod descriptors;
mod drain;
pub mod log_limit;
pub mod panics;
pub mod request_counts;
pub mod request_id;
pub mod request_user;
mod response_body;
pub mod response_headers;
mod send_progress;
#[cfg(target_os = "linux")]
mod tcp_info;
pub mod unlisted_proxy;

pub use config::HttpConfig;
pub use drain::Drain;
