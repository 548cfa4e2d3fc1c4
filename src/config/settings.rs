//! The settings as flags and `KEYDESK_…` variables, and the check that turns them into a [`Config`].

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::database::Database;
use super::error::SettingError;
use super::list::{self, List};
use super::loopback::is_loopback;
use super::parse::{parse_address, parse_drain, parse_networks, parse_prefixes, parse_public_url};
use super::paths;
use super::values::{Config, MigrateMode, MigrationBackup};
use super::witnesses::WitnessFlags;
use crate::domain::key::api_key::{KeyFormat, KeyPrefix};

const MIN_METRICS_TOKEN_CHARS: usize = 16;

/// All settings. Each is a flag of every command and an environment variable.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Listen on this address; port 0 takes a free one
    #[arg(long, global = true, env = "KEYDESK_LISTEN", value_name = "HOST:PORT", default_value = "127.0.0.1:8080", value_parser = parse_address)]
    listen: SocketAddr,

    /// Keep the installation's files in this folder
    #[arg(long, global = true, env = "KEYDESK_DATA_DIR", value_name = "FOLDER", default_value = "data")]
    data_dir: PathBuf,

    /// sqlite://FILE or postgres://USER@HOST/DATABASE [default: sqlite://{data-dir}/keydesk.db]
    #[arg(long, global = true, env = "KEYDESK_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,

    /// Read the URL of the database from this file, which other users cannot read: a command line shows a password
    #[arg(long, global = true, env = "KEYDESK_DATABASE_URL_FILE", value_name = "FILE")]
    database_url_file: Option<PathBuf>,

    /// Keep the installation's secrets in this file [default: {data-dir}/secrets]
    #[arg(long, global = true, env = "KEYDESK_SECRETS_FILE", value_name = "FILE")]
    secrets_file: Option<PathBuf>,

    /// The URL under which browsers reach Keydesk; links are built from it [default: http://{listen}]
    #[arg(long, global = true, env = "KEYDESK_PUBLIC_URL", value_name = "URL", value_parser = parse_public_url)]
    public_url: Option<Url>,

    /// The name of the platform whose API the keys open
    #[arg(long, global = true, env = "KEYDESK_PLATFORM_NAME", value_name = "NAME", default_value = "Go Autonomous")]
    platform_name: String,

    /// Trust X-Forwarded-For from this address or network; may be repeated
    #[arg(long, global = true, env = "KEYDESK_TRUSTED_PROXY", value_name = "ADDRESS", value_delimiter = ',', value_parser = parse_networks)]
    trusted_proxy: Vec<List<IpNet>>,

    /// Accept keys with this prefix; may be repeated, and new keys have the first
    #[arg(
        long,
        global = true,
        env = "KEYDESK_KEY_PREFIX",
        value_name = "PREFIX",
        value_delimiter = ',',
        default_value = "goa",
        value_parser = parse_prefixes
    )]
    key_prefix: Vec<List<KeyPrefix>>,

    /// Start although active keys have a prefix that --key-prefix does not list; they are refused
    #[arg(long, global = true, env = "KEYDESK_DROP_PREFIX", value_parser = clap::builder::BoolishValueParser::new())]
    drop_prefix: bool,

    /// Show /metrics to clients that send this bearer token; 16 characters or more. Without a trusted proxy, clients on
    /// this machine need none
    #[arg(long, global = true, env = "KEYDESK_METRICS_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    metrics_token: Option<SecretString>,

    #[command(flatten)]
    witnesses: WitnessFlags,

    /// Whether to bring the schema of the database up to date; with never, keydesk migrate does that
    #[arg(long, global = true, env = "KEYDESK_MIGRATE", value_name = "WHEN", default_value = "auto")]
    migrate: MigrateMode,

    /// Whether to copy a SQLite database into a file beside it before its schema is changed
    #[arg(long, global = true, env = "KEYDESK_MIGRATION_BACKUP", value_name = "WHEN", default_value = "auto")]
    migration_backup: MigrationBackup,

    /// Serve for this time after SIGTERM, such as 10s, while /readyz is 503 and connections are closed
    #[arg(long, global = true, env = "KEYDESK_DRAIN", value_name = "DURATION", default_value = "0s", value_parser = parse_drain)]
    drain: Duration,

    /// Create a new database although the secrets file exists, which otherwise means that the database is missing
    #[arg(long, global = true, env = "KEYDESK_NEW_DATABASE", value_parser = clap::builder::BoolishValueParser::new())]
    new_database: bool,

    /// Allow plain http beyond this machine: passwords and keys then cross the network unencrypted
    #[arg(long, global = true, env = "KEYDESK_ALLOW_PLAIN_HTTP", value_parser = clap::builder::BoolishValueParser::new())]
    allow_plain_http: bool,

    /// The level of the log on standard error
    #[arg(long, global = true, env = "KEYDESK_LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    pub log_level: LogLevel,

    /// The format of the log: text, or one JSON object on each line
    #[arg(long, global = true, env = "KEYDESK_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// The format of the log.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    Text,
    /// Lines for programs
    Json,
}

