//! The settings, checked: which says what is wrong and what to do, before anything is touched.

mod database;
pub mod settings;
mod witnesses;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

pub use database::Database;
use ipnet::IpNet;
use secrecy::SecretString;
pub use settings::Settings;
use url::Url;
pub use witnesses::{WebhookSettings, WitnessSettings};

use crate::domain::key::KeyFormat;

/// Settings that fit together.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where the installation keeps its files.
    pub data_dir: PathBuf,
    /// Where the database is.
    pub database: Database,
    /// Where the secrets are.
    pub secrets_file: PathBuf,
    /// Where users find Keydesk, where that is not the address it listens on.
    pub public_url: Option<Url>,
    /// What the platform is called whose API the keys open.
    pub platform_name: String,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// What a key looks like.
    pub key_format: KeyFormat,
    /// Where checkpoints are witnessed.
    pub witnesses: WitnessSettings,
    /// Shows the metrics to callers beyond this machine.
    pub metrics_token: Option<SecretString>,
}

/// A setting that is refused. Displays as a sentence that says which one and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SettingError(pub String);

/// Where users find Keydesk: the origin that links are built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The public URL, given the address that was really bound.
    #[must_use]
    pub fn new(config: &Config, bound: SocketAddr) -> Self {
        Self(
            config
                .public_url
                .as_ref()
                .map_or_else(|| format!("http://{bound}"), |url| url.origin().ascii_serialization()),
        )
    }

    /// Whether browsers reach Keydesk over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The origin, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether nobody but this machine can reach that host.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
