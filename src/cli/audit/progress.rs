//! How far long work has come, for whoever looks on.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Work that takes less is over before anybody wonders.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar on standard error, where that is a terminal and the work takes long.
pub(super) struct Progress {
    begun: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn begin() -> Self {
        Self { begun: Instant::now(), bar: None }
    }

    /// Says that so many of so many events were checked.
    pub(super) fn reached(&mut self, done: u64, of: u64) {
        if self.begun.elapsed() >= PATIENCE {
            // It draws nothing where standard error is no terminal.
            let bar = self.bar.get_or_insert_with(|| {
                let style = ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} events, {eta} left");
                ProgressBar::new(of).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            });
            bar.set_position(done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
