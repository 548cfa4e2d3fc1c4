//! Rate-limits repeated log lines.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// For each thread.
const MAX_LINES_PER_SECOND: u32 = 20;

/// Counts the lines of one kind that the current thread writes.
pub(super) struct LogLimit {
    window: Cell<Window>,
}

#[derive(Clone, Copy)]
struct Window {
    started: Instant,
    written: u32,
    suppressed: u32,
}

impl LogLimit {
    pub(super) fn new() -> Self {
        Self { window: Cell::new(Window { started: Instant::now(), written: 0, suppressed: 0 }) }
    }

    /// Calls `write` unless the limit is reached. Its argument is the number of lines suppressed since the last one, if
    /// any.
    pub(super) fn write(&self, write: impl FnOnce(Option<u32>)) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
