//! The limit of open files, and how many connections it allows.

use super::connections::DESCRIPTORS_PER_CONNECTION;

/// The usual limit, where the real one is not known.
const DEFAULT_LIMIT: u64 = 1_024;
/// For the log, the listener, the pools of the database, witnesses and exports.
const RESERVED: u64 = 64;
/// For the event loop of a worker and its own connections to the database.
const RESERVED_PER_WORKER: u64 = 24;
/// More connections than this would only use memory.
const MAX_CONNECTIONS_PER_WORKER: usize = 25_600;

/// Raises the limit of open files as far as the system allows. Returns the limit.
#[cfg(target_os = "linux")]
#[must_use]
pub fn raise_limit() -> u64 {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return DEFAULT_LIMIT };
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft }
}

/// Returns the usual limit: other systems are for development.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn raise_limit() -> u64 {
    DEFAULT_LIMIT
}

/// Returns how many connections each worker may hold, so that files and the database can still be opened.
#[must_use]
pub fn connections_per_worker(limit: u64, workers: usize) -> usize {
    let workers = u64::try_from(workers).unwrap_or(1).max(1);
    // A tiny limit leaves less for the rest than this program likes, but some connections.
    let for_connections = limit.saturating_sub(RESERVED + RESERVED_PER_WORKER * workers).max(limit / 4);
    let each = for_connections / DESCRIPTORS_PER_CONNECTION / workers;
    usize::try_from(each).unwrap_or(usize::MAX).clamp(1, MAX_CONNECTIONS_PER_WORKER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_the_rest() {
        for (limit, workers, each) in [
            (1_024, 2, 228),
            (65_536, 2, 16_356),
            (1_048_576, 2, 25_600),
            (256, 16, 2),
            (0, 2, 1),
            (u64::MAX, 1, 25_600),
        ] {
            assert_eq!(connections_per_worker(limit, workers), each, "{limit} files, {workers} workers");
        }
    }

    #[test]
    fn the_limit_is_raised_once() {
        let limit = raise_limit();
        assert!(limit >= 256 && raise_limit() == limit);
    }
}
