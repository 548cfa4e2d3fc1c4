//! Benchmark of writes: creates and revokes keys through the actions, next to one-row transactions of one connection, and
//! prints a table. Run it with `make bench-writes`; benches/README.md describes the rows.

#[path = "../verification/admins.rs"]
mod admins;
#[allow(dead_code, reason = "each benchmark uses some of the shared parts")]
#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code, reason = "each benchmark uses some of the shared parts")]
#[path = "../verification/keys.rs"]
mod keys;
#[path = "../verification/seed.rs"]
mod seed;
mod writers;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use keydesk::actions::{Actions, RequestContext};
use keydesk::domain::ids::KeyId;
use keydesk::domain::key::lifecycle::RevocationReason;

use admins::{admin, create};
use common::installation::Installations;
use common::table::{Figure, TableRow, Target};
use common::wrk::Sample;
use common::{Backend, Schedule};
use writers::{Reference, run};

const MANY_WRITERS: usize = 16;
/// As a multiple of the one-row transactions of one connection.
const MIN_RATIO: f64 = 0.5;
const MAX_P99_MICROS: f64 = 25_000.0;

/// Measure how fast keys are created and revoked, compared with one-row transactions of one connection.
#[derive(Parser)]
#[command(name = "make bench-writes BENCH=…")]
struct Arguments {
    #[command(flatten)]
    schedule: Schedule,
    /// Store this many keys before
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000))]
    keys: u64,
    /// Cargo passes this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// A load, and the number of its writers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Load {
    OneRow,
    Create(usize),
    Revoke(usize),
    /// Writers that are all in one company.
    CreateInOneCompany(usize),
}

/// Keys are revoked after they were created, by the same number of writers.
const LOADS: [Load; 6] = [
    Load::OneRow,
    Load::Create(1),
    Load::Revoke(1),
    Load::Create(MANY_WRITERS),
    Load::Revoke(MANY_WRITERS),
    Load::CreateInOneCompany(MANY_WRITERS),
];

impl Load {
    fn name(self) -> String {
        let by = |writers: usize| if writers == 1 { "1 writer".to_owned() } else { format!("{writers} writers") };
        match self {
            Self::OneRow => "one-row transactions, 1 connection".to_owned(),
            Self::Create(writers) => format!("creations, {}", by(writers)),
            Self::Revoke(writers) => format!("revocations, {}", by(writers)),
            Self::CreateInOneCompany(writers) => format!("creations, {} in one company", by(writers)),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark logs nothing from outside")]
fn main() -> Result<()> {
    let Arguments { schedule, keys, .. } = Arguments::parse();
    tracing_subscriber::fmt().with_env_filter("warn").with_writer(std::io::stderr).init();
    schedule.measure(&seed::SEED, |installations| measure(&schedule, keys, &installations))
}

fn measure(schedule: &Schedule, keys: u64, installations: &Installations) -> Result<Vec<TableRow>> {
    let installation = installations.with(keys)?;
    let (_, actions) = installation.open()?;
    let bench = Bench {
        admins: (0..MANY_WRITERS).map(|company| admin(&actions, company as u64)).collect::<Result<_>>()?,
        actions,
        created: Mutex::default(),
    };
    let mut reference = Reference::open(installations.backend, &installation)?;
    let mut samples = vec![Vec::new(); LOADS.len()];
    // The first round fills caches, and is not counted.
    for round in 0..=schedule.rounds {
        for (load, samples) in LOADS.iter().zip(&mut samples) {
            let sample = bench.measure(*load, schedule.duration(), &mut reference)?;
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    Ok(rows(installations.backend, &samples))
}

struct Bench {
    actions: Actions,
    /// Each in a company of their own.
    admins: Vec<RequestContext>,
    /// Keys to revoke, with the index of their admin.
    created: Mutex<Vec<(usize, KeyId)>>,
}

impl Bench {
    fn measure(&self, load: Load, duration: Duration, reference: &mut Reference) -> Result<Sample> {
        match load {
            Load::OneRow => reference.measure(duration),
            Load::Create(writers) => run(writers, duration, |writer| {
                let key = create(&self.actions, &self.admins[writer])?;
                self.created.lock().unwrap_or_else(PoisonError::into_inner).push((writer, key));
                Ok(true)
            }),
            Load::Revoke(writers) => run(writers, duration, |_| {
                let next = self.created.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some((admin, key)) = next else { return Ok(false) };
                self.actions.revoke_key(&self.admins[admin], key, RevocationReason::NoLongerUsed, None)?;
                Ok(true)
            }),
            Load::CreateInOneCompany(writers) => run(writers, duration, |_| {
                create(&self.actions, &self.admins[0])?;
                Ok(true)
            }),
        }
    }
}

fn rows(backend: Backend, samples: &[Vec<Sample>]) -> Vec<TableRow> {
    let named: Vec<(String, &[Sample])> =
        LOADS.iter().zip(samples).map(|(load, samples)| (load.name(), &samples[..])).collect();
    let reference = (named[0].0.as_str(), named[0].1);
    let mut rows = Vec::new();
    for (load, (name, samples)) in LOADS.iter().zip(&named).skip(1) {
        let measured = (name.as_str(), *samples);
        let has_target = backend == Backend::Sqlite && !matches!(load, Load::Create(1) | Load::Revoke(1));
        let target = if has_target { Target::AtLeast(MIN_RATIO) } else { Target::None };
        rows.push(TableRow::compared(Figure::RequestsPerSecond, target, measured, reference));
        rows.push(TableRow::compared(Figure::P50, Target::None, measured, reference));
        rows.push(if has_target {
            TableRow::at_most(Figure::P99, MAX_P99_MICROS, measured)
        } else {
            TableRow::compared(Figure::P99, Target::None, measured, reference)
        });
        rows.push(TableRow::measured(Figure::Processor, measured));
    }
    rows
}
