//! The figures of docs/endurance.md: the counts of a test, and the line that it prints.

use std::time::Duration;

use super::database;

/// Whether the full counts run, as in `make endurance`, and times are judged. A busy machine would fail them.
pub fn is_full() -> bool {
    std::env::var("KEYDESK_ENDURANCE").is_ok_and(|value| value == "full")
}

/// A count or a duration: the small one in `make test`, the full one in `make endurance`.
pub fn count<T>(quick: T, full: T) -> T {
    if is_full() { full } else { quick }
}

/// Prints the figure of a row, as `R9 postgresql: 0 of 4,812 lost, back in 1.2 s (≤ 5 s)`.
pub fn print(row: &str, figure: impl Into<String>) {
    let figure: String = figure.into();
    let database = if database::postgres().is_some() { "postgresql" } else { "sqlite" };
    println!("{row} {database}: {figure}");
}

/// Fails if a full run takes longer than the limit.
pub fn judge_time(row: &str, time: Duration, limit: Duration) {
    assert!(!is_full() || time <= limit, "{row}: {} is more than {}", seconds(time), seconds(limit));
}

pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

pub fn milliseconds(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1_000.0)
}

/// The value below which this share of the times is.
pub fn percentile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    let last = times.len() - 1;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "few")]
    let at = (last as f64 * share) as usize;
    times[at]
}

/// The resident memory of a process, in KiB.
#[cfg(target_os = "linux")]
pub fn memory_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
