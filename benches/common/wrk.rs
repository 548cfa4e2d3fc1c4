//! Runs wrk against a server, and what it measured.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::serving::Serving;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/common");

/// What a request shows to be let in.
#[derive(Clone)]
pub enum Presented {
    /// The same header, again and again.
    Header(String),
    /// A key of those in a file, at random.
    AtRandom(PathBuf),
}

/// Something that goes on while a server is under a load: its end answers how often a second it was done.
pub type Meanwhile = Box<dyn FnOnce() -> Result<f64>>;

/// What a server is put under.
pub struct Load<'a> {
    /// What it is called in the table.
    pub name: String,
    pub server: &'a Serving,
    pub path: &'static str,
    pub presented: Presented,
    /// Whether what is presented is good: every single answer has to say so.
    pub is_good: bool,
    pub connections: usize,
    /// Begins what goes on meanwhile.
    pub meanwhile: Option<&'a dyn Fn() -> Result<Meanwhile>>,
}

/// What was measured in one go.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub requests_a_second: f64,
    pub p50_micros: f64,
    pub p95_micros: f64,
    pub p99_micros: f64,
    /// Processor time of the server for each request.
    pub processor_micros: f64,
    /// How often a second the other thing was done that went on meanwhile.
    pub meanwhile_a_second: Option<f64>,
}

impl Load<'_> {
    /// Puts the server under it for so long.
    pub fn measure(&self, duration: Duration) -> Result<Sample> {
        let meanwhile = self.meanwhile.map(|begin| begin()).transpose()?;
        let before = self.server.process.processor_seconds()?;
        let line = self.run(duration)?;
        let processor_seconds = self.server.process.processor_seconds()? - before;
        let meanwhile_a_second = meanwhile.map(|end| end()).transpose()?;
        let numbers = line.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let [requests, micros, p50_micros, p95_micros, p99_micros, refused, broken] =
            numbers.try_into().ok().context("wrk measured something else")?;
        ensure!(requests > 0.0 && broken <= 0.0, "{}: {broken} of {requests} requests got no answer", self.name);
        let expected = if self.is_good { 0.0 } else { requests };
        ensure!((refused - expected).abs() < 0.5, "{}: {refused} of {requests} answers are refusals", self.name);
        Ok(Sample {
            requests_a_second: requests / micros * 1_000_000.0,
            p50_micros,
            p95_micros,
            p99_micros,
            processor_micros: processor_seconds / requests * 1_000_000.0,
            meanwhile_a_second,
        })
    }

    fn run(&self, duration: Duration) -> Result<String> {
        let mut wrk = Command::new("wrk");
        // More threads than processors only take time from the server; a connection alone needs one.
        let threads = self.connections.min(2);
        wrk.current_dir(SCRIPTS).args(["--latency", "--timeout=5s"]).arg(format!("--threads={threads}"));
        wrk.arg(format!("--connections={}", self.connections)).arg(format!("--duration={}s", duration.as_secs()));
        let url = format!("http://{}{}", self.server.address, self.path);
        match &self.presented {
            Presented::Header(header) => wrk.args(["--script=report.lua", "--header", header, &url]),
            Presented::AtRandom(file) => wrk.args(["--script=random_keys.lua", &url, "--"]).arg(file),
        };
        let output = wrk.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("wrk cannot be started")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().find_map(|line| line.strip_prefix("measured "));
        Ok(line.with_context(|| format!("wrk failed:\n{text}"))?.to_owned())
    }
}

/// Puts every load on in turn, so often; whoever is first in one round is last in the next. Answers each load's samples,
/// round by round.
pub fn alternate(loads: &[Load], rounds: usize, duration: Duration) -> Result<Vec<Vec<Sample>>> {
    let mut samples = vec![Vec::new(); loads.len()];
    // Once unmeasured: what a server remembers is remembered then.
    for load in loads {
        load.measure(duration)?;
    }
    for round in 0..rounds {
        for place in 0..loads.len() {
            let turn = (round + place) % loads.len();
            samples[turn].push(loads[turn].measure(duration)?);
        }
    }
    Ok(samples)
}
