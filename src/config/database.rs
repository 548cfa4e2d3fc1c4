//! The location of the database: a file or a PostgreSQL server.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::SettingError;
use super::{paths, postgres_servers, postgres_url, secret_file};

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
    /// Reads the location from a flag that is the URL, or from one that names a file with it; `None` without either.
    ///
    /// # Errors
    /// [`SettingError`], naming the flag.
    pub fn from_flags(
        (url_flag, url): (&str, Option<String>),
        (file_flag, file): (&str, Option<PathBuf>),
    ) -> Result<Option<Self>, SettingError> {
        let url = match (url, file) {
            (None, None) => return Ok(None),
            (Some(url), None) => url,
            (None, Some(file)) => secret_file::read_secret_line(file_flag, &file)?,
            (Some(_), Some(_)) => {
                return Err(SettingError(format!("{url_flag} and {file_flag} are both set. Set one of them.")));
            }
        };
        let parsed =
            Self::parse(&url).map_err(|SettingError(text)| SettingError(text.replace("--database-url", url_flag)));
        parsed.map(Some)
    }

    /// Parses a database URL. Errors do not repeat it, because it may hold a password.
    ///
    /// # Errors
    /// [`SettingError`] for an unknown scheme, a malformed URL, or PostgreSQL on another machine without TLS.
    pub fn parse(url: &str) -> Result<Self, SettingError> {
        if url.trim().is_empty() {
            return Err(SettingError(
                "--database-url is empty. Give sqlite://FILE or postgres://USER@HOST/DATABASE, or leave it out."
                    .to_owned(),
            ));
        }
        match url.split_once("://") {
            Some(("sqlite", path)) => sqlite(path),
            Some(("postgres" | "postgresql", rest)) => postgres_url::check(url, rest).map(Self::Postgres),
            _ => Err(SettingError(
                "--database-url starts with neither sqlite:// nor postgres://. Use one of the two.".to_owned(),
            )),
        }
    }

    /// Returns each server of a PostgreSQL URL that names several.
    #[must_use]
    pub fn servers(&self) -> Vec<Self> {
        match self {
            Self::Sqlite(_) => vec![self.clone()],
            Self::Postgres(url) => postgres_servers::of_each_server(url).into_iter().map(Self::Postgres).collect(),
        }
    }

    /// Returns a message of the database's driver without the URL and the passwords in it.
    #[must_use]
    pub fn without_secrets(&self, message: &str) -> String {
        match self {
            Self::Sqlite(_) => message.to_owned(),
            Self::Postgres(url) => {
                let secrets = postgres_url::secrets_in(url);
                secrets.iter().fold(message.to_owned(), |message, secret| message.replace(secret, "…"))
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
    paths::absolute("--database-url sqlite://…", Path::new(path), "Give a path.").map(Database::Sqlite)
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
    fn other_urls_are_rejected_without_repeating_a_password() {
        for wrong in [
            "",
            " ",
            "mysql://u:hunter2@h/d",
            "keydesk.db",
            "sqlite://",
            "sqlite://:memory:",
            "postgres://u:hunter2@h:port/d",
        ] {
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
