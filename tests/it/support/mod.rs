//! A real server for each test, the callers that talk to it, and a database of its own.

pub mod authenticator;
pub mod browser;
pub mod database;
pub mod history;
pub mod keys;
pub mod people;
pub mod race;
pub mod receiver;
pub mod server;
pub mod stale;

pub use browser::{Answer, Browser, Html};
pub use server::TestServer;

/// The API Keys page.
pub const K: &str = "/administration/company-settings/api-keys";

/// The Audit Trail page.
pub const T: &str = "/administration/company-settings/audit-trail";

/// The Users page.
pub const U: &str = "/administration/access-control/users";

/// A password that is hard enough to guess.
pub const PASSWORD: &str = "violet tram hums loudly";