/// The level of the log.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum LogLevel {
    /// Failures
    Error,
    /// Problems that may become failures
    Warn,
    /// Events, among them each page that was served
    Info,
    /// Details for developers: each query and its duration
    Debug,
    /// The start of each query, too
    Trace,
}

impl Settings {
    /// Checks the settings together.
    ///
    /// # Errors
    /// [`SettingError`]: which setting is rejected and what to do.
    pub fn check(self) -> Result<Config, SettingError> {
        let is_plain_http = self.public_url.as_ref().is_none_or(|url| url.scheme() == "http");
        if is_plain_http && !self.allow_plain_http {
            if !self.listen.ip().is_loopback() {
                return Err(SettingError(format!(
                    "--listen {} would serve plain http beyond this machine. Put a proxy with TLS in front and set --public-url https://…, or add --allow-plain-http.",
                    self.listen
                )));
            }
            if let Some(url) = &self.public_url
                && !url.host_str().is_some_and(is_loopback)
            {
                return Err(SettingError(format!(
                    "--public-url {} uses plain http beyond this machine. Use https://…, or add --allow-plain-http.",
                    url.origin().ascii_serialization()
                )));
            }
        }
        if self.platform_name.trim().is_empty() {
            return Err(SettingError(
                "--platform-name is empty. Name the platform whose API the keys open.".to_owned(),
            ));
        }
        if self
            .metrics_token
            .as_ref()
            .is_some_and(|token| token.expose_secret().chars().count() < MIN_METRICS_TOKEN_CHARS)
        {
            return Err(SettingError("--metrics-token is too short. Use 16 characters or more.".to_owned()));
        }
        if self
            .metrics_token
            .as_ref()
            .is_some_and(|token| !token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return Err(SettingError(
                "--metrics-token has characters that an Authorization header cannot carry. Use visible ASCII characters without spaces."
                    .to_owned(),
            ));
        }
        let mut prefixes = list::flatten(self.key_prefix);
        let newest = prefixes
            .next()
            .ok_or_else(|| SettingError("--key-prefix is empty. Give a prefix such as goa.".to_owned()))?;
        let data_dir = paths::absolute("--data-dir", &self.data_dir, "Name a folder.")?;
        let secrets_file = match self.secrets_file {
            None => data_dir.join("secrets"),
            Some(file) => paths::absolute("--secrets-file", &file, "Name a file.")?,
        };
        let (url, file) = (("--database-url", self.database_url), ("--database-url-file", self.database_url_file));
        let database =
            Database::from_flags(url, file)?.unwrap_or_else(|| Database::Sqlite(data_dir.join("keydesk.db")));
        Ok(Config {
            listen: self.listen,
            database,
            secrets_file,
            new_database: self.new_database,
            data_dir,
            public_url: self.public_url,
            platform_name: self.platform_name.trim().to_owned(),
            trusted_proxies: list::flatten(self.trusted_proxy).collect(),
            key_format: KeyFormat::new(newest, prefixes),
            drop_prefix: self.drop_prefix,
            witnesses: self.witnesses.check()?,
            metrics_token: self.metrics_token,
            migrate: self.migrate,
            migration_backup: self.migration_backup,
            drain: self.drain,
        })
    }

