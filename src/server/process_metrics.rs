//! The metrics that Prometheus clients give of their process, from Linux. Other systems give none.

use std::fs;

/// The unit of times in `/proc/self/stat`, the same on all platforms that Keydesk is built for (proc(5), `USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

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
    cpu_seconds_in(&fs::read_to_string("/proc/self/stat").ok()?)
}

fn cpu_seconds_in(stat: &str) -> Option<f64> {
    // The name of the program stands in parentheses and may contain anything. The state follows it.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut times = after_name.split_whitespace().skip(11).map(str::parse::<f64>);
    let (user, system) = (times.next()?.ok()?, times.next()?.ok()?);
    Some((user + system) / TICKS_PER_SECOND)
}

fn open_files() -> Option<f64> {
    // Reading the folder takes a descriptor itself.
    let open = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    u32::try_from(open).ok().map(f64::from)
}

fn max_files() -> Option<f64> {
    status_field(&fs::read_to_string("/proc/self/limits").ok()?, "Max open files")
}

fn kilobytes(status: &str, name: &str) -> Option<f64> {
    status_field(status, name).map(|kilobytes| kilobytes * 1_024.0)
}

fn status_field(status: &str, name: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_measured_in_full() {
        let metrics = measure();
        assert_eq!(metrics.len(), 5);
        assert!(metrics.iter().all(|metric| metric.value > 0.0));
        assert!(cpu_seconds().is_some());
    }

    #[test]
    fn a_field_of_the_status_is_found_by_its_name() {
        let status = "VmPeak:\t     900 kB\nVmSize:\t     800 kB\nThreads:\t7\n";
        assert_eq!(kilobytes(status, "VmSize:"), Some(819_200.0));
        assert_eq!(status_field(status, "Threads:"), Some(7.0));
        assert_eq!(status_field(status, "VmRSS:"), None);
        let limits = "Max processes   63     63     processes\nMax open files            1024     524288     files\n";
        assert_eq!(status_field(limits, "Max open files"), Some(1_024.0));
    }

    #[test]
    fn the_time_of_processors_is_that_of_user_and_system() {
        let stat = "71 (key) desk) S 1 71 71 0 -1 4194560 1022 0 0 0 250 50 0 0 20 0 12 0 8113";
        assert_eq!(cpu_seconds_in(stat), Some(3.0));
        assert_eq!(cpu_seconds_in("71 (keydesk) S 1"), None);
    }
}
