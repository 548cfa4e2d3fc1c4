//! Runs work on the blocking pool, with a limit on the wait for it: a call to a frozen database does not return.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::web;
use tokio::time::timeout;

/// The longest wait of a request for one piece of work. A change may wait 2 s for a connection, 5 s for a lock and 1 s
/// for its acknowledgement.
pub const MAX_WAIT: Duration = Duration::from_secs(8);
/// While so many threads hang, no more work begins: the blocking pool is left to the rest of the server.
const MAX_HANGING: usize = 64;

/// The threads that hang in work whose requests were answered.
static HANGING: AtomicUsize = AtomicUsize::new(0);

const QUEUED: u8 = 0;
const RUNNING: u8 = 1;
const DONE: u8 = 2;
const GIVEN_UP: u8 = 3;

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockingError {
    /// The work did not begin, and will not.
    #[error("too many calls to the database hang")]
    NotStarted,
    /// The work goes on, with an unknown outcome.
    #[error("the database does not answer in time")]
    TimedOut,
    #[error("work on the blocking pool panicked")]
    Panicked,
}

/// Runs work that blocks or computes, and waits at most [`MAX_WAIT`] for its result. Its thread stays behind.
///
/// # Errors
/// [`BlockingError`]: there is no result.
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, BlockingError> {
    run_within(MAX_WAIT, &HANGING, work).await
}

async fn run_within<T: Send + 'static>(
    limit: Duration,
    hanging: &'static AtomicUsize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BlockingError> {
    if hanging.load(Ordering::Relaxed) >= MAX_HANGING {
        return Err(BlockingError::NotStarted);
    }
    let progress = Arc::new(AtomicU8::new(QUEUED));
    let own = Arc::clone(&progress);
    let running = web::block(move || {
        if own.compare_exchange(QUEUED, RUNNING, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return None;
        }
        let _end = End { progress: &own, hanging };
        Some(work())
    });
    match timeout(limit, running).await {
        Ok(Ok(Some(result))) => Ok(result),
        Ok(Ok(None)) => Err(BlockingError::NotStarted),
        Ok(Err(_)) => Err(BlockingError::Panicked),
        Err(_) => Err(give_up(&progress, hanging)),
    }
}

fn give_up(progress: &AtomicU8, hanging: &AtomicUsize) -> BlockingError {
    // Counted first, so that the end of the work cannot be counted before.
    hanging.fetch_add(1, Ordering::Relaxed);
    let reached = progress.swap(GIVEN_UP, Ordering::AcqRel);
    if reached != RUNNING {
        hanging.fetch_sub(1, Ordering::Relaxed);
    }
    if reached == QUEUED { BlockingError::NotStarted } else { BlockingError::TimedOut }
}

/// The end of work, after a panic, too.
struct End<'a> {
    progress: &'a AtomicU8,
    hanging: &'a AtomicUsize,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        if self.progress.swap(DONE, Ordering::AcqRel) == GIVEN_UP {
            self.hanging.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    #[actix_web::test]
    async fn work_that_hangs_is_given_up_and_counted_until_it_ends() {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        assert_eq!(run_within(MAX_WAIT, &COUNT, || 7).await, Ok(7));
        let mut releases = Vec::new();
        while releases.len() < MAX_HANGING {
            let (release, released) = mpsc::channel::<()>();
            let hung = run_within(SHORT, &COUNT, move || {
                let _ = released.recv();
            });
            match hung.await {
                Err(BlockingError::TimedOut) => releases.push(release),
                // On a busy machine the thread began too late.
                other => assert_eq!(other, Err(BlockingError::NotStarted)),
            }
            assert_eq!(COUNT.load(Ordering::Relaxed), releases.len());
        }
        assert_eq!(run_within(MAX_WAIT, &COUNT, || 7).await, Err(BlockingError::NotStarted));
        drop(releases);
        while COUNT.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(SHORT).await;
        }
        assert_eq!(run_within(MAX_WAIT, &COUNT, || 7).await, Ok(7));
    }

    #[actix_web::test]
    async fn work_whose_request_was_answered_does_not_begin() {
        let (progress, hanging) = (AtomicU8::new(QUEUED), AtomicUsize::new(0));
        assert_eq!(give_up(&progress, &hanging), BlockingError::NotStarted);
        assert!(progress.compare_exchange(QUEUED, RUNNING, Ordering::AcqRel, Ordering::Acquire).is_err());
        assert_eq!(hanging.load(Ordering::Relaxed), 0);
    }

    #[actix_web::test]
    async fn a_panic_is_an_error() {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let panicked = run_within(MAX_WAIT, &COUNT, || assert!(std::hint::black_box(false), "a defect")).await;
        assert_eq!((panicked, COUNT.load(Ordering::Relaxed)), (Err(BlockingError::Panicked), 0));
    }
}
