//! Starts a server with its own database for each test, and clients that talk to it.

pub mod authenticator;
pub mod browser;
pub mod cluster;
pub mod companies;
pub mod database;
pub mod figures;
pub mod history;
pub mod keys;
pub mod private_postgres;
pub mod race;
pub mod receiver;
pub mod relay;
pub mod server;
pub mod stale_servers;
pub mod users;

pub use browser::{Answer, Browser, Html};
pub use server::TestServer;

pub const API_KEYS: &str = "/administration/company-settings/api-keys";

pub const AUDIT_TRAIL: &str = "/administration/company-settings/audit-trail";

pub const USERS: &str = "/administration/access-control/users";

/// A password that passes the strength check.
pub const PASSWORD: &str = "violet tram hums loudly";
