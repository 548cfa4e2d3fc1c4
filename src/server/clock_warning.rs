//! Warns when the system's clock is far from the database's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::clock::Clock;

/// Logs a warning each time the offset becomes too large.
#[derive(Clone, Debug, Default)]
pub struct ClockWarning(Arc<AtomicBool>);

impl ClockWarning {
    pub fn update(&self, clock: &Clock) {
        let offset = clock.excessive_offset_seconds();
        let has_warned = self.0.swap(offset.is_some(), Ordering::Relaxed);
        if let Some(seconds) = offset.filter(|_| !has_warned) {
            tracing::warn!(seconds, "the system's clock differs from the database's, which is used instead");
        }
    }
}
