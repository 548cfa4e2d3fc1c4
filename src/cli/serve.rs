//! `keydesk serve`.

use super::error::CliError;
use super::output::print_lines;
use crate::clock::Clock;
use crate::config::Config;
use crate::server::{self, Server};

pub(super) fn serve(config: Config) -> Result<(), CliError> {
    let actions = server::open(&config, &Clock::system())?;
    run(Server::bind(config, actions)?, &[])
}

/// Prints `first`, the address and the set-up link, and serves until a signal stops the server.
pub(super) fn run(server: Server, first: &[String]) -> Result<(), CliError> {
    let mut lines = first.to_vec();
    lines.push(format!("Listening on http://{}", server.address()));
    lines.extend(server.setup_link()?.map(|link| format!("Set-up link: {link}")));
    let (recorder, continuity) = (server.usage_recorder(), server.continuity());
    actix_web::rt::System::new().block_on(async move {
        let server = actix_web::rt::spawn(server.start()?);
        // The first poll installs the signal handlers: a program that reads the lines may send a signal at once.
        tokio::task::yield_now().await;
        print_lines(lines)?;
        let result = server.await?;
        // The server has stopped, so nothing is counted after this.
        if let Err(error) = recorder.record() {
            tracing::warn!(%error, "usage not recorded");
        }
        if let Err(error) = continuity.run() {
            tracing::warn!(%error, "audit trails not compared");
        }
        Ok(result?)
    })
}
