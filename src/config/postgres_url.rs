//! Checks PostgreSQL URLs as libpq reads them, and rejects unencrypted connections to other machines. The URL goes to
//! libpq unchanged, with further parameters at its end.

use percent_encoding::percent_decode_str;

use super::error::SettingError;
use super::loopback::is_loopback;

/// The libpq parameters by which a host that does not respond is given up within 3 s, when a connection is opened and
/// when it is in use.
const NETWORK_TIMEOUTS: [(&str, &str); 5] = [
    ("connect_timeout", "2"),
    ("tcp_user_timeout", "3000"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "3"),
];

/// A URL in the parts that libpq sees (`conninfo_uri_parse_options` in `fe-connect.c`), percent-encoded.
#[derive(Debug, Default)]
pub(super) struct PostgresUrl<'a> {
    password: &'a str,
    /// All hosts, separated by commas.
    pub hosts: String,
    /// Their ports, some of them empty, separated by commas.
    pub ports: String,
    has_query: bool,
    parameters: Vec<(&'a str, &'a str)>,
}

/// Returns the URL with the parameters that Keydesk needs. `rest` is what follows the scheme.
pub(super) fn check(url: &str, rest: &str) -> Result<String, SettingError> {
    if has_invalid_escape(url.as_bytes()) {
        return Err(rejected(
            "contains a % that two hexadecimal digits do not follow, or %00. Write %25 for a % in a password.",
        ));
    }
    let parsed = PostgresUrl::parse(rest).ok_or_else(|| {
        rejected("is not a URL of PostgreSQL. Give postgres://USER:PASSWORD@HOST:PORT/DATABASE; a / or @ in a password is written %2F or %40.")
    })?;
    parsed.refuse_plain_text()?;
    parsed.refuse_standbys()?;
    Ok(parsed.completed(url))
}

impl<'a> PostgresUrl<'a> {
    /// Parses what follows the scheme.
    pub(super) fn parse(rest: &'a str) -> Option<Self> {
        let (password, rest) = match rest.find(['@', '/']) {
            Some(at) if rest[at..].starts_with('@') => {
                (rest[..at].split_once(':').map_or("", |(_, password)| password), &rest[at + 1..])
            }
            _ => ("", rest),
        };
        let (hosts, ports, rest) = parse_hosts(rest)?;
        let query = rest.split_once('?').map(|(_, query)| query);
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let parameters = pairs.map(|pair| pair.split_once('=')).collect::<Option<_>>()?;
        Some(Self { password, hosts, ports, has_query: query.is_some(), parameters })
    }

    /// Returns the value of a parameter. libpq uses the last of several.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters.iter().rev().find(|(key, _)| decoded(key) == name).map(|(_, value)| decoded(value))
    }

    /// Returns all names and addresses of servers. No host means a unix socket.
    fn all_hosts(&self) -> Vec<String> {
        let lists = [Some(decoded(&self.hosts)), self.parameter("host"), self.parameter("hostaddr")];
        let hosts = lists.iter().flatten().flat_map(|list| list.split(','));
        hosts.map(|host| host.trim().to_owned()).filter(|host| !host.is_empty()).collect()
    }

    /// Returns whether each connection is encrypted.
    fn is_encrypted(&self) -> bool {
        let mode = self.parameters.iter().rev().find_map(|(key, value)| match (&*decoded(key), &*decoded(value)) {
            ("sslmode", mode) => Some(matches!(mode, "require" | "verify-ca" | "verify-full")),
            // Other spellings of sslmode=require.
            ("ssl", "true") => Some(true),
            ("requiressl", value) => Some(value.starts_with('1')),
            _ => None,
        });
        mode.unwrap_or_default()
    }

    fn refuse_plain_text(&self) -> Result<(), SettingError> {
        let is_local = |host: &String| host.starts_with(['/', '@']) || is_loopback(host);
        if self.all_hosts().iter().all(is_local) {
            return Ok(());
        }
        if !cfg!(feature = "postgres-tls") {
            return Err(rejected(
                "names a PostgreSQL server on another machine, and this build has no TLS. Build with --features postgres-tls, or use a server on this machine.",
            ));
        }
        if !self.is_encrypted() {
            return Err(rejected(
                "names a PostgreSQL server on another machine without TLS. Add ?sslmode=verify-full (or require) to it.",
            ));
        }
        Ok(())
    }

    /// A standby may still show a revoked key as active.
    fn refuse_standbys(&self) -> Result<(), SettingError> {
        match self.parameter("target_session_attrs").as_deref() {
            None | Some("read-write" | "primary") => Ok(()),
            Some(_) => Err(rejected(
                "must lead to the primary, as a standby may still accept a revoked key. Remove target_session_attrs from it.",
            )),
        }
    }

    /// Returns the URL with the parameters that it lacks.
    fn completed(&self, url: &str) -> String {
        let mut additions = vec![("target_session_attrs", "read-write")];
        additions.extend(NETWORK_TIMEOUTS);
        // Otherwise libpq takes them from PGHOST and PGHOSTADDR, which the rules above do not see.
        additions.push(("hostaddr", ""));
        if self.hosts.is_empty() {
            additions.push(("host", ""));
        }
        let mut completed = url.to_owned();
        if !self.has_query {
            completed.push('?');
        }
        for (name, value) in additions.into_iter().filter(|(name, _)| self.parameter(name).is_none()) {
            if !completed.ends_with(['?', '&']) {
                completed.push('&');
            }
            completed.extend([name, "=", value]);
        }
        completed
    }
}

