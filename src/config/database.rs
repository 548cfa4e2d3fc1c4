//! Parses the database URL, and rejects unencrypted connections to other machines.

use std::fmt;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use url::Url;

use super::error::SettingError;
use super::loopback::is_loopback;

/// The location of the database.
#[derive(Clone)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A server. The URL may hold a password.
    Postgres(String),
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

/// Returns the files that SQLite keeps beside a database: the write-ahead log and its index
/// (<https://www.sqlite.org/walformat.html>).
#[must_use]
pub fn sqlite_companions(database: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|suffix| {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    })
}

impl Database {
    /// Parses a database URL. Errors do not repeat it, because it may hold a password.
    ///
    /// # Errors
    /// [`SettingError`] for an unknown scheme, a malformed URL, or PostgreSQL on another machine without TLS.
    pub fn parse(url: &str) -> Result<Self, SettingError> {
        match url.split_once("://") {
            Some(("sqlite", path)) => sqlite(path),
            Some(("postgres" | "postgresql", _)) => postgres(url),
            _ => Err(SettingError(
                "--database-url starts with neither sqlite:// nor postgres://. Use one of the two.".to_owned(),
            )),
        }
    }

    /// Returns a message of the database's driver without the URL and the passwords in it.
    #[must_use]
    pub fn without_secrets(&self, message: &str) -> String {
        match self {
            Self::Sqlite(_) => message.to_owned(),
            Self::Postgres(url) => {
                secrets_in(url).iter().fold(message.to_owned(), |message, secret| message.replace(secret, "…"))
            }
        }
    }
}

fn sqlite(path: &str) -> Result<Database, SettingError> {
    if path.is_empty() || path.starts_with(':') || path.contains('?') {
        return Err(SettingError(
            "--database-url sqlite://… names no file. Give a path, such as sqlite:///var/lib/keydesk/keydesk.db."
                .to_owned(),
        ));
    }
    let path = std::path::absolute(path)
        .map_err(|error| SettingError(format!("--database-url sqlite://… cannot be used: {error}. Give a path.")))?;
    Ok(Database::Sqlite(path))
}

/// The libpq parameters by which a connection to a dead server fails within about 10 s.
const NETWORK_TIMEOUTS: [(&str, &str); 5] = [
    ("connect_timeout", "5"),
    ("tcp_user_timeout", "10000"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "3"),
];

