//! The watchdog of the service manager: it gets a ping only while the event loop of every worker makes progress.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use std::{io, thread};

use actix_web::rt::spawn;

use super::service_manager::ServiceManager;
use crate::http::Drain;

/// The parts of the watchdog's time in which a ping is sent, and in which a worker must have made progress.
const PINGS_PER_TIMEOUT: u32 = 3;
const BEATS_PER_PING: u32 = 4;

/// Observes the workers. Clones share what was observed.
#[derive(Clone, Debug)]
pub(super) struct Watchdog {
    interval: Duration,
    workers: Arc<Mutex<Workers>>,
}

/// When the event loop of each worker last made progress.
#[derive(Debug)]
struct Workers {
    expected: usize,
    running: Vec<Weak<Mutex<Instant>>>,
}

impl Watchdog {
    /// Starts the thread that pings until the last clone is dropped. Returns `None` if nothing expects a ping. Workers
    /// may end once the server stops, for which the service manager has a limit of its own.
    pub(super) fn start(service_manager: ServiceManager, expected: usize, drain: Drain) -> io::Result<Option<Self>> {
        let Some(timeout) = service_manager.watchdog() else { return Ok(None) };
        let interval = timeout / PINGS_PER_TIMEOUT;
        let workers = Arc::new(Mutex::new(Workers { expected, running: Vec::new() }));
        let observed = Arc::downgrade(&workers);
        thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            let mut was_hung = false;
            loop {
                thread::sleep(interval);
                let Some(workers) = observed.upgrade() else { break };
                let hung = if drain.has_ended() { 0 } else { lock(&workers).count_hung(interval) };
                if hung == 0 {
                    service_manager.ping_watchdog();
                } else if !was_hung {
                    tracing::error!(workers = hung, "workers hang, so the watchdog gets no ping");
                }
                was_hung = hung > 0;
            }
        })?;
        Ok(Some(Self { interval, workers }))
    }

    /// Observes the event loop of the current thread until it ends.
    pub(super) fn observe_this_worker(&self) {
        let beat = Arc::new(Mutex::new(Instant::now()));
        lock(&self.workers).running.push(Arc::downgrade(&beat));
        let interval = self.interval / BEATS_PER_PING;
        spawn(async move {
            loop {
                tokio::time::sleep(interval).await;
                *lock(&beat) = Instant::now();
            }
        });
    }
}

impl Workers {
    /// Returns how many workers are missing, or made no progress for `timeout`.
    fn count_hung(&mut self, timeout: Duration) -> usize {
        self.running.retain(|worker| worker.strong_count() > 0);
        let beats = self.running.iter().filter_map(Weak::upgrade);
        self.expected.saturating_sub(beats.filter(|beat| lock(beat).elapsed() <= timeout).count())
    }
}

/// Ignores poisoning: each change behind these locks is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_ended_or_makes_no_progress_is_hung() {
        let timeout = Duration::from_secs(10);
        let ago = |seconds| Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
        let beats = [1, 11].map(|seconds| Arc::new(Mutex::new(ago(seconds))));
        let running = beats.iter().map(Arc::downgrade).collect();
        let mut workers = Workers { expected: 2, running };
        assert_eq!(workers.count_hung(timeout), 1, "one makes no progress");
        *lock(&beats[1]) = Instant::now();
        assert_eq!(workers.count_hung(timeout), 0);
        let [_alive, ended] = beats;
        drop(ended);
        assert_eq!(workers.count_hung(timeout), 1, "one has ended");
        // It was started again.
        let beat = Arc::new(Mutex::new(Instant::now()));
        workers.running.push(Arc::downgrade(&beat));
        assert_eq!((workers.count_hung(timeout), workers.running.len()), (0, 2));
    }
}
