//! `keydesk serve`: prints where it listens and, while set-up is open, the link that opens it.

use std::io::{self, Write};

use super::Refusal;
use crate::clock::Clock;
use crate::config::Config;
use crate::server::{self, Server};

pub(super) fn serve(config: Config) -> Result<(), Refusal> {
    let actions = server::open(&config, &Clock::machine())?;
    run(Server::bind(config, actions)?, &[])
}

/// Prints what a person or a script waits for, and serves until it is told to stop.
pub(super) fn run(server: Server, first: &[String]) -> Result<(), Refusal> {
    let mut lines = first.to_vec();
    lines.push(format!("Listening on http://{}", server.address()));
    lines.extend(server.setup_link()?.map(|link| format!("Set-up link: {link}")));
    actix_web::rt::System::new().block_on(async move {
        let server = server.start()?;
        let mut output = io::stdout().lock();
        for line in lines {
            writeln!(output, "{line}")?;
        }
        output.flush()?;
        drop(output);
        Ok(server.await?)
    })
}
