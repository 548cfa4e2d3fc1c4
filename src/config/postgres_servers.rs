//! Splits a PostgreSQL URL that names several servers.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::postgres_url::{PostgresUrl, decoded};

/// Returns a URL for each server of a checked URL, in its order. libpq uses the last of several parameters.
pub(super) fn of_each_server(url: &str) -> Vec<String> {
    let parsed = url.split_once("://").and_then(|(_, rest)| PostgresUrl::parse(rest)).unwrap_or_default();
    let list = |own: &str, name| {
        let list = parsed.parameter(name).filter(|list| !list.is_empty()).unwrap_or_else(|| decoded(own));
        list.split(',').map(|entry| utf8_percent_encode(entry.trim(), NON_ALPHANUMERIC).to_string()).collect::<Vec<_>>()
    };
    let (hosts, addresses, ports) = (list(&parsed.hosts, "host"), list("", "hostaddr"), list(&parsed.ports, "port"));
    let servers = hosts.len().max(addresses.len());
    if servers < 2 {
        return vec![url.to_owned()];
    }
    let entry = |list: &[String], index: usize| list.get(index).cloned().unwrap_or_default();
    let server = |index| {
        let port = if ports.len() > 1 { entry(&ports, index) } else { entry(&ports, 0) };
        format!("{url}&host={}&hostaddr={}&port={port}", entry(&hosts, index), entry(&addresses, index))
    };
    (0..servers).map(server).collect()
}

#[cfg(test)]
mod tests {
    use super::super::postgres_url;
    use super::*;

    #[test]
    fn each_server_of_a_list_has_a_url() {
        let ends = |url: &str| -> Vec<String> {
            let rest = url.split_once("://").unwrap().1;
            let checked = postgres_url::check(url, rest).unwrap();
            let each = of_each_server(&checked);
            each.iter().map(|each| each.strip_prefix(&checked).unwrap().to_owned()).collect()
        };
        assert_eq!(
            ends("postgres://u@localhost:5432,127.0.0.1:5433/db"),
            ["&host=localhost&hostaddr=&port=5432", "&host=127%2E0%2E0%2E1&hostaddr=&port=5433"]
        );
        assert_eq!(
            ends("postgres:///db?host=/a,/b&port=5433"),
            ["&host=%2Fa&hostaddr=&port=5433", "&host=%2Fb&hostaddr=&port=5433"]
        );
        assert_eq!(
            ends("postgres://localhost/db?hostaddr=127.0.0.1,127.0.0.2"),
            ["&host=localhost&hostaddr=127%2E0%2E0%2E1&port=", "&host=&hostaddr=127%2E0%2E0%2E2&port="]
        );
        assert_eq!(ends("postgres://u@localhost:5432/db"), [""]);
    }
}
