//! Waits for what other programs do, such as the start of the database, and says so in the log.

use std::fmt::Display;
use std::thread;
use std::time::{Duration, Instant};

/// The longest wait.
pub const MAX_WAIT: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(100);
const LINE_INTERVAL: Duration = Duration::from_secs(1);

/// The result of one attempt.
#[derive(Debug)]
pub enum Attempt<T, E> {
    Done(T),
    /// A later attempt may succeed.
    NotYet(E),
}

/// Repeats `attempt` until it is done, for at most a minute. Once a second, a line in the log says what is `awaited`.
///
/// # Errors
/// What the last attempt found when the time was over.
pub fn wait_for<T, E: Display>(awaited: &str, attempt: impl FnMut() -> Attempt<T, E>) -> Result<T, E> {
    let started = Instant::now();
    wait(awaited, attempt, || started.elapsed(), thread::sleep)
}

fn wait<T, E: Display>(
    awaited: &str,
    mut attempt: impl FnMut() -> Attempt<T, E>,
    elapsed: impl Fn() -> Duration,
    sleep: impl Fn(Duration),
) -> Result<T, E> {
    let mut next_line = Duration::ZERO;
    loop {
        let reason = match attempt() {
            Attempt::Done(value) => return Ok(value),
            Attempt::NotYet(reason) => reason,
        };
        let waited = elapsed();
        if waited >= MAX_WAIT {
            return Err(reason);
        }
        if waited >= next_line {
            tracing::warn!(cause = %reason, seconds = waited.as_secs(), limit = MAX_WAIT.as_secs(), "waiting for {awaited}");
            next_line = waited + LINE_INTERVAL;
        }
        sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Waits on a clock of its own. Returns the result and the time that has passed.
    fn waited(done_after: Duration, attempt_takes: Duration) -> (Result<(), &'static str>, Duration) {
        let now = Cell::new(Duration::ZERO);
        let attempt = || {
            now.set(now.get() + attempt_takes);
            if now.get() >= done_after { Attempt::Done(()) } else { Attempt::NotYet("not there") }
        };
        let result = wait("a test", attempt, || now.get(), |pause| now.set(now.get() + pause));
        (result, now.get())
    }

    #[test]
    fn an_attempt_is_repeated_until_it_succeeds_or_a_minute_passes() {
        let (done, after) = waited(Duration::from_secs(20), Duration::ZERO);
        assert!(done.is_ok() && after < Duration::from_secs(21), "{after:?}");
        let (failed, after) = waited(Duration::from_hours(1), Duration::ZERO);
        assert_eq!(failed, Err("not there"));
        assert!(after >= MAX_WAIT && after < MAX_WAIT + LINE_INTERVAL, "{after:?}");
        let (failed, after) = waited(Duration::from_hours(1), Duration::from_secs(7));
        assert!(failed.is_err() && after < MAX_WAIT + Duration::from_secs(8), "{after:?}");
    }
}
