//! Benchmark of key verification: seeds databases, starts servers, runs wrk against them and prints tables. Run it with
//! `make bench`; benches/README.md describes the rows.

mod admins;
#[allow(dead_code, reason = "each benchmark uses some of the shared parts")]
#[path = "../common/mod.rs"]
mod common;
mod held_lease;
mod key_changes;
mod keys;
mod rows;
mod seed;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};

use common::Schedule;
use common::installation::{Installation, Installations};
use common::server_process;
use common::table::TableRow;
use rows::{Bench, RowGroup};

/// Measure how fast keys are verified, compared with a handler that does nothing.
#[derive(Parser)]
#[command(name = "make bench BENCH=…")]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Cargo passes this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(clap::Args)]
struct Options {
    #[command(flatten)]
    schedule: Schedule,
    /// Measure these rows only
    #[arg(long, value_delimiter = ',')]
    rows: Vec<RowGroup>,
    /// Store this many keys; the targets are for a million
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(100_000..=10_000_000))]
    keys: u64,
}

/// The roles of child processes.
#[derive(Subcommand)]
#[command(hide = true)]
enum Role {
    /// Serve
    Serve {
        #[command(flatten)]
        installation: Installation,
        /// Add the baseline handler in this file
        #[arg(long)]
        baseline: Option<PathBuf>,
    },
    /// Create and revoke keys
    Change {
        #[command(flatten)]
        installation: Installation,
    },
}

#[expect(clippy::disallowed_methods, reason = "a benchmark logs nothing from outside")]
fn main() -> Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_env_filter("warn").with_writer(std::io::stderr).init();
    match arguments.role {
        None => {
            let options = &arguments.options;
            options.schedule.measure(&seed::SEED, |installations| measure(options, installations))
        }
        Some(Role::Serve { installation, baseline }) => server_process::serve(&installation, baseline.as_deref()),
        Some(Role::Change { installation }) => key_changes::change(&installation),
    }
}

fn measure(options: &Options, installations: Installations) -> Result<Vec<TableRow>> {
    let bench = Bench::prepare(options, installations)?;
    let mut table = Vec::new();
    for group in RowGroup::value_variants() {
        // The lease needs a standby, which would slow down the other rows.
        let is_asked_for =
            if options.rows.is_empty() { *group != RowGroup::Lease } else { options.rows.contains(group) };
        if is_asked_for {
            eprintln!("Measuring {group:?}");
            table.extend(bench.measure(*group)?);
        }
    }
    Ok(table)
}