    /// Returns the same settings for a throw-away installation in `folder`, without witnesses.
    #[must_use]
    pub fn for_temporary_installation(self, folder: PathBuf) -> Self {
        Self {
            data_dir: folder,
            database_url: None,
            database_url_file: None,
            secrets_file: None,
            witnesses: WitnessFlags::default(),
            migrate: MigrateMode::Auto,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args, FromArgMatches};

    use super::*;

    fn settings(flags: &[&str]) -> Settings {
        let command = Settings::augment_args(clap::Command::new("keydesk"));
        let matches = command.try_get_matches_from([&["keydesk"], flags].concat()).unwrap();
        Settings::from_arg_matches(&matches).unwrap()
    }

    fn check(flags: &[&str]) -> Result<Config, SettingError> {
        settings(flags).check()
    }

    #[test]
    fn a_temporary_installation_has_its_own_files_and_no_witness() {
        let given = ["--database-url", "sqlite:///d", "--secrets-file", "/s", "--checkpoint-file", "/c"];
        assert!(check(&given).unwrap().witnesses.file.is_some());
        let config = settings(&given).for_temporary_installation(PathBuf::from("/throw-away")).check().unwrap();
        assert!(matches!(config.database, Database::Sqlite(path) if path.starts_with("/throw-away")));
        assert!(config.secrets_file.starts_with("/throw-away") && config.witnesses.file.is_none());
    }

    #[test]
    fn the_url_of_the_database_comes_from_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        std::fs::write(&file, "sqlite:///from-file.db\n").unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let from_file = ["--database-url-file", file.to_str().unwrap()];
        let config = check(&from_file).unwrap();
        assert!(matches!(config.database, Database::Sqlite(path) if path.ends_with("from-file.db")));
        let both = check(&[&from_file[..], &["--database-url", "sqlite:///d"]].concat()).unwrap_err().to_string();
        assert!(both.contains("both set"), "{both}");
    }

    #[test]
    fn all_settings_have_defaults() {
        let config = check(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.platform_name, "Go Autonomous");
        assert!(matches!(config.database, Database::Sqlite(path) if path.ends_with("data/keydesk.db")));
        assert!(config.secrets_file.ends_with("data/secrets"));
    }

    #[test]
    fn a_list_may_contain_blanks() {
        let prefixes = |list: &str| format!("{:?}", check(&["--key-prefix", list]).unwrap().key_format);
        for (before, between, after) in [("", ",", ""), ("", ", ", ""), (" ", " ,\n\t", ","), ("", " ", " ")] {
            let list = |first: &str, second: &str| format!("{before}{first}{between}{second}{after}");
            let proxies = check(&["--trusted-proxy", &list("10.0.0.1", "10.1.0.0/16")]).unwrap().trusted_proxies;
            assert_eq!(proxies.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.1/32", "10.1.0.0/16"]);
            assert_eq!(prefixes(&list("acme", "goa")), prefixes("acme,goa"));
        }
        assert!(check(&["--key-prefix", " , "]).unwrap_err().to_string().contains("--key-prefix is empty"));
        assert!(check(&["--trusted-proxy", " "]).unwrap().trusted_proxies.is_empty());
    }

    #[test]
    fn plain_http_beyond_this_machine_needs_a_flag() {
        assert!(check(&["--listen", "0.0.0.0:8080"]).unwrap_err().to_string().contains("--allow-plain-http"));
        assert!(check(&["--listen", "0.0.0.0:8080", "--public-url", "http://localhost:8080"]).is_err());
        assert!(check(&["--public-url", "http://keys.example.com"]).is_err());
        assert!(check(&["--listen", "0.0.0.0:8080", "--allow-plain-http"]).is_ok());
        assert!(check(&["--listen", "0.0.0.0:8080", "--public-url", "https://keys.example.com"]).is_ok());
        assert!(check(&["--listen", "[::1]:8080", "--public-url", "http://[::1]:8080"]).is_ok());
    }

    #[test]
    fn an_invalid_metrics_token_is_rejected_without_repeating_it() {
        let rejected = check(&["--metrics-token", "hunter2"]).unwrap_err().to_string();
        assert!(rejected.contains("16 characters") && !rejected.contains("hunter2"), "{rejected}");
        for invalid in ["sixteen letters!", " sixteen-letters", "sixteen-lettersé"] {
            let rejected = check(&["--metrics-token", invalid]).unwrap_err().to_string();
            assert!(rejected.contains("ASCII") && !rejected.contains("sixteen"), "{rejected}");
        }
        let config = check(&["--metrics-token", "sixteen-letters!"]).unwrap();
        assert!(config.metrics_token.is_some() && !format!("{config:?}").contains("sixteen"));
    }
}
