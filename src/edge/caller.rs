//! Who asks: the address a request came from, and what the client calls itself.

use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{Error, FromRequest, HttpRequest, web};
use ipnet::IpNet;

use super::Edge;
use super::request_id::RequestId;
use crate::domain::actor::Actor;
use crate::domain::event::Origin;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Longer names of clients are cut.
const LONGEST_USER_AGENT: usize = 256;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The client's address.
    pub address: Option<IpAddr>,
    /// What it calls itself, cut to 256 characters.
    pub user_agent: Option<String>,
    /// The id of its request.
    pub request_id: RequestId,
}

impl Caller {
    /// Who asks for a change, for the trail.
    #[must_use]
    pub fn as_origin(&self, actor: Actor) -> Origin {
        Origin {
            actor,
            client_address: self.address.map(|address| address.to_string()),
            user_agent: self.user_agent.clone(),
            request_id: Some(self.request_id.to_string()),
        }
    }
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user_agent = request.headers().get(header::USER_AGENT).map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            text.chars().filter(|character| !character.is_control()).take(LONGEST_USER_AGENT).collect()
        });
        ready(Ok(Self { address: address_of(request), user_agent, request_id: RequestId::of(request) }))
    }
}

/// The address that a request came from: the nearest that is no trusted proxy.
#[must_use]
pub fn address_of(request: &HttpRequest) -> Option<IpAddr> {
    let proxies = request.app_data::<web::Data<Edge>>().map_or(&[][..], |edge| &edge.trusted_proxies);
    Some(client_address(request.peer_addr()?.ip(), request.headers(), proxies))
}

/// Whether it was sent from this machine, by a program that asks for itself: not by a trusted proxy for somebody else.
#[must_use]
pub fn is_on_this_machine(request: &HttpRequest) -> bool {
    let Some(peer) = request.peer_addr().map(|peer| peer.ip().to_canonical()) else { return false };
    let proxies = request.app_data::<web::Data<Edge>>().map_or(&[][..], |edge| &edge.trusted_proxies);
    let is_proxy = proxies.iter().any(|network| network.contains(&peer));
    peer.is_loopback() && !(is_proxy && request.headers().contains_key(FORWARDED_FOR))
}

/// The nearest address that is no trusted proxy: each proxy adds, at the right, the address that it saw.
fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| proxies.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    if !is_trusted(&client) {
        return client;
    }
    let lines: Vec<&[u8]> = headers.get_all(FORWARDED_FOR).map(HeaderValue::as_bytes).collect();
    // What stands left of an address is that client's own word, and may be anything.
    let said = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    for said in said {
        match address_in(said) {
            Some(address) if is_trusted(&client) => client = address.to_canonical(),
            _ => break,
        }
    }
    client
}

/// An address, of which some proxies write the port, too.
fn address_in(said: &[u8]) -> Option<IpAddr> {
    let said = std::str::from_utf8(said).ok()?.trim();
    let with_port = || said.parse::<SocketAddr>().ok().map(|address| address.ip());
    said.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    fn seen(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let forwarded: Vec<&[u8]> = forwarded.iter().map(|value| value.as_bytes()).collect();
        seen_in_bytes(peer, &forwarded, proxies)
    }

    fn seen_in_bytes(peer: &str, forwarded: &[&[u8]], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(HeaderName::from_static(FORWARDED_FOR), HeaderValue::from_bytes(value).unwrap());
        }
        let proxies: Vec<IpNet> = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        client_address(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn nobody_is_believed_by_default() {
        assert_eq!(seen("192.0.2.1", &["203.0.113.9"], &[]), "192.0.2.1");
    }

    #[test]
    fn a_trusted_proxy_is_believed_and_what_its_client_claimed_is_not() {
        assert_eq!(seen("10.0.0.1", &["1.2.3.4, 203.0.113.9"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &["203.0.113.9, 10.0.0.2"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &["203.0.113.9", "10.0.0.2"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &["nonsense"], &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &[], &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn what_a_client_wrote_before_its_address_does_not_hide_it_whatever_bytes_it_has() {
        assert_eq!(seen_in_bytes("10.0.0.1", &[b"\xe9, 203.0.113.9"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen_in_bytes("10.0.0.1", &[b"\xff\xfe", b"203.0.113.9"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen_in_bytes("10.0.0.1", &[b"203.0.113.9, \xe9"], &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn an_address_may_have_a_port() {
        assert_eq!(seen("10.0.0.1", &["203.0.113.9:4711"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &["[2001:db8::9]:4711"], &["10.0.0.0/8"]), "2001:db8::9");
    }
}
