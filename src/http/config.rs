//! What this layer shares with the server: settings, and the counts of responses.

use std::sync::Arc;

use ipnet::IpNet;

use super::drain::Drain;
use super::request_counts::RequestCounts;
use super::unlisted_proxy::UnlistedProxy;
use crate::domain::key::api_key::KeyFormat;

/// The HTTP settings of a server, and its counts.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether browsers reach Keydesk over TLS.
    pub https: bool,
    /// The format of keys, which a user agent must not contain.
    pub key_format: KeyFormat,
    /// Whether the server is about to stop.
    pub drain: Drain,
    /// Counts all responses.
    pub request_counts: Arc<RequestCounts>,
    /// A peer that is a proxy, but not a trusted one.
    pub unlisted_proxy: Arc<UnlistedProxy>,
}
