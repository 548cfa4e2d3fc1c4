//! What every HTTP answer shares, page or machine: its id, its headers, who asks, the limits of a body, the last guard.

pub mod body;
pub mod caller;
pub mod connections;
pub mod envelope;
pub mod panics;
pub mod request_id;
mod sending;
mod unsent;

use ipnet::IpNet;

/// What the edge needs to know of the configuration.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether browsers reach Keydesk over TLS.
    pub https: bool,
}
