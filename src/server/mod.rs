//! Opens an installation from its configuration, and serves it.

mod background;
mod clock_warning;
mod copy;
mod disk;
pub mod doctor;
mod error;
mod file_access;
mod file_permissions;
mod http_server;
mod key_prefixes;
mod lease;
mod metrics;
mod open;
#[cfg(target_os = "linux")]
mod process_metrics;
mod sampler;
mod secrets_watch;
mod service_manager;
mod shutdown;
mod start_line;
mod start_signals;
mod wal_watch;
mod watchdog;

pub use background::{Continuity, SetupLinkCloser, UsageRecorder};
pub use copy::copy_database;
pub use error::StartError;
pub use file_permissions::check as check_file_permissions;
pub use http_server::Server;
pub use open::{ReadOnlyInstallation, lock_data_folder, memory_keys, migrate, open, open_read_only, wait_for_database};
pub use sampler::Sampler;
pub use secrets_watch::SecretsWatch;
pub use service_manager::ServiceManager;
pub use shutdown::Shutdown;
pub use start_signals::StartSignals;
