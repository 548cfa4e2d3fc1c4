//! The benchmark of verification: fills databases, starts the server, drives wrk against it and prints a table. It judges
//! nothing by its exit code. `make bench` runs it; README.md, one folder up, says what it measures.

mod changing;
mod filling;
mod installation;
mod keys;
mod machine;
mod process;
mod rows;
mod serving;
mod table;
mod wrk;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};

use installation::{Backend, Installation, Installations};
use rows::{Field, Rows};

/// Where `tests/with_postgres` says that its server is.
const POSTGRES: &str = "KEYDESK_TEST_POSTGRES_URL";

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
    /// Measure each load for so long, in each round
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Let the loads take turns so often
    #[arg(long, default_value_t = 5, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=50))]
    rounds: usize,
    /// Measure on one kind of database only
    #[arg(long)]
    only: Option<Backend>,
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
        /// Be the reference, which answers this
        #[arg(long)]
        answer: Option<String>,
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
        None => measure(&arguments.options),
        Some(Role::Serve { installation, answer }) => serving::serve(&installation, answer),
        Some(Role::Change { installation }) => changing::change(&installation),
    }
}

fn measure(options: &Options) -> Result<()> {
    let load = machine::load()?;
    let mut tables = Vec::new();
    for backend in options.only.map_or(Backend::value_variants().to_vec(), |only| vec![only]) {
        let postgres = match backend {
            Backend::Sqlite => String::new(),
            Backend::Postgres => {
                std::env::var(POSTGRES).with_context(|| format!("{POSTGRES} is not set: start this by make bench"))?
            }
        };
        let installations = Installations::open(backend, &postgres)?;
        let database = installations.database()?;
        let field = Field::prepare(options, installations)?;
        let mut lines = Vec::new();
        for rows in Rows::value_variants() {
            if options.rows.is_empty() || options.rows.contains(rows) {
                eprintln!("Measuring on {database}: {rows:?}");
                lines.extend(field.measure(*rows)?);
            }
        }
        tables.push((database, lines));
    }
    let (rounds, seconds) = (options.rounds, options.seconds);
    println!("\n{}; the machine was busy with {load} before and {} after.", machine::described()?, machine::load()?);
    println!("Medians of {rounds} rounds of {seconds} s for each load.");
    for (database, lines) in &tables {
        println!("\n### {database}\n");
        table::print(lines);
    }
    Ok(())
}
