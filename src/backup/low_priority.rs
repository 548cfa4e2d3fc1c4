//! Keeps a backup from slowing down the server on the same machine.

use std::thread;
use std::time::Duration;

/// The pause after a step that hung is no longer than this.
const MAX_PAUSE: Duration = Duration::from_millis(200);
/// The highest nice value (setpriority(2)).
#[cfg(target_os = "linux")]
const LOWEST_PRIORITY: i32 = 19;

/// Lowers the priority of this thread and of the threads that it starts.
pub(super) fn lower() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(LOWEST_PRIORITY) {
        tracing::debug!(%error, "priority not lowered");
    }
}

/// Waits for as long as the last step took: a backup works at most half of the time of one thread.
pub(super) fn pause(took: Duration) {
    thread::sleep(took.min(MAX_PAUSE));
}
