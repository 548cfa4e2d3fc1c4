//! `keydesk serve`.

use std::thread;

use super::error::CliError;
use super::log::Log;
use super::output::print_lines;
use crate::clock::Clock;
use crate::config::Config;
use crate::server::{self, Server};

pub(super) fn serve(config: Config, log: &Log) -> Result<(), CliError> {
    server::wait_for_database(&config)?;
    let actions = server::open(&config, &Clock::system())?;
    run(Server::bind(config, actions)?, &[], log)
}

/// Prints `first`, the address and the set-up link, and serves until a signal stops the server.
pub(super) fn run(server: Server, first: &[String], log: &Log) -> Result<(), CliError> {
    let server = server.with_dropped_log_lines(log.dropped_lines());
    let mut lines = first.to_vec();
    lines.push(format!("Listening on http://{}", server.address()));
    lines.extend(server.setup_link().map(|link| format!("Set-up link: {link}")));
    let (recorder, setup_link) = (server.usage_recorder(), server.setup_link_closer());
    let continuity = server.continuity();
    actix_web::rt::System::new().block_on(async move {
        server.log_start();
        // A program that reads the lines may send a signal at once.
        let shutdown = server.shutdown()?;
        let server = server.start()?;
        actix_web::rt::spawn(shutdown.stop_on_signal(server.handle()));
        print_in_background(lines)?;
        let result = server.await;
        setup_link.close();
        // The server has stopped, so nothing is counted after this.
        if let Err(error) = recorder.record() {
            tracing::warn!(%error, "usage not recorded");
        }
        if let Err(error) = continuity.run() {
            tracing::warn!(%error, "audit trails not compared");
        }
        tracing::info!("server stopped");
        Ok(result?)
    })
}

/// Prints on a thread of its own: a reader that has closed the pipe, or never reads, does not stop the server.
fn print_in_background(lines: Vec<String>) -> Result<(), CliError> {
    thread::Builder::new().name("output".to_owned()).spawn(move || {
        if let Err(CliError(error)) = print_lines(lines) {
            tracing::warn!(error, "address not printed");
        }
    })?;
    Ok(())
}
