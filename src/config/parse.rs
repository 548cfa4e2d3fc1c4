//! Parses the values of single settings.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use jiff::SignedDuration;
use url::Url;

use super::list::List;
use crate::domain::key::api_key::{InvalidKeyPrefix, KeyPrefix};

pub(super) fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let expected = "give an address and a port, such as 127.0.0.1:8080";
    match text.strip_prefix("localhost:") {
        Some(port) => {
            let port = port.parse().map_err(|_| expected.to_owned())?;
            Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
        }
        None => text.parse().map_err(|_| expected.to_owned()),
    }
}

pub(super) fn parse_networks(text: &str) -> Result<List<IpNet>, String> {
    List::parse(text, parse_network)
}

pub(super) fn parse_prefixes(text: &str) -> Result<List<KeyPrefix>, InvalidKeyPrefix> {
    List::parse(text, str::parse)
}

fn parse_network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpAddr>()
        .map(IpNet::from)
        .or_else(|_| text.parse::<IpNet>())
        .map_err(|_| "give an address such as 10.0.0.7 or a network such as 10.0.0.0/24".to_owned())
}

/// The longest drain: a supervisor kills a server that takes longer.
const MAX_DRAIN: Duration = Duration::from_hours(1);

pub(super) fn parse_drain(text: &str) -> Result<Duration, String> {
    let duration = text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    duration
        .filter(|duration| *duration <= MAX_DRAIN)
        .ok_or_else(|| "give a duration of at most an hour, such as 10s or 1m 30s".to_owned())
}

pub(super) fn parse_public_url(text: &str) -> Result<Url, String> {
    let expected = || "give scheme, host and port only, such as https://keys.example.com".to_owned();
    let url = Url::parse(text).map_err(|_| expected())?;
    let is_origin = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    is_origin.then_some(url).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_is_a_duration_of_at_most_an_hour() {
        for (text, millis) in [("0s", 0), ("250ms", 250), ("10s", 10_000), ("1m 30s", 90_000), ("1h", 3_600_000)] {
            assert_eq!(parse_drain(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for wrong in ["", "10", "-1s", "2h", "soon"] {
            assert!(parse_drain(wrong).unwrap_err().contains("such as 10s"), "{wrong}");
        }
    }
}
