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
    let recorder = server.usage_recorder();
    actix_web::rt::System::new().block_on(async move {
        let server = actix_web::rt::spawn(server.start()?);
        // Its first poll takes the signals: whoever reads the lines may send one at once.
        tokio::task::yield_now().await;
        // In one piece: whoever wants the first line alone may stop listening behind it.
        let mut output = io::stdout();
        output.write_all(format!("{}\n", lines.join("\n")).as_bytes())?;
        output.flush()?;
        let ended = server.await?;
        // Nobody is answered any more: what was counted last is not lost.
        if let Err(error) = recorder.record() {
            tracing::warn!(%error, "the last uses of keys could not be written down");
        }
        Ok(ended?)
    })
}
