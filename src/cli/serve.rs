//! `keydesk serve`.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{mem, process, thread};

use super::error::CliError;
use super::log::Log;
use super::output::print_lines;
use crate::clock::Clock;
use crate::config::Config;
use crate::server::{
    self, Continuity, SecretsWatch, Server, ServiceManager, SetupLinkCloser, StartSignals, UsageRecorder,
};

/// With the time in which requests finish, the program ends within 35 seconds.
const END_TIMEOUT: Duration = Duration::from_secs(4);

pub(super) fn serve(config: Config, log: &Log) -> Result<(), CliError> {
    let start = Start::begin(log)?;
    start.status("Waiting for the database");
    server::wait_for_database(&config)?;
    start.status("Opening the installation, which may migrate the database");
    let actions = server::open(&config, &Clock::system())?;
    run(Server::bind(config, actions)?, &[], log, start)
}

/// A start that a signal can end, and that the service manager knows of.
pub(super) struct Start {
    signals: StartSignals,
    service_manager: ServiceManager,
}

impl Start {
    pub(super) fn begin(log: &Log) -> Result<Self, CliError> {
        let service_manager = ServiceManager::from_environment();
        let (stopping, log) = (service_manager.clone(), log.clone());
        let signals = StartSignals::install(move || {
            stopping.stopping("Stopped");
            tracing::info!("stopped before the start was complete");
            log.finish([""; 0]);
            process::exit(0);
        })?;
        Ok(Self { signals, service_manager })
    }

    fn status(&self, status: &str) {
        self.service_manager.status(status);
    }
}

/// Prints `first`, the address and the set-up link, and serves until a signal stops the server.
pub(super) fn run(server: Server, first: &[String], log: &Log, start: Start) -> Result<(), CliError> {
    let Start { signals, service_manager } = start;
    let server = server.with_dropped_log_lines(log.dropped_lines()).with_service_manager(service_manager.clone());
    let mut lines = first.to_vec();
    let address = format!("http://{}", server.address());
    lines.push(format!("Listening on {address}"));
    lines.extend(server.setup_link().map(|link| format!("Set-up link: {link}")));
    let end = End {
        setup_link: server.setup_link_closer(),
        recorder: server.usage_recorder(),
        continuity: server.continuity(),
        secrets: server.secrets_watch(),
    };
    let system = actix_web::rt::System::new();
    let result = system.block_on(async move {
        // A program that reads the lines may send a signal at once.
        let shutdown = server.shutdown()?;
        drop(signals);
        let server = server.start()?;
        print_in_background(lines)?;
        service_manager.ready(&format!("Serving on {address}"));
        Ok(shutdown.serve(server).await?)
    });
    // Its end would wait for background jobs, which may hang with the database.
    mem::forget(system);
    end.run()?;
    tracing::info!("server stopped");
    result
}

/// What is done when the server has stopped, so that nothing is counted after it.
struct End {
    setup_link: SetupLinkCloser,
    recorder: UsageRecorder,
    continuity: Continuity,
    secrets: SecretsWatch,
}

impl End {
    /// Runs in a thread of its own: a database that hangs does not keep the program from ending.
    fn run(self) -> Result<(), CliError> {
        let (done, is_done) = mpsc::channel();
        thread::Builder::new().name("end".to_owned()).spawn(move || {
            self.setup_link.close();
            if let Err(error) = self.recorder.record() {
                tracing::warn!(%error, "usage not recorded");
            }
            if let Err(error) = self.continuity.run() {
                tracing::warn!(%error, "audit trails not compared");
            }
            self.secrets.end();
            let _ = done.send(());
        })?;
        if is_done.recv_timeout(END_TIMEOUT) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the database does not answer; usage not recorded");
        }
        Ok(())
    }
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
