//! Serves until a signal stops the server, after a drain.

use std::io;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::rt::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;

use super::service_manager::ServiceManager;
use crate::http::Drain;

/// Handles the signals that stop a server.
pub struct Shutdown {
    drain: Drain,
    duration: Duration,
    service_manager: ServiceManager,
    terminate: Signal,
    forced: [Signal; 2],
}

impl Shutdown {
    /// Installs the handlers. From then on, a signal waits for [`serve`](Self::serve).
    ///
    /// # Errors
    /// The system refuses a handler.
    pub(super) fn install(drain: Drain, duration: Duration, service_manager: ServiceManager) -> io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        let forced = [signal(SignalKind::interrupt())?, signal(SignalKind::quit())?];
        Ok(Self { drain, duration, service_manager, terminate, forced })
    }

    /// Serves until a signal stops the server. SIGTERM lets the server drain, then requests in progress end. A second
    /// one, SIGINT and SIGQUIT end them at once.
    ///
    /// # Errors
    /// The server cannot start its threads.
    pub async fn serve(mut self, server: Server) -> io::Result<()> {
        let handle = server.handle();
        tokio::select! {
            result = server => result,
            // The server is dropped, which ends its requests.
            () = self.wait_for_hurry(&handle) => Ok(()),
        }
    }

    /// Stops the server gracefully on the first signal that asks for it. Returns when requests are to end at once.
    async fn wait_for_hurry(&mut self, server: &ServerHandle) {
        if self.wait_for_stop().await == Stop::Gracefully && self.drain().await == Stop::Gracefully {
            // The returned future only waits for the end of the server.
            drop(server.stop(true));
            self.wait_for_stop().await;
        }
        tracing::info!("ending requests in progress");
        self.service_manager.stopping("Ending requests in progress");
    }

    /// Waits for a signal.
    async fn wait_for_stop(&mut self) -> Stop {
        let [interrupt, quit] = &mut self.forced;
        tokio::select! {
            _ = self.terminate.recv() => Stop::Gracefully,
            _ = interrupt.recv() => Stop::AtOnce,
            _ = quit.recv() => Stop::AtOnce,
        }
    }

    /// Serves for the time of the drain, unless another signal arrives.
    async fn drain(&mut self) -> Stop {
        self.drain.begin();
        if !self.duration.is_zero() {
            let seconds = self.duration.as_secs_f32();
            tracing::info!(seconds, "draining before the stop");
            self.service_manager.stopping(&format!("Draining for {seconds} s"));
            if timeout(self.duration, self.wait_for_stop()).await.is_ok() {
                return Stop::AtOnce;
            }
        }
        self.drain.end();
        self.service_manager.stopping("Finishing requests in progress");
        Stop::Gracefully
    }
}

/// How the server stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// Requests in progress are finished.
    Gracefully,
    /// Requests in progress are ended.
    AtOnce,
}
