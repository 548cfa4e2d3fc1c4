//! This program once more in another role, as a process of its own that ends with the one that started it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result, ensure};

/// Linux counts processor time in hundredths of a second, whatever the machine.
const TICKS_A_SECOND: f64 = 100.0;
const PATIENCE: Duration = Duration::from_secs(10);

/// A process in another role.
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
            .context("this program cannot be started once more")?;
        let output = BufReader::new(child.stdout.take().context("its output is not there")?);
        Ok(Self { child, output })
    }

    /// The next line that it prints.
    pub fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        ensure!(line.ends_with('\n'), "a process of the benchmark ended before it was asked to");
        Ok(line.trim_end().to_owned())
    }

    /// The processor time it has taken so far, in seconds.
    pub fn processor_seconds(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The second field is the program's name, in brackets, and may hold anything.
        let fields = stat.rsplit_once(')').context("/proc says nothing of the process")?.1;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
        Ok(ticks / TICKS_A_SECOND)
    }

    /// The memory it has now, in MiB.
    pub fn resident_mebibytes(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("/proc says no memory")?;
        let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes / 1_024.0)
    }

    /// Asks it to end.
    pub fn dismiss(&mut self) {
        drop(self.child.stdin.take());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.dismiss();
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        // It did not listen; what it holds is thrown away in any case.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In the other role: returns when the process that started this one asks for the end, or is gone.
pub fn wait_for_the_end() {
    let mut nothing = Vec::new();
    // A standard input that cannot be read is at its end, too.
    let _ = std::io::stdin().read_to_end(&mut nothing);
}
