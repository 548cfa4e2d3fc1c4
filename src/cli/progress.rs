//! The progress bar of a long command.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::backup;

/// A shorter command shows no bar.
const SHOW_AFTER: Duration = Duration::from_secs(1);

/// A bar on standard error, if that is a terminal and the command takes long.
pub(super) struct Progress {
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), bar: None }
    }

    /// Shows what a backup has done.
    pub(super) fn show_backup(&mut self, progress: backup::Progress) {
        let backup::Progress { unit, done, total } = progress;
        match unit {
            backup::Unit::Bytes => self.show("MB", done / 1_000_000, total.div_ceil(1_000_000)),
            backup::Unit::Events => self.show("events", done, total),
            backup::Unit::Rows => self.show("rows", done, total),
        }
    }

    /// Shows that `done` of `total` units are done.
    pub(super) fn show(&mut self, unit: &'static str, done: u64, total: u64) {
        if self.started.elapsed() >= SHOW_AFTER {
            // It draws nothing if standard error is not a terminal.
            let bar = self.bar.get_or_insert_with(|| {
                let style = ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} {msg}, {eta} left");
                ProgressBar::no_length().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            });
            if bar.message() != unit {
                bar.set_message(unit);
                bar.reset_eta();
            }
            bar.set_length(total);
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
