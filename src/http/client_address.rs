//! Extracts the client behind a request: its address, its user agent and the request's id.

use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{Error, FromRequest, HttpRequest, web};
use ipnet::IpNet;

use super::config::HttpConfig;
use super::request_id::RequestId;
use crate::domain::request_context::Client;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Longer user agents are cut.
const MAX_USER_AGENT_CHARS: usize = 256;

impl FromRequest for Client {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user_agent = request.headers().get(header::USER_AGENT).map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            text.chars().filter(|character| !character.is_control()).take(MAX_USER_AGENT_CHARS).collect()
        });
        let request_id = Some(RequestId::of(request).to_string());
        ready(Ok(Self { address: address_of(request), user_agent, request_id }))
    }
}

/// Returns the address of the client: the nearest one that is not a trusted proxy.
#[must_use]
pub fn address_of(request: &HttpRequest) -> Option<IpAddr> {
    let config = request.app_data::<web::Data<HttpConfig>>();
    let proxies = config.map_or(&[][..], |config| &config.trusted_proxies);
    let peer = request.peer_addr()?.ip();
    if let Some(config) = config {
        warn_of_unlisted_proxy(peer, request.headers(), config);
    }
    Some(client_address(peer, request.headers(), proxies))
}

/// Warns that a peer sends `X-Forwarded-For` without being a trusted proxy. If it is a proxy, all its clients share one
/// address, and the failed sign-ins of one make the others wait.
fn warn_of_unlisted_proxy(peer: IpAddr, headers: &HeaderMap, config: &HttpConfig) {
    let peer = peer.to_canonical();
    let is_trusted = || config.trusted_proxies.iter().any(|network| network.contains(&peer));
    if headers.contains_key(FORWARDED_FOR) && !is_trusted() && config.forwarded_warning.is_due() {
        tracing::warn!(
            %peer,
            "x-forwarded-for ignored: the peer is not a trusted proxy; if it is your proxy, list it with --trusted-proxy"
        );
    }
}

/// Returns whether a program on this machine sent the request for itself, not a trusted proxy for its client.
#[must_use]
pub fn is_from_this_machine(request: &HttpRequest) -> bool {
    let Some(peer) = request.peer_addr().map(|peer| peer.ip().to_canonical()) else { return false };
    let proxies = request.app_data::<web::Data<HttpConfig>>().map_or(&[][..], |config| &config.trusted_proxies);
    let is_proxy = proxies.iter().any(|network| network.contains(&peer));
    peer.is_loopback() && !(is_proxy && request.headers().contains_key(FORWARDED_FOR))
}

/// Returns the nearest address that is not a trusted proxy. Each proxy appends the address of its peer.
fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| proxies.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    if !is_trusted(&client) {
        return client;
    }
    let lines: Vec<&[u8]> = headers.get_all(FORWARDED_FOR).map(HeaderValue::as_bytes).collect();
    // A client may send the header itself: what precedes the address of an untrusted peer proves nothing.
    let entries = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    for entry in entries {
        match parse_address(entry) {
            Some(address) if is_trusted(&client) => client = address.to_canonical(),
            _ => break,
        }
    }
    client
}

/// Parses an address, with or without a port: some proxies add it.
fn parse_address(entry: &[u8]) -> Option<IpAddr> {
    let entry = std::str::from_utf8(entry).ok()?.trim();
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    entry.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    fn client_of(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let forwarded: Vec<&[u8]> = forwarded.iter().map(|value| value.as_bytes()).collect();
        client_of_bytes(peer, &forwarded, proxies)
    }

    fn client_of_bytes(peer: &str, forwarded: &[&[u8]], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(HeaderName::from_static(FORWARDED_FOR), HeaderValue::from_bytes(value).unwrap());
        }
        let proxies: Vec<IpNet> = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        client_address(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn the_header_is_ignored_without_a_trusted_proxy() {
        assert_eq!(client_of("192.0.2.1", &["203.0.113.9"], &[]), "192.0.2.1");
    }

    #[test]
    fn a_trusted_proxy_names_its_client() {
        assert_eq!(client_of("10.0.0.1", &["1.2.3.4, 203.0.113.9"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(client_of("10.0.0.1", &["203.0.113.9, 10.0.0.2"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(client_of("10.0.0.1", &["203.0.113.9", "10.0.0.2"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(client_of("10.0.0.1", &["nonsense"], &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(client_of("10.0.0.1", &[], &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn bytes_before_the_client_address_are_ignored() {
        assert_eq!(client_of_bytes("10.0.0.1", &[b"\xe9, 203.0.113.9"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(client_of_bytes("10.0.0.1", &[b"\xff\xfe", b"203.0.113.9"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(client_of_bytes("10.0.0.1", &[b"203.0.113.9, \xe9"], &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn an_address_may_have_a_port() {
        assert_eq!(client_of("10.0.0.1", &["203.0.113.9:4711"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(client_of("10.0.0.1", &["[2001:db8::9]:4711"], &["10.0.0.0/8"]), "2001:db8::9");
    }
}
