//! Recognizes loopback hosts.

use std::net::IpAddr;

/// Returns whether only this machine can reach the host.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