/// Parses `host[:port][,…]`. Returns the hosts and the ports, each separated by commas, and what follows.
fn parse_hosts(text: &str) -> Option<(String, String, &str)> {
    let (mut hosts, mut ports, mut rest) = (String::new(), String::new(), text);
    loop {
        let (host, after) = match rest.strip_prefix('[') {
            Some(bracketed) => bracketed.split_once(']').filter(|(address, _)| !address.is_empty())?,
            None => rest.split_at(rest.find([':', '/', '?', ',']).unwrap_or(rest.len())),
        };
        hosts.push_str(host);
        rest = after;
        if let Some(after) = rest.strip_prefix(':') {
            let port;
            (port, rest) = after.split_at(after.find(['/', '?', ',']).unwrap_or(after.len()));
            if !port.is_empty() && !port.parse::<u16>().is_ok_and(|port| port > 0) {
                return None;
            }
            ports.push_str(port);
        }
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None if rest.is_empty() || rest.starts_with(['/', '?']) => return Some((hosts, ports, rest)),
            None => return None,
        }
        hosts.push(',');
        ports.push(',');
    }
}

pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text.trim_matches(' ')).decode_utf8_lossy().into_owned()
}

/// Whether libpq would reject the text, in a message that repeats a part of it.
fn has_invalid_escape(text: &[u8]) -> bool {
    let is_escape = |hex: &[u8]| hex.iter().all(u8::is_ascii_hexdigit) && hex != b"00";
    text.iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'%')
        .any(|(at, _)| !text.get(at + 1..at + 3).is_some_and(is_escape))
}

