//! Who asks: the address a request came from, and what the client calls itself.

use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{Error, FromRequest, HttpRequest, web};
use ipnet::IpNet;

use super::Edge;
use super::request_id::RequestId;
use crate::domain::actor::Actor;
use crate::domain::event::Origin;

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
        let proxies = request.app_data::<web::Data<Edge>>().map_or(&[][..], |edge| &edge.trusted_proxies);
        let user_agent = request.headers().get(header::USER_AGENT).map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            text.chars().filter(|character| !character.is_control()).take(LONGEST_USER_AGENT).collect()
        });
        ready(Ok(Self {
            address: request.peer_addr().map(|peer| client_address(peer.ip(), request.headers(), proxies)),
            user_agent,
            request_id: RequestId::of(request),
        }))
    }
}

/// The nearest address that is no trusted proxy: each proxy adds, at the right, the address that it saw.
fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| proxies.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for said in forwarded.iter().rev() {
        match said.trim().parse::<IpAddr>() {
            Ok(address) if is_trusted(&client) => client = address.to_canonical(),
            _ => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn seen(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(HeaderName::from_static("x-forwarded-for"), HeaderValue::from_str(value).unwrap());
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
}
