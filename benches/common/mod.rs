//! Shared parts of the HTTP benchmarks: seeded installations, server processes, wrk, the table.

pub mod installation;
pub mod machine;
pub mod process;
pub mod server_process;
pub mod table;
pub mod wrk;

use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;
use clap::builder::RangedU64ValueParser;

use installation::{Installations, Seed};
use table::TableRow;
use wrk::{Load, Sample};

/// The variable in which `tests/with_postgres` passes the URL of its server.
const POSTGRES_URL: &str = "KEYDESK_TEST_POSTGRES_URL";

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    /// The display name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// The rounds of a benchmark, and the databases that it measures.
#[derive(clap::Args)]
pub struct Schedule {
    /// Measure each load for this many seconds per round
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Measure this many rounds
    #[arg(long, default_value_t = 5, value_parser = RangedU64ValueParser::<usize>::new().range(1..=50))]
    pub rounds: usize,
    /// Measure one database only
    #[arg(long)]
    only: Option<Backend>,
}

impl Schedule {
    /// How long each load is measured in a round.
    pub fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Measures the loads alternately. Returns the samples of each load by round.
    pub fn alternate(&self, loads: &[Load]) -> Result<Vec<Vec<Sample>>> {
        wrk::alternate(loads, self.rounds, self.duration())
    }

    /// Measures on each database, and prints the tables.
    pub fn measure(&self, seed: &Seed, measure: impl Fn(Installations) -> Result<Vec<TableRow>>) -> Result<()> {
        let load = machine::load()?;
        let mut tables = Vec::new();
        for backend in self.only.map_or(Backend::value_variants().to_vec(), |only| vec![only]) {
            let postgres = match backend {
                Backend::Sqlite => String::new(),
                Backend::Postgres => std::env::var(POSTGRES_URL)
                    .with_context(|| format!("{POSTGRES_URL} is not set: run this with make"))?,
            };
            let installations = Installations::open(backend, &postgres, *seed)?;
            let database = installations.database()?;
            eprintln!("Measuring on {database}");
            tables.push((database, measure(installations)?));
        }
        println!("\n{}; load average {load} before and {} after.", machine::description()?, machine::load()?);
        println!("Medians of {} rounds of {} s for each load.", self.rounds, self.seconds);
        for (database, lines) in &tables {
            println!("\n### {database}\n");
            table::print(lines);
        }
        Ok(())
    }
}
