//! Stops the server on a signal, after a drain.

use std::io;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;

use crate::http::Drain;

/// Handles the signals that stop a server.
pub struct Shutdown {
    drain: Drain,
    duration: Duration,
    graceful: Signal,
    forced: [Signal; 2],
}

impl Shutdown {
    /// Installs the handlers. From then on, a signal waits for [`stop_on_signal`](Self::stop_on_signal).
    ///
    /// # Errors
    /// The system refuses a handler.
    pub(super) fn install(drain: Drain, duration: Duration) -> io::Result<Self> {
        let graceful = signal(SignalKind::terminate())?;
        let forced = [signal(SignalKind::interrupt())?, signal(SignalKind::quit())?];
        Ok(Self { drain, duration, graceful, forced })
    }

    /// Waits for a signal and stops the server. SIGTERM lets the server drain, then requests in progress end; a second one
    /// ends the drain. SIGINT and SIGQUIT stop it at once.
    pub async fn stop_on_signal(mut self, server: ServerHandle) {
        let [interrupt, quit] = &mut self.forced;
        let forced = async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = quit.recv() => {}
            }
        };
        let drained = async {
            self.graceful.recv().await;
            if !self.duration.is_zero() {
                tracing::info!(seconds = self.duration.as_secs_f32(), "draining before the stop");
                self.drain.begin();
                let _ = timeout(self.duration, self.graceful.recv()).await;
            }
        };
        let is_graceful = tokio::select! {
            () = forced => false,
            () = drained => true,
        };
        server.stop(is_graceful).await;
    }
}