/// Returns the parts of a URL that no message may repeat, the longest first: all of it, and its passwords, encoded and
/// decoded.
pub(super) fn secrets_in(url: &str) -> Vec<String> {
    let mut secrets = vec![url.to_owned()];
    if let Some(parsed) = url.split_once("://").and_then(|(_, rest)| PostgresUrl::parse(rest)) {
        let is_password = |name: &str| matches!(name, "password" | "sslpassword");
        let passwords = parsed.parameters.iter().filter(|(name, _)| is_password(&decoded(name)));
        for password in passwords.map(|(_, value)| *value).chain([parsed.password]) {
            secrets.extend([password.to_owned(), decoded(password)]);
        }
    }
    secrets.retain(|secret| !secret.is_empty());
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

fn rejected(sentence: &str) -> SettingError {
    SettingError(format!("--database-url {sentence}"))
}

#[cfg(test)]
mod tests {
    use crate::config::Database;

    fn url(text: &str) -> Result<String, String> {
        match Database::parse(text) {
            Ok(Database::Postgres(url)) => Ok(url),
            Ok(Database::Sqlite(_)) => unreachable!("{text}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_spellings_of_libpq_are_accepted_and_passed_on() {
        for local in [
            "postgres://",
            "postgres://u@",
            "postgres://u@/db",
            "postgresql:///db",
            "postgresql:///db?",
            "postgresql:///db?application_name=a&",
            "postgres://u:p%3F@localhost/db",
            "postgres://u@localhost:5432,127.0.0.1:5433/db",
            "postgres://u@localhost,[::1]:5433,:5434,127.0.0.1/db",
            "postgres://u:p%40ss@[::1],[::1]:5433?connect_timeout=9",
            "postgres://u@%2Fvar%2Frun%2Fpostgresql:5433/db",
            "postgres://u@%2Frun%2Fpostgresql,127.0.0.1/db",
            "postgres://localhost?user=u&password=p",
            "postgresql:///db?host=/var/run/postgresql,localhost&port=5432,5433",
            "postgres://u@localhost,localhost/db?hostaddr=127.0.0.1,::1&application_name=a%26b",
            "postgres://u@/db?host=@abstract",
        ] {
            let passed = url(local).unwrap();
            assert!(passed.starts_with(local), "{passed}");
            assert!(passed.contains("target_session_attrs=read-write"), "{passed}");
            assert!(!passed.contains("?&") && !passed.contains("&&"), "{passed}");
            assert_eq!(passed.matches('?').count(), 1, "{passed}");
            let timeout = if local.contains("timeout") { "connect_timeout=9" } else { "connect_timeout=2" };
            assert!(passed.matches("connect_timeout").count() == 1 && passed.contains(timeout), "{passed}");
        }
    }

    #[test]
    fn the_environment_names_no_host() {
        assert!(url("postgres:///db").unwrap().ends_with("&hostaddr=&host="));
        let named = url("postgres://u@localhost/db").unwrap();
        assert!(named.ends_with("&hostaddr=") && !named.contains("host=&"), "{named}");
        assert!(url("postgres://u@localhost/db?hostaddr=127.0.0.1").unwrap().matches("hostaddr=").count() == 1);
    }

    #[test]
    fn each_host_that_is_another_machine_needs_tls() {
        let tls = ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full", "ssl=true", "ssl%6Dode=require"];
        for remote in [
            "postgres://u@db.example.com/db?a=b",
            "postgres://u@db.example.com?a=b",
            "postgres://u@localhost,db.example.com:5433/db?a=b",
            "postgres://u@192.0.2.1,localhost/db?a=b",
            "postgres://u@[::1],[2001:db8::1]/db?a=b",
            "postgres://u@localhost%2Cdb.example.com/db?a=b",
            "postgres://u@localhost/db?hostaddr=192.0.2.1",
            "postgres://u@localhost/db?hostaddr=127.0.0.1,192.0.2.1",
            "postgres://u@localhost/db?host=localhost,db.example.com",
            "postgres://u@localhost/db?host=localhost&host=db.example.com",
            "postgres://u@localhost/db?h%6Fst=db.example.com",
            "postgres://u@db.example.com/db?sslmode=require&sslmode=disable",
            "postgres://u@db.example.com/db?ssl=true&sslmode=prefer",
        ] {
            let error = url(remote).unwrap_err();
            assert!(error.contains("another machine"), "{remote}: {error}");
            for parameter in tls {
                assert_eq!(url(&format!("{remote}&{parameter}")).is_ok(), cfg!(feature = "postgres-tls"), "{remote}");
            }
        }
    }

    #[test]
    fn only_the_primary_is_accepted() {
        let with = |attrs: &str| url(&format!("postgres://u@localhost,127.0.0.1/db?target_session_attrs={attrs}"));
        for accepted in ["read-write", "primary"] {
            assert!(with(accepted).is_ok(), "{accepted}");
        }
        for refused in ["any", "read-only", "standby", "prefer-standby", "", "primary&target_session_attrs=any"] {
            let error = with(refused).unwrap_err();
            assert!(error.contains("must lead to the primary"), "{refused}: {error}");
        }
    }

    #[test]
    fn urls_that_libpq_cannot_read_are_rejected_without_repeating_them() {
        for wrong in [
            "postgres://u:hunter2@localhost:port/d",
            "postgres://u:hunter2@localhost:0/d",
            "postgres://u:hunter2@localhost:5432,localhost:65536/d",
            "postgres://u:hunter2@[::1/d",
            "postgres://u:hunter2@[]/d",
            "postgres://u:hunter2@[::1]x/d",
            "postgres://u:hunter2@localhost/d?password",
            "postgres://u:hunt/er2@localhost/d",
        ] {
            let sentence = url(wrong).unwrap_err();
            assert!(sentence.starts_with("--database-url is not a URL"), "{sentence}");
            assert!(!sentence.contains("hunter2") && !sentence.contains("er2"), "{sentence}");
        }
    }
}
