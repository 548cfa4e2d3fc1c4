//! Extracts the client behind a request: its address, its user agent and the request's id.

use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddrV4};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{Error, FromRequest, HttpRequest, web};
use ipnet::IpNet;

use super::config::HttpConfig;
use super::log_limit::HourlyWarning;
use super::request_id::RequestId;
use crate::domain::client::Client;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Longer user agents are cut.
const MAX_USER_AGENT_CHARS: usize = 256;
const MAX_LOGGED_ENTRY_CHARS: usize = 64;

impl FromRequest for Client {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user_agent = request.headers().get(header::USER_AGENT).map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            text.chars().filter(|character| !character.is_control()).take(MAX_USER_AGENT_CHARS).collect::<String>()
        });
        // A user agent that contains an API key must not be stored.
        let config = request.app_data::<web::Data<HttpConfig>>();
        let contains_key = |agent: &String| config.is_some_and(|config| config.key_format.is_contained_in(agent));
        let user_agent = user_agent.filter(|agent| !contains_key(agent));
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
    if is_unlisted_proxy(peer, request.headers(), proxies) {
        config.inspect(|config| config.unlisted_proxy.note(peer.to_canonical()));
        warn_of_unlisted_proxy(peer);
    }
    Some(client_address(peer, request.headers(), proxies, warn_of_invalid_entry))
}

/// Whether a peer sends `X-Forwarded-For` without being a trusted proxy. If it is a proxy, all its clients share one
/// address, and the failed sign-ins of one make the others wait.
fn is_unlisted_proxy(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> bool {
    headers.contains_key(FORWARDED_FOR) && !proxies.iter().any(|network| network.contains(&peer.to_canonical()))
}

fn warn_of_unlisted_proxy(peer: IpAddr) {
    static WARNING: HourlyWarning = HourlyWarning::new();
    let peer = peer.to_canonical();
    WARNING.write(|| {
        tracing::warn!(
            %peer,
            "x-forwarded-for ignored: the peer is not a trusted proxy; if it is your proxy, list it with --trusted-proxy"
        );
    });
}

/// Returns whether a program on this machine sent the request for itself. That cannot be told where a proxy is listed:
/// one on this machine that sends no `X-Forwarded-For` looks like any other program.
#[must_use]
pub fn is_from_this_machine(request: &HttpRequest) -> bool {
    let has_proxies =
        request.app_data::<web::Data<HttpConfig>>().is_none_or(|config| !config.trusted_proxies.is_empty());
    !has_proxies && request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback())
}

/// Returns the nearest address that is not a trusted proxy. Each proxy appends the address of its peer. If a proxy's
/// entry is not an address, calls `on_invalid` with both, and returns the address of the proxy.
fn client_address(
    peer: IpAddr,
    headers: &HeaderMap,
    proxies: &[IpNet],
    mut on_invalid: impl FnMut(&IpAddr, &[u8]),
) -> IpAddr {
    let is_trusted = |address: &IpAddr| proxies.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    if !is_trusted(&client) {
        return client;
    }
    let lines: Vec<&[u8]> = headers.get_all(FORWARDED_FOR).map(HeaderValue::as_bytes).collect();
    // A client may send the header itself: what precedes the address of an untrusted peer proves nothing.
    let entries = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    for entry in entries {
        if !is_trusted(&client) {
            break;
        }
        let Some(address) = parse_address(entry) else {
            on_invalid(&client, entry);
            break;
        };
        client = address.to_canonical();
    }
    client
}

/// A proxy sends something else than an address, perhaps nothing: its clients share the address of the proxy.
fn warn_of_invalid_entry(proxy: &IpAddr, entry: &[u8]) {
    static WARNING: HourlyWarning = HourlyWarning::new();
    WARNING.write(|| {
        let entry: String = String::from_utf8_lossy(entry).chars().take(MAX_LOGGED_ENTRY_CHARS).collect();
        tracing::warn!(%proxy, entry, "X-Forwarded-For refused: the proxy's entry is not an address");
    });
}

