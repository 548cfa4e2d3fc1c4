//! Describes the machine, for the line above the tables.

use std::fs;
use std::process::Command;

use anyhow::Result;

/// Returns processors, memory, kernel and wrk version.
pub fn description() -> Result<String> {
    let processor = fs::read_to_string("/proc/cpuinfo")?;
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kibibytes: u64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or_default();
    let parts = [
        format!("{} × {}", std::thread::available_parallelism()?, model.trim_start_matches(['\t', ' ', ':'])),
        format!("{} GiB", kibibytes / 1_048_576),
        format!("Linux {}", fs::read_to_string("/proc/sys/kernel/osrelease")?.trim()),
        first_words(&Command::new("wrk").arg("-v").output()?.stdout, 2),
    ];
    Ok(parts.join(", "))
}

/// Returns the load average of the last minute.
pub fn load() -> Result<String> {
    Ok(first_words(&fs::read("/proc/loadavg")?, 1))
}

fn first_words(bytes: &[u8], count: usize) -> String {
    String::from_utf8_lossy(bytes).split_whitespace().take(count).collect::<Vec<_>>().join(" ")
}
