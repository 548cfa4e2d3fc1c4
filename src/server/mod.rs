//! Opens an installation from its configuration, and serves it.

mod background;
mod clock_warning;
mod error;
mod file_permissions;
mod http_server;
mod metrics;
mod open;

pub use background::{Continuity, UsageRecorder};
pub use error::StartError;
pub use http_server::Server;
pub use open::{ReadOnlyInstallation, open, open_read_only};
