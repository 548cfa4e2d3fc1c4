//! The names of cookies.

use crate::config::PublicUrl;

/// The names of an installation's cookies. Browsers send a cookie to every port of a host, so the name carries the port:
/// two installations on one host keep separate cookies.
#[derive(Debug)]
pub struct CookieNames {
    pub session: String,
    pub device: String,
}

impl CookieNames {
    #[must_use]
    pub fn of(public_url: &PublicUrl) -> Self {
        // The prefix binds the cookie to this host, TLS and all paths (RFC 6265bis section 4.1.3.2).
        let prefix = if public_url.is_https() { "__Host-" } else { "" };
        let port = public_url.port().map(|port| format!("-{port}")).unwrap_or_default();
        let session = format!("{prefix}keydesk{port}");
        Self { device: format!("{session}-device"), session }
    }
}
