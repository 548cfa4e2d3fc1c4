//! Runs wrk against a server.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::server_process::ServerProcess;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/common");

/// The credential that requests present.
#[derive(Clone)]
pub enum Credential {
    /// The same header in each request.
    Header(String),
    /// Keys render at random from a file.
    RandomKeys(PathBuf),
}

/// Work that runs during a measurement. Calling it ends the work and returns how often per second it was done.
pub type ConcurrentWork = Box<dyn FnOnce() -> Result<f64>>;

/// A load on a server.
pub struct Load<'a> {
    /// The name in the table.
    pub name: String,
    pub server: &'a ServerProcess,
    pub path: &'static str,
    pub credential: Credential,
    /// Whether the credential is valid: each response must agree.
    pub is_valid: bool,
    pub connections: usize,
    /// Starts the concurrent work.
    pub concurrent: Option<&'a dyn Fn() -> Result<ConcurrentWork>>,
}

/// The result of one measurement.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub requests_per_second: f64,
    pub p50_micros: f64,
    pub p95_micros: f64,
    pub p99_micros: f64,
    /// Processor time of the server per request.
    pub processor_micros: f64,
    /// How often per second the concurrent work was done.
    pub concurrent_per_second: Option<f64>,
}

impl Load<'_> {
    /// Runs the load for a duration.
    pub fn measure(&self, duration: Duration) -> Result<Sample> {
        let concurrent = self.concurrent.map(|start| start()).transpose()?;
        let before = self.server.process.processor_seconds()?;
        let line = self.run(duration)?;
        let processor_seconds = self.server.process.processor_seconds()? - before;
        let concurrent_per_second = concurrent.map(|end| end()).transpose()?;
        let numbers = line.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let [requests, micros, p50_micros, p95_micros, p99_micros, refused, broken] =
            numbers.try_into().ok().context("wrk printed something else")?;
        ensure!(requests > 0.0 && broken <= 0.0, "{}: {broken} of {requests} requests got no response", self.name);
        let expected = if self.is_valid { 0.0 } else { requests };
        ensure!((refused - expected).abs() < 0.5, "{}: {refused} of {requests} requests are refused", self.name);
        Ok(Sample {
            requests_per_second: requests / micros * 1_000_000.0,
            p50_micros,
            p95_micros,
            p99_micros,
            processor_micros: processor_seconds / requests * 1_000_000.0,
            concurrent_per_second,
        })
    }

    fn run(&self, duration: Duration) -> Result<String> {
        let mut wrk = Command::new("wrk");
        // More threads than processors only take time from the server.
        let threads = self.connections.min(2);
        wrk.current_dir(SCRIPTS).args(["--latency", "--timeout=5s"]).arg(format!("--threads={threads}"));
        wrk.arg(format!("--connections={}", self.connections)).arg(format!("--duration={}s", duration.as_secs()));
        let url = format!("http://{}{}", self.server.address, self.path);
        match &self.credential {
            Credential::Header(header) => wrk.args(["--script=report.lua", "--header", header, &url]),
            Credential::RandomKeys(file) => wrk.args(["--script=random_keys.lua", &url, "--"]).arg(file),
        };
        let output = wrk.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("wrk cannot be started")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().find_map(|line| line.strip_prefix("measured "));
        Ok(line.with_context(|| format!("wrk failed:\n{text}"))?.to_owned())
    }
}

/// Measures the loads alternately; each round starts with another load. Returns the samples of each load by round.
pub fn alternate(loads: &[Load], rounds: usize, duration: Duration) -> Result<Vec<Vec<Sample>>> {
    let mut samples = vec![Vec::new(); loads.len()];
    // A warm-up round fills the caches.
    for load in loads {
        load.measure(duration)?;
    }
    for round in 0..rounds {
        for offset in 0..loads.len() {
            let index = (round + offset) % loads.len();
            samples[index].push(loads[index].measure(duration)?);
        }
    }
    Ok(samples)
}