/// Parses an address as proxies write it: with or without a port, brackets, quotation marks and a zone.
fn parse_address(entry: &[u8]) -> Option<IpAddr> {
    let entry = std::str::from_utf8(entry).ok()?.trim();
    let entry = entry.strip_prefix('"').and_then(|entry| entry.strip_suffix('"')).unwrap_or(entry);
    if let Some(bracketed) = entry.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
        return without_zone(address).parse().ok().filter(|_| is_port).map(IpAddr::V6);
    }
    let with_port = || entry.parse::<SocketAddrV4>().ok().map(|address| IpAddr::V4(*address.ip()));
    let with_zone = || without_zone(entry).parse().ok().map(IpAddr::V6);
    entry.parse().ok().or_else(with_port).or_else(with_zone)
}

/// Removes the zone of an IPv6 address (RFC 4007 section 11): it means something to the proxy only.
fn without_zone(address: &str) -> &str {
    match address.split_once('%') {
        Some((address, zone)) if !zone.is_empty() => address,
        _ => address,
    }
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
        client_address(peer.parse().unwrap(), &headers, &proxies, |_, _| {}).to_string()
    }

    /// The client, and the entries that were refused with a warning.
    fn client_and_warnings(forwarded: &[&str]) -> (String, Vec<String>) {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(HeaderName::from_static(FORWARDED_FOR), HeaderValue::from_str(value).unwrap());
        }
        let (proxies, mut warnings) = (["10.0.0.0/8".parse::<IpNet>().unwrap()], Vec::new());
        let on_invalid = |_: &IpAddr, entry: &[u8]| warnings.push(String::from_utf8(entry.to_vec()).unwrap());
        let client = client_address("10.0.0.1".parse().unwrap(), &headers, &proxies, on_invalid);
        (client.to_string(), warnings)
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
    fn an_address_is_parsed_in_every_form_that_proxies_write() {
        let cases: [(&str, &[&str]); 4] = [
            ("203.0.113.9", &["203.0.113.9", "203.0.113.9:4711"]),
            ("203.0.113.9", &["::ffff:203.0.113.9", "[::ffff:203.0.113.9]:4711"]),
            ("2001:db8::9", &["2001:db8::9", "[2001:db8::9]", "[2001:db8::9]:4711", "2001:DB8:0::9"]),
            ("fe80::9", &["fe80::9%eth0", "[fe80::9%eth0]", "[fe80::9%25eth0]:4711"]),
        ];
        for (address, forms) in cases {
            for form in forms {
                for written in [(*form).to_owned(), format!("\"{form}\""), format!("1.2.3.4,\t{form} ")] {
                    assert_eq!(client_and_warnings(&[&written]), (address.to_owned(), vec![]), "{written}");
                }
            }
        }
    }

    #[test]
    fn an_entry_that_is_not_an_address_is_refused_with_a_warning() {
        for invalid in [
            "",
            " ",
            "unknown",
            "_hidden",
            "nonsense",
            "203.0.113.9:",
            "203.0.113.9:99999",
            "203.0.113",
            "[203.0.113.9]",
            "[2001:db8::9",
            "[2001:db8::9]:",
            "[2001:db8::9]x",
            "2001:db8::9]",
            "\"203.0.113.9",
            "fe80::9%",
            "203.0.113.9%1",
        ] {
            let alone = client_and_warnings(&[invalid]);
            assert_eq!(alone, ("10.0.0.1".to_owned(), vec![invalid.to_owned()]), "{invalid:?}");
            for lines in [&[format!("203.0.113.9,{invalid}")][..], &["203.0.113.9".to_owned(), invalid.to_owned()]] {
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                assert_eq!(client_and_warnings(&lines).1.len(), 1, "a client's own entry is not believed: {lines:?}");
            }
            let before = client_and_warnings(&[&format!("{invalid}, 203.0.113.9")]);
            assert_eq!(before, ("203.0.113.9".to_owned(), vec![]), "{invalid:?}");
        }
        assert_eq!(client_and_warnings(&[]), ("10.0.0.1".to_owned(), vec![]));
    }
}
