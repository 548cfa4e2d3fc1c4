//! The benchmark of verification: fills databases, starts the server, drives wrk against it and prints a table. It judges
//! nothing by its exit code. `make bench` runs it; README.md, one folder up, says what it measures.

mod changing;
#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
#[path = "../common/mod.rs"]
mod common;
mod filling;
mod keys;
mod rows;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};

use common::Turns;
use common::installation::{Installation, Installations};
use common::serving;
use common::table::Line;
use rows::{Field, Rows};

/// Measure how fast keys are verified, beside a handler that does nothing.
#[derive(Parser)]
#[command(name = "make bench BENCH=…")]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Cargo gives this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(clap::Args)]
struct Options {
    #[command(flatten)]
    turns: Turns,
    /// Measure these rows only
    #[arg(long, value_delimiter = ',')]
    rows: Vec<Rows>,
    /// Store so many keys; the table is about a million
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(100_000..=10_000_000))]
    keys: u64,
}

/// What this program does when it has started itself.
#[derive(Subcommand)]
#[command(hide = true)]
enum Role {
    /// Serve
    Serve {
        #[command(flatten)]
        installation: Installation,
        /// Be the reference that is in this file
        #[arg(long)]
        reference: Option<PathBuf>,
    },
    /// Create and revoke keys
    Change {
        #[command(flatten)]
        installation: Installation,
    },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_env_filter("warn").with_writer(std::io::stderr).init();
    match arguments.role {
        None => {
            let options = &arguments.options;
            options.turns.measure(&filling::FILLING, |installations| measure(options, installations))
        }
        Some(Role::Serve { installation, reference }) => serving::serve(&installation, reference.as_deref()),
        Some(Role::Change { installation }) => changing::change(&installation),
    }
}

fn measure(options: &Options, installations: Installations) -> Result<Vec<Line>> {
    let field = Field::prepare(options, installations)?;
    let mut lines = Vec::new();
    for rows in Rows::value_variants() {
        if options.rows.is_empty() || options.rows.contains(rows) {
            eprintln!("Measuring {rows:?}");
            lines.extend(field.measure(*rows)?);
        }
    }
    Ok(lines)
}
