//! The URL under which browsers reach Keydesk.

use std::net::SocketAddr;

use url::Url;

use super::values::Config;

const DEFAULT_HTTP_PORT: u16 = 80;

/// The origin that links are built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    port: Option<u16>,
}

impl PublicUrl {
    /// Returns the configured public URL, or by default the address that the server listens on.
    #[must_use]
    pub fn new(config: &Config, listen: SocketAddr) -> Self {
        Self::of(config.public_url.as_ref(), listen)
    }

    fn of(configured: Option<&Url>, listen: SocketAddr) -> Self {
        match configured {
            Some(url) => Self { origin: url.origin().ascii_serialization(), port: url.port() },
            None => Self {
                origin: format!("http://{listen}"),
                port: Some(listen.port()).filter(|port| *port != DEFAULT_HTTP_PORT),
            },
        }
    }

    /// Whether browsers reach Keydesk over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// The port, unless it is the scheme's default.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The origin, without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.origin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_known_unless_it_is_the_default() {
        for (url, origin, port) in [
            ("https://keys.example.com", "https://keys.example.com", None),
            ("https://keys.example.com:443", "https://keys.example.com", None),
            ("https://keys.example.com:8443", "https://keys.example.com:8443", Some(8443)),
            ("http://localhost:80", "http://localhost", None),
            ("http://localhost:443", "http://localhost:443", Some(443)),
        ] {
            let public = PublicUrl::of(Some(&url.parse().unwrap()), "127.0.0.1:8080".parse().unwrap());
            assert_eq!((public.as_str(), public.port()), (origin, port));
        }
        for (listen, port) in [("127.0.0.1:8080", Some(8080)), ("[::1]:8080", Some(8080)), ("127.0.0.1:80", None)] {
            let public = PublicUrl::of(None, listen.parse().unwrap());
            assert_eq!((public.as_str(), public.port()), (&*format!("http://{listen}"), port));
        }
    }
}
