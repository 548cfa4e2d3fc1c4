//! The sources of a key's requests: networks, families of clients, and tools that people use by hand.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::domain::timestamp::Timestamp;

/// The last request from one address with one user agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientUse {
    pub at: Timestamp,
    pub address: Option<IpAddr>,
    /// The user agent; empty if there is none.
    pub client: String,
}

/// An IPv4 network of 256 addresses, or an IPv6 network of one site (/48).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Network {
    V4([u8; 3]),
    V6([u8; 6]),
}

impl Network {
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Self::V4([a, b, c])
            }
            IpAddr::V6(address) => {
                let mut network = [0; 6];
                network.copy_from_slice(&address.octets()[..6]);
                Self::V6(network)
            }
        }
    }
}

/// Returns the family of a user agent: its product without the version, in lower case.
#[must_use]
pub fn family(client: &str) -> String {
    client.split(['/', ' ']).next().unwrap_or_default().to_lowercase()
}

/// Whether more than `networks` networks and more than one family of clients occur.
#[must_use]
pub fn are_several_places(uses: &[ClientUse], networks: usize) -> bool {
    let seen: BTreeSet<Network> = uses.iter().filter_map(|used| used.address).map(Network::of).collect();
    let families: BTreeSet<String> = uses.iter().map(|used| family(&used.client)).collect();
    seen.len() > networks && families.len() > 1
}

/// Whether a person seems to send the requests: by a browser, by Postman or Insomnia, or by curl from several addresses.
/// curl from one address may be a scheduled job.
#[must_use]
pub fn is_human(uses: &[ClientUse]) -> bool {
    let by_hand = |used: &ClientUse| matches!(&*family(&used.client), "mozilla" | "postmanruntime" | "insomnia");
    let curl_addresses: BTreeSet<Option<IpAddr>> =
        uses.iter().filter(|used| family(&used.client) == "curl").map(|used| used.address).collect();
    uses.iter().any(by_hand) || curl_addresses.len() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(address: &str, client: &str) -> ClientUse {
        ClientUse { at: Timestamp::from_micros(0), address: address.parse().ok(), client: client.to_owned() }
    }

    #[test]
    fn addresses_of_one_network_count_once() {
        let network = |address: &str| Network::of(address.parse().unwrap());
        assert_eq!(network("203.0.113.1"), network("203.0.113.255"));
        assert_ne!(network("203.0.113.1"), network("203.0.114.1"));
        assert_eq!(network("2001:db8:7:1::1"), network("2001:db8:7:ffff::9"));
        assert_ne!(network("2001:db8:7::1"), network("2001:db8:8::1"));
        assert_eq!(network("::ffff:203.0.113.1"), network("203.0.113.9"));
    }

    #[test]
    fn three_networks_and_two_families_are_several_places() {
        let mut uses = vec![used("203.0.113.1", "curl/8.5"), used("198.51.100.4", "python-requests/2.32")];
        assert!(!are_several_places(&uses, 2), "two networks");
        uses.push(used("198.51.100.9", "go-http-client/1.1"));
        assert!(!are_several_places(&uses, 2), "a third address in a known network");
        uses.push(used("192.0.2.1", "go-http-client/1.1"));
        assert!(are_several_places(&uses, 2));
        let one_family: Vec<_> =
            uses.iter().map(|seen| ClientUse { client: "curl/8.7 (arm64)".to_owned(), ..seen.clone() }).collect();
        assert!(!are_several_places(&one_family, 2), "one family");
    }

    #[test]
    fn browsers_and_tools_for_people_are_human() {
        for client in ["Mozilla/5.0 (X11; Linux x86_64)", "PostmanRuntime/7.37.0", "insomnia/9.2.0"] {
            assert!(is_human(&[used("203.0.113.1", client)]), "{client}");
        }
        for client in ["python-requests/2.32", "Go-http-client/2.0", "okhttp/4.12", "curl/8.5.0", ""] {
            assert!(!is_human(&[used("203.0.113.1", client)]), "{client}");
        }
    }

    #[test]
    fn curl_is_human_from_a_second_address() {
        let mut uses = vec![used("203.0.113.1", "curl/8.5.0"), used("203.0.113.1", "curl/8.7.1")];
        assert!(!is_human(&uses));
        uses.push(used("203.0.113.2", "curl/8.5.0"));
        assert!(is_human(&uses));
    }
}
