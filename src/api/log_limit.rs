//! Keeps a flood of like log lines short enough to be read, and the rest of the log findable.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// So many lines a second and thread are enough to see a flood.
const LINES_A_SECOND: u32 = 20;

/// Counts the lines of one kind that one thread writes.
pub(super) struct LogLimit {
    second: Cell<Second>,
}

#[derive(Clone, Copy)]
struct Second {
    began: Instant,
    written: u32,
    left_out: u32,
}

impl LogLimit {
    pub(super) fn new() -> Self {
        Self { second: Cell::new(Second { began: Instant::now(), written: 0, left_out: 0 }) }
    }

    /// Writes a line, where there is room for it. `write` is told how many were left out since the one before.
    pub(super) fn write(&self, write: impl FnOnce(Option<u32>)) {
        let mut second = self.second.get();
        if second.began.elapsed() >= Duration::from_secs(1) {
            second = Second { began: Instant::now(), written: 0, ..second };
        }
        if second.written < LINES_A_SECOND {
            write((second.left_out > 0).then_some(second.left_out));
            second = Second { written: second.written + 1, left_out: 0, ..second };
        } else {
            second.left_out = second.left_out.saturating_add(1);
        }
        self.second.set(second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_to_so_many_lines_and_the_next_line_says_how_many_were_left_out() {
        let limit = LogLimit::new();
        let write = || {
            let mut written = None;
            limit.write(|left_out| written = Some(left_out));
            written
        };
        for _ in 0..LINES_A_SECOND {
            assert_eq!(write(), Some(None));
        }
        for _ in 0..3 {
            assert_eq!(write(), None);
        }
        let second = limit.second.get();
        limit.second.set(Second { began: second.began.checked_sub(Duration::from_secs(1)).unwrap(), ..second });
        assert_eq!([write(), write()], [Some(Some(3)), Some(None)]);
    }
}
