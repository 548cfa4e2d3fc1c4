//! Leaves processor and disk to the server that runs on the same machine.

use std::thread;
use std::time::Duration;

/// A step that hung for a while is no reason to wait as long again.
const MAX_PAUSE: Duration = Duration::from_millis(200);
/// The weakest claim to a processor.
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
