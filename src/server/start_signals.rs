//! Signals while the program starts. The first process of a container ignores a signal that it does not handle, so a
//! start that waits for its database could not be stopped.

use std::{io, thread};

use actix_web::rt::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::error::StartError;

/// Handles signals until it is dropped.
#[derive(Debug)]
pub struct StartSignals {
    _started: oneshot::Sender<()>,
}

impl StartSignals {
    /// Handles signals from now on: SIGTERM, SIGINT and SIGQUIT call `stop`, which ends the program. SIGHUP is ignored
    /// until the end of the program: it reopens nothing and ends nothing.
    ///
    /// # Errors
    /// [`StartError::System`]: the system refuses the handlers or a thread.
    pub fn install(stop: impl FnOnce() + Send + 'static) -> Result<Self, StartError> {
        Self::try_install(stop)
            .map_err(|error: io::Error| StartError::System(format!("Signals cannot be handled: {error}.")))
    }

    fn try_install(stop: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let entered = runtime.enter();
        // A handler stays installed when its stream of signals is dropped.
        drop(signal(SignalKind::hangup())?);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut quit = signal(SignalKind::quit())?;
        drop(entered);
        let (sender, started) = oneshot::channel::<()>();
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let is_stopped = runtime.block_on(async {
                tokio::select! {
                    _ = started => false,
                    _ = terminate.recv() => true,
                    _ = interrupt.recv() => true,
                    _ = quit.recv() => true,
                }
            });
            if is_stopped {
                stop();
            }
        })?;
        Ok(Self { _started: sender })
    }
}
