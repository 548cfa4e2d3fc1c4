//! What the benchmarks share that go over HTTP: filled installations, servers in processes of their own, wrk, the table.

pub mod installation;
pub mod machine;
pub mod process;
pub mod serving;
pub mod table;
pub mod wrk;

use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;
use clap::builder::RangedU64ValueParser;

use installation::{Filling, Installations};
use table::Line;
use wrk::{Load, Sample};

/// Where `tests/with_postgres` says that its server is.
const POSTGRES: &str = "KEYDESK_TEST_POSTGRES_URL";

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// How long and where every such benchmark measures.
#[derive(clap::Args)]
pub struct Turns {
    /// Measure each load for so long, in each round
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Let the loads take turns so often
    #[arg(long, default_value_t = 5, value_parser = RangedU64ValueParser::<usize>::new().range(1..=50))]
    pub rounds: usize,
    /// Measure on one kind of database only
    #[arg(long)]
    only: Option<Backend>,
}

impl Turns {
    /// Lets the loads take turns; answers each load's samples, round by round.
    pub fn alternate(&self, loads: &[Load]) -> Result<Vec<Vec<Sample>>> {
        wrk::alternate(loads, self.rounds, Duration::from_secs(self.seconds))
    }

    /// Measures on each kind of database, and prints the tables.
    pub fn measure(&self, filling: &Filling, measure: impl Fn(Installations) -> Result<Vec<Line>>) -> Result<()> {
        let load = machine::load()?;
        let mut tables = Vec::new();
        for backend in self.only.map_or(Backend::value_variants().to_vec(), |only| vec![only]) {
            let postgres = match backend {
                Backend::Sqlite => String::new(),
                Backend::Postgres => {
                    std::env::var(POSTGRES).with_context(|| format!("{POSTGRES} is not set: start this by make"))?
                }
            };
            let installations = Installations::open(backend, &postgres, *filling)?;
            let database = installations.database()?;
            eprintln!("Measuring on {database}");
            tables.push((database, measure(installations)?));
        }
        println!(
            "\n{}; the machine was busy with {load} before and {} after.",
            machine::described()?,
            machine::load()?
        );
        println!("Medians of {} rounds of {} s for each load.", self.rounds, self.seconds);
        for (database, lines) in &tables {
            println!("\n### {database}\n");
            table::print(lines);
        }
        Ok(())
    }
}
