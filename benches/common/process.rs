//! Runs this program as a child process with a subcommand. The child ends with its parent.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result, ensure};

/// Linux reports processor time in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;
const TIMEOUT: Duration = Duration::from_secs(10);

/// A child process of this program.
pub struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts this program with `arguments`.
    pub fn start(arguments: &[String]) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the child process cannot be started")?;
        let output = BufReader::new(child.stdout.take().context("the child process has no output")?);
        Ok(Self { child, output })
    }

    /// Reads the next line that it prints.
    pub fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        ensure!(line.ends_with('\n'), "a child process ended early");
        Ok(line.trim_end().to_owned())
    }

    /// Returns the processor time so far, in seconds.
    pub fn processor_seconds(&self) -> Result<f64> {
        processor_seconds(self.child.id())
    }

    /// Returns the resident memory, in MiB.
    pub fn resident_mebibytes(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("/proc reports no memory")?;
        let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes / 1_024.0)
    }

    /// Closes its standard input, which asks it to stop.
    pub fn request_stop(&mut self) {
        drop(self.child.stdin.take());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.request_stop();
        let requested = Instant::now();
        while requested.elapsed() < TIMEOUT {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        // It did not stop in time; its data is discarded anyway.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the processor time of a process so far, in seconds.
pub fn processor_seconds(process: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field, the program's name in brackets, may contain blanks.
    let fields = stat.rsplit_once(')').context("/proc has no such process")?.1;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS_PER_SECOND)
}

/// Blocks a child process until its parent asks it to stop, or has ended.
pub fn wait_for_stop() {
    let mut ignored = Vec::new();
    // An error also means that the parent is gone.
    let _ = std::io::stdin().read_to_end(&mut ignored);
}
