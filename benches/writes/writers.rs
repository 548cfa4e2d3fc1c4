//! Threads that write as fast as they can, and the reference: one connection whose transactions insert one row each.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};

use crate::common::Backend;
use crate::common::installation::{DirectConnection, Installation};
use crate::common::process::processor_seconds;
use crate::common::wrk::Sample;

/// The durability of the store's own connections.
const SQLITE_SETUP: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
const TABLE: &str = "CREATE TABLE one_row (id BIGINT PRIMARY KEY)";

/// Runs `write` on each of some threads, with the thread's number, until the time is over or it returns false.
pub fn run(writers: usize, duration: Duration, write: impl Fn(usize) -> Result<bool> + Sync) -> Result<Sample> {
    let before = processor_seconds(std::process::id())?;
    let started = Instant::now();
    let latencies = thread::scope(|scope| {
        let write = &write;
        let threads: Vec<_> =
            (0..writers).map(|writer| scope.spawn(move || latencies(started, duration, || write(writer)))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow!("a writer panicked"))?)
            .collect::<Result<Vec<_>>>()
    })?;
    let seconds = started.elapsed().as_secs_f64();
    sample(latencies.concat(), seconds, processor_seconds(std::process::id())? - before)
}

fn latencies(started: Instant, duration: Duration, mut write: impl FnMut() -> Result<bool>) -> Result<Vec<f64>> {
    let mut latencies = Vec::new();
    while started.elapsed() < duration {
        let begun = Instant::now();
        if !write()? {
            break;
        }
        latencies.push(begun.elapsed().as_secs_f64() * 1_000_000.0);
    }
    Ok(latencies)
}

#[expect(clippy::cast_precision_loss, reason = "no benchmark makes that many writes")]
fn sample(mut micros: Vec<f64>, seconds: f64, processor_seconds: f64) -> Result<Sample> {
    ensure!(!micros.is_empty(), "nothing was written");
    micros.sort_by(f64::total_cmp);
    let percentile = |percent: usize| micros[(micros.len() * percent / 100).min(micros.len() - 1)];
    Ok(Sample {
        requests_per_second: micros.len() as f64 / seconds,
        p50_micros: percentile(50),
        p95_micros: percentile(95),
        p99_micros: percentile(99),
        processor_micros: processor_seconds / micros.len() as f64 * 1_000_000.0,
        concurrent_per_second: None,
    })
}

/// The connection of the reference, and the number of its next row.
pub struct Reference {
    connection: DirectConnection,
    next: i64,
}

impl Reference {
    /// Opens the reference: a file beside the database on SQLite, which has one writer, a table on PostgreSQL.
    pub fn open(backend: Backend, installation: &Installation) -> Result<Self> {
        let mut connection = match backend {
            Backend::Sqlite => {
                let path = installation.folder().join("reference.db");
                DirectConnection::open_sqlite(path.to_str().context("the path of the folder is not UTF-8")?)?
            }
            Backend::Postgres => installation.connect()?,
        };
        if backend == Backend::Sqlite {
            connection.run(SQLITE_SETUP)?;
        }
        connection.run(TABLE)?;
        Ok(Self { connection, next: 0 })
    }

    pub fn measure(&mut self, duration: Duration) -> Result<Sample> {
        let before = processor_seconds(std::process::id())?;
        let started = Instant::now();
        let latencies = latencies(started, duration, || {
            self.next += 1;
            self.connection.run(&format!("INSERT INTO one_row VALUES ({})", self.next))?;
            Ok(true)
        })?;
        sample(latencies, started.elapsed().as_secs_f64(), processor_seconds(std::process::id())? - before)
    }
}
