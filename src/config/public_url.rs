//! The URL under which browsers reach Keydesk.

use std::net::SocketAddr;

use super::values::Config;

/// The origin that links are built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Returns the configured public URL, or by default the address that the server listens on.
    #[must_use]
    pub fn new(config: &Config, listen: SocketAddr) -> Self {
        Self(
            config
                .public_url
                .as_ref()
                .map_or_else(|| format!("http://{listen}"), |url| url.origin().ascii_serialization()),
        )
    }

    /// Whether browsers reach Keydesk over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The origin, without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