fn postgres(text: &str) -> Result<Database, SettingError> {
    if has_invalid_escape(text.as_bytes()) {
        return Err(SettingError(
            "--database-url contains a % that two hexadecimal digits do not follow, or %00. Write %25 for a % in a password."
                .to_owned(),
        ));
    }
    let mut url = Url::parse(text).map_err(|error| {
        SettingError(format!("--database-url is not a URL ({error}). Give postgres://USER:PASSWORD@HOST/DATABASE."))
    })?;
    let parameter = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let hosts = [parameter("hostaddr"), parameter("host"), url.host_str().map(str::to_owned)];
    let hosts: Vec<String> = hosts.into_iter().flatten().filter(|host| !host.is_empty()).collect();
    let is_local = |host: &str| host.starts_with('/') || host.starts_with("%2F") || is_loopback(host);
    let is_encrypted = matches!(parameter("sslmode").as_deref(), Some("require" | "verify-ca" | "verify-full"));
    let is_all_local = hosts.iter().flat_map(|hosts| hosts.split(',')).all(is_local);
    if !is_all_local {
        if !cfg!(feature = "postgres-tls") {
            return Err(SettingError(
                "--database-url names a PostgreSQL server on another machine, and this build has no TLS. Build with --features postgres-tls, or use a server on this machine.".to_owned(),
            ));
        }
        if !is_encrypted {
            return Err(SettingError(
                "--database-url names a PostgreSQL server on another machine without TLS. Add ?sslmode=verify-full (or require) to it.".to_owned(),
            ));
        }
    }
    // A standby may still show a revoked key as active.
    match parameter("target_session_attrs").as_deref() {
        None => {
            url.query_pairs_mut().append_pair("target_session_attrs", "read-write");
        }
        Some("read-write" | "primary") => {}
        Some(_) => {
            return Err(SettingError(
                "--database-url must lead to the primary, as a standby may still accept a revoked key. Remove target_session_attrs from it.".to_owned(),
            ));
        }
    }
    for (name, value) in NETWORK_TIMEOUTS {
        if parameter_missing(&url, name) {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    Ok(Database::Postgres(url.into()))
}

/// Whether libpq would reject the text, in a message that repeats a part of it.
fn has_invalid_escape(text: &[u8]) -> bool {
    let is_escape = |hex: &[u8]| hex.iter().all(u8::is_ascii_hexdigit) && hex != b"00";
    text.iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'%')
        .any(|(at, _)| !text.get(at + 1..at + 3).is_some_and(is_escape))
}

/// Returns what of a URL no message may repeat, the longest first: itself and its passwords, encoded and decoded.
fn secrets_in(text: &str) -> Vec<String> {
    let mut secrets = vec![text.to_owned()];
    if let Ok(url) = Url::parse(text) {
        let parameters = url.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        let is_password = |name: &str| matches!(name, "password" | "sslpassword");
        let passwords = parameters.filter(|(name, _)| is_password(name)).map(|(_, value)| value).chain(url.password());
        for password in passwords {
            secrets.push(password.to_owned());
            secrets.push(percent_decode_str(password).decode_utf8_lossy().into_owned());
        }
    }
    secrets.retain(|secret| !secret.is_empty());
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

fn parameter_missing(url: &Url, name: &str) -> bool {
    !url.query_pairs().any(|(key, _)| key == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_a_server_on_this_machine_are_accepted() {
        assert!(
            matches!(Database::parse("sqlite:///tmp/k.db").unwrap(), Database::Sqlite(path) if path.to_str() == Some("/tmp/k.db"))
        );
        for local in [
            "postgres://keydesk@localhost/keydesk",
            "postgres://keydesk:secret@127.0.0.1:5433/keydesk",
            "postgres://keydesk@[::1]/keydesk",
            "postgresql:///keydesk?host=/var/run/postgresql",
            "postgres://keydesk@%2Fvar%2Frun%2Fpostgresql/keydesk",
        ] {
            let Database::Postgres(url) = Database::parse(local).unwrap() else { panic!("{local}") };
            assert!(url.contains("target_session_attrs=read-write"), "{url}");
        }
    }

    #[test]
    fn only_the_primary_is_accepted() {
        let url = |attrs: &str| format!("postgres://keydesk@localhost/keydesk?target_session_attrs={attrs}");
        for accepted in ["read-write", "primary"] {
            assert!(Database::parse(&url(accepted)).is_ok(), "{accepted}");
        }
        for refused in ["any", "read-only", "standby", "prefer-standby", ""] {
            let error = Database::parse(&url(refused)).unwrap_err().to_string();
            assert!(error.contains("must lead to the primary"), "{refused}: {error}");
        }
    }

    #[test]
    fn a_server_on_another_machine_needs_tls() {
        for remote in [
            "postgres://keydesk@db.example.com/keydesk",
            "postgres://keydesk@localhost/keydesk?hostaddr=192.0.2.1",
            "postgres://keydesk@localhost/keydesk?host=localhost,db.example.com",
        ] {
            assert!(Database::parse(remote).unwrap_err().to_string().contains("another machine"), "{remote}");
        }
    }

    #[test]
    fn other_urls_are_rejected_without_repeating_a_password() {
        for wrong in
            ["mysql://u:hunter2@h/d", "keydesk.db", "sqlite://", "sqlite://:memory:", "postgres://u:hunter2@h:port/d"]
        {
            let sentence = Database::parse(wrong).unwrap_err().to_string();
            assert!(sentence.starts_with("--database-url") && !sentence.contains("hunter2"), "{sentence}");
        }
        let local = Database::parse("postgres://u:hunter2@localhost/d").unwrap();
        assert!(!format!("{local:?}").contains("hunter2"));
    }

    #[test]
    fn a_percent_sign_that_is_no_escape_is_rejected_without_repeating_it() {
        for wrong in ["hunter2%", "hunter2%4", "hunter2%zz", "hunter2%00"] {
            for url in [
                format!("postgres://u:{wrong}@localhost/d"),
                format!("postgres://u@localhost/d?password={wrong}"),
                format!("postgres:///d?application_name={wrong}"),
            ] {
                let sentence = Database::parse(&url).unwrap_err().to_string();
                assert!(sentence.contains("%25") && !sentence.contains("hunter2"), "{sentence}");
            }
        }
        assert!(Database::parse("postgres://u:100%25@localhost/d").is_ok());
        assert!(Database::parse("sqlite:///tmp/100%/k.db").is_ok());
    }

    #[test]
    fn a_message_of_the_driver_is_shown_without_secrets() {
        let database =
            Database::parse("postgres://u:hun%40ter2@localhost/d?sslpassword=tr%2Bam&password=violet").unwrap();
        let Database::Postgres(url) = &database else { panic!("{database:?}") };
        let message = format!("a {url} b hun%40ter2 c hun@ter2 d tr%2Bam e tr+am f violet g");
        assert_eq!(database.without_secrets(&message), "a … b … c … d … e … f … g");
        assert_eq!(database.without_secrets("the server refused user u"), "the server refused user u");
    }
}
