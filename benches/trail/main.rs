//! Benchmark of the audit trail: seeds databases with events, checks them as `keydesk audit verify` does, and prints a
//! table. Run it with `make bench-trail`; benches/README.md describes the rows.

#[allow(dead_code, reason = "each benchmark uses some of the shared parts")]
mod seed;

use std::hint::black_box;
use std::num::NonZero;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use keydesk::domain::ids::TrailId;
use keydesk::domain::trail::checkpoint;
use keydesk::domain::trail::merkle::{Frontier, leaf_hash};
use keydesk::evidence::{CheckRequest, Pace, Prover, check_state, check_trail};

use seed::SeededTrail;

/// The variable in which `tests/with_postgres` passes the URL of its server.
const POSTGRES_URL: &str = "KEYDESK_TEST_POSTGRES_URL";
const MAX_SECONDS: f64 = 10.0;
const MIN_RATIO: f64 = 0.3;
/// Comparing the rows may take as long again as checking the events.
const MAX_STATE_PER_TRAIL: f64 = 2.0;

/// Measure how fast an audit trail is checked, compared with hashing the same bytes.
#[derive(Parser)]
#[command(name = "make bench-trail BENCH=…")]
struct Arguments {
    /// Check this many events; the targets are for a million
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=10_000_000))]
    events: u64,
    /// Measure this many rounds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,
    /// Measure one database only
    #[arg(long)]
    only: Option<Backend>,
    /// Cargo passes this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Backend {
    Sqlite,
    Postgres,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    println!("{} events on {processors} processors, medians of {} rounds.", arguments.events, arguments.rounds);
    for backend in arguments.only.map_or(Backend::value_variants().to_vec(), |only| vec![only]) {
        let postgres = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some(
                std::env::var(POSTGRES_URL)
                    .with_context(|| format!("{POSTGRES_URL} is not set: use make bench-trail"))?,
            ),
        };
        let seeded = SeededTrail::open(postgres.as_deref(), arguments.events)?;
        println!("\n### {backend:?}\n\n| | median | least to most | ratio to hashing alone | target | met |");
        println!("| --- | --- | --- | --- | --- | --- |");
        measure(&seeded, &arguments)?;
    }
    Ok(())
}

fn measure(seeded: &SeededTrail, arguments: &Arguments) -> Result<()> {
    let leaves = seeded.leaves()?;
    let trail = TrailId::from(seeded.company);
    let request = CheckRequest {
        trail,
        origin: checkpoint::origin(seeded.actions.installation, trail),
        key: seeded.actions.secrets.signer().public_key(),
        kept_checkpoint: None,
    };
    let [mut alone, mut both, mut checked, mut compared, mut files, mut proofs] = [const { Vec::new() }; 6];
    for _ in 0..arguments.rounds {
        alone.push(timed(|| hash(&leaves, 1))?);
        both.push(timed(|| hash(&leaves, 2))?);
        checked.push(timed(|| {
            let found = check_trail(&seeded.actions.store, &request, &mut |_, _| {})?;
            ensure!(found == Ok(arguments.events), "the trail does not verify: {found:?}");
            Ok(())
        })?);
        compared.push(timed(|| {
            let found = check_state(&seeded.actions.store, &request, Pace::Full, &mut |_| {})?;
            let found = found.context("the check was interrupted")?.map(|state| (state.events, state.difference_count));
            ensure!(found == Ok((arguments.events, 0)), "the rows do not fit: {found:?}");
            Ok(())
        })?);
        files.push(timed(|| {
            black_box(seeded.actions.store.read(|db| db.stored_rows().integrity())?);
            Ok(())
        })?);
        proofs.push(timed(|| {
            black_box(Prover::new(&seeded.actions.store, trail, arguments.events)?);
            Ok(())
        })?);
    }
    let bytes: usize = leaves.iter().map(Vec::len).sum();
    let single = median(&mut alone);
    let row = |name: &str, times: &mut Vec<f64>, target: &str, is_met: Option<bool>| {
        let (middle, ratio) = (median(times), single / median(times));
        let met = is_met.map_or("", |met| if met { "yes" } else { "**no**" });
        let (least, most) = (times[0], times[times.len() - 1]);
        println!("| {name} | {middle:.2} s | {least:.2} to {most:.2} s | {ratio:.2} | {target} | {met} |");
    };
    row(&format!("hashing {} MB alone, one thread", bytes / 1_000_000), &mut alone, "", None);
    row("the same, two threads", &mut both, "", None);
    let middle = median(&mut checked);
    let is_met = middle <= MAX_SECONDS && single / middle >= MIN_RATIO;
    row("checking the trail", &mut checked, "≤ 10 s, ≥ 0.3", Some(is_met));
    let is_met = median(&mut compared) <= MAX_STATE_PER_TRAIL * middle;
    row("checking the trail and comparing the rows", &mut compared, "≤ 2 × the trail alone", Some(is_met));
    row("checking the files", &mut files, "", None);
    let is_met = median(&mut proofs) <= 2.0;
    row("the pass before the first proof of an export", &mut proofs, "≤ 2 s", Some(is_met));
    Ok(())
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed().as_secs_f64())
}

/// Does the unavoidable work: hashes each leaf and the nodes of the tree.
fn hash(leaves: &[Vec<u8>], threads: usize) -> Result<()> {
    let mut tree = Frontier::default();
    thread::scope(|scope| {
        let parts: Vec<_> = leaves
            .chunks(leaves.len().div_ceil(threads))
            .map(|part| scope.spawn(|| part.iter().map(|leaf| leaf_hash(leaf)).collect::<Vec<_>>()))
            .collect();
        for part in parts {
            part.join().ok().context("a thread failed")?.into_iter().for_each(|leaf| tree.push(leaf));
        }
        black_box(tree.root());
        Ok(())
    })
}

/// Sorts the values and returns their median.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
