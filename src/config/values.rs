//! The checked settings.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

use super::database::Database;
use super::witnesses::WitnessSettings;
use crate::domain::key::api_key::KeyFormat;

/// Settings that are valid together.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The folder of the installation's files.
    pub data_dir: PathBuf,
    /// The database.
    pub database: Database,
    /// The file of the installation's secrets.
    pub secrets_file: PathBuf,
    /// Whether a database may be created for an existing secrets file.
    pub new_database: bool,
    /// The URL under which browsers reach Keydesk, if it differs from the listen address.
    pub public_url: Option<Url>,
    /// The name of the platform whose API the keys open.
    pub platform_name: String,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The format of keys.
    pub key_format: KeyFormat,
    /// Whether keys with a prefix that the format does not have may be refused.
    pub drop_prefix: bool,
    /// The witnesses of checkpoints.
    pub witnesses: WitnessSettings,
    /// Opens the metrics.
    pub metrics_token: Option<SecretString>,
    /// Whether a start migrates the database.
    pub migrate: MigrateMode,
    /// Whether a database is copied before it is migrated.
    pub migration_backup: MigrationBackup,
    /// How long the server goes on serving after it was told to stop.
    pub drain: Duration,
}

/// When the schema of the database is brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum MigrateMode {
    /// At each start
    Auto,
    /// By keydesk migrate only; without it, the start is refused
    Never,
}

/// Whether a SQLite database is copied before it is migrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum MigrationBackup {
    /// Into a file beside it; without enough space, it is not migrated
    Auto,
    /// Not at all
    Never,
}
