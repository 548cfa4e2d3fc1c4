//! Examines an installation and its running server, and says what is wrong. Creates and changes nothing.

mod backup;
mod finding;
mod http;
mod installation;
mod running_server;
mod subject;

pub use finding::{Finding, Report};
pub use subject::Subject;

use crate::clock::Clock;
use crate::config::Config;

/// Examines everything, in the order of importance. `clock` is the system's.
#[must_use]
pub fn examine(config: &Config, clock: &Clock) -> Report {
    let mut report = installation::examine(config, clock);
    report.extend(running_server::examine(config, clock));
    report.sort_by_key(|(subject, _)| *subject);
    report
}

/// Asks the running server alone. Reads no file.
#[must_use]
pub fn examine_server(config: &Config) -> Report {
    vec![(Subject::Server, running_server::readiness(config))]
}
