//! Rate-limits log lines that clients can repeat.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// For each thread.
const MAX_LINES_PER_SECOND: u32 = 20;

/// Counts the lines of one kind that the current thread writes.
#[derive(Debug)]
pub struct LogLimit {
    window: Cell<Window>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    started: Instant,
    written: u32,
    suppressed: u32,
}

impl LogLimit {
    #[must_use]
    pub fn new() -> Self {
        Self { window: Cell::new(Window { started: Instant::now(), written: 0, suppressed: 0 }) }
    }

    /// Calls `write` unless the limit is reached. Its argument is the number of lines suppressed since the last one, if
    /// any.
    pub fn write(&self, write: impl FnOnce(Option<u32>)) {
        let mut window = self.window.get();
        if window.started.elapsed() >= Duration::from_secs(1) {
            window = Window { started: Instant::now(), written: 0, ..window };
        }
        if window.written < MAX_LINES_PER_SECOND {
            write((window.suppressed > 0).then_some(window.suppressed));
            window = Window { written: window.written + 1, suppressed: 0, ..window };
        } else {
            window.suppressed = window.suppressed.saturating_add(1);
        }
        self.window.set(window);
    }
}

impl Default for LogLimit {
    fn default() -> Self {
        Self::new()
    }
}

/// Limits a warning about the configuration to one in an hour.
#[derive(Debug, Default)]
pub struct HourlyWarning(Mutex<Option<Instant>>);

impl HourlyWarning {
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Calls `write` unless it was called within an hour.
    pub fn write(&self, write: impl FnOnce()) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= Duration::from_hours(1)) {
            *last = Some(Instant::now());
            drop(last);
            write();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_written_once_in_an_hour() {
        let (warning, mut written) = (HourlyWarning::new(), 0);
        for _ in 0..3 {
            warning.write(|| written += 1);
        }
        assert_eq!(written, 1);
        *warning.0.lock().unwrap() = Instant::now().checked_sub(Duration::from_hours(1));
        warning.write(|| written += 1);
        assert_eq!(written, 2);
    }

    #[test]
    fn a_flood_is_limited_and_the_next_line_counts_the_suppressed() {
        let limit = LogLimit::new();
        let write = || {
            let mut written = None;
            limit.write(|suppressed| written = Some(suppressed));
            written
        };
        for _ in 0..MAX_LINES_PER_SECOND {
            assert_eq!(write(), Some(None));
        }
        for _ in 0..3 {
            assert_eq!(write(), None);
        }
        let window = limit.window.get();
        limit.window.set(Window { started: window.started.checked_sub(Duration::from_secs(1)).unwrap(), ..window });
        assert_eq!([write(), write()], [Some(Some(3)), Some(None)]);
    }
}
