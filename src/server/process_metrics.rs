//! The metrics that Prometheus clients give of their process, from Linux. Other systems give none.

use std::fs;

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage};

/// A metric of the process.
pub(super) struct ProcessMetric {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) value: f64,
}

/// Measures the process. A metric that the system does not give is left out.
pub(super) fn measure() -> Vec<ProcessMetric> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let gauge = |name, help, value: Option<f64>| value.map(|value| ProcessMetric { name, help, value });
    let metrics = [
        gauge("process_open_fds", "Open file descriptors", open_files()),
        gauge("process_max_fds", "The limit of open file descriptors", max_files()),
        gauge("process_threads", "Threads of the process", status_field(&status, "Threads:")),
        gauge("process_virtual_memory_bytes", "Virtual memory in bytes", kilobytes(&status, "VmSize:")),
        gauge("process_resident_memory_bytes", "Resident memory in bytes", kilobytes(&status, "VmRSS:")),
    ];
    metrics.into_iter().flatten().collect()
}

/// The time that the process has used processors, in seconds.
pub(super) fn cpu_seconds() -> Option<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let [user, system] =
        [usage.user_time(), usage.system_time()].map(|time| as_f64(time.tv_sec()) + as_f64(time.tv_usec()) / 1e6);
    Some(user + system)
}

fn open_files() -> Option<f64> {
    // Reading the folder takes a descriptor itself.
    let open = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    u32::try_from(open).ok().map(f64::from)
}

fn max_files() -> Option<f64> {
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    i64::try_from(soft).ok().map(as_f64)
}

fn kilobytes(status: &str, name: &str) -> Option<f64> {
    status_field(status, name).map(|kilobytes| kilobytes * 1_024.0)
}

fn status_field(status: &str, name: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}

#[expect(clippy::cast_precision_loss, reason = "a metric is a floating-point number")]
fn as_f64(value: i64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_measured_in_full() {
        let metrics = measure();
        assert_eq!(metrics.len(), 5);
        assert!(metrics.iter().all(|metric| metric.value > 0.0));
        assert!(cpu_seconds() > Some(0.0));
    }

    #[test]
    fn a_field_of_the_status_is_found_by_its_name() {
        let status = "VmPeak:\t     900 kB\nVmSize:\t     800 kB\nThreads:\t7\n";
        assert_eq!(kilobytes(status, "VmSize:"), Some(819_200.0));
        assert_eq!(status_field(status, "Threads:"), Some(7.0));
        assert_eq!(status_field(status, "VmRSS:"), None);
    }
}
