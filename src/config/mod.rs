//! The settings: parsed from flags and variables, and checked together before anything is touched.

mod database;
mod error;
mod list;
mod loopback;
mod parse;
mod paths;
mod postgres_servers;
mod postgres_url;
mod public_url;
mod secret_file;
pub mod settings;
mod values;
pub mod variables;
mod witnesses;

pub use database::{Database, sqlite_companions};
pub use error::SettingError;
pub use public_url::PublicUrl;
pub use secret_file::{read_secret_line, without_credentials};
pub use settings::Settings;
pub use values::{Config, MigrateMode, MigrationBackup};
pub use witnesses::{WebhookSettings, WitnessSettings};
