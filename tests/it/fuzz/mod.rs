//! Feeds mutated input to everything that reads bytes from outside.
//!
//! Each target starts from `tests/corpus/TARGET`, one input per file, and some inputs of its own. A short run with a fixed
//! seed is part of `make test`; `make fuzz` runs each target for ten minutes with another seed. An input that fails is
//! added to the corpus, where every later run begins with it.

mod files;
mod mutation;
mod requests;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use sha2::{Digest, Sha256};

use self::mutation::mutate;
use crate::support::figures;

/// How many mutated inputs a short run tries.
const SHORT_RUN: u32 = 500;

/// The variable with the seconds that a long run takes.
const SECONDS: &str = "KEYDESK_FUZZ_SECONDS";

/// Tries the corpus of a target, the given inputs and mutations of both. `check` panics if the input is handled wrongly.
fn fuzz(target: &str, inputs: Vec<Vec<u8>>, mut check: impl FnMut(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(target);
    let mut corpus = read_corpus(&folder);
    corpus.extend(inputs);
    let mut check = |input: &[u8]| {
        let failure = catch_unwind(AssertUnwindSafe(|| check(input))).err().map(|_| keep(&folder, input));
        assert!(failure.is_none(), "{target} fails with the input in {failure:?}");
    };
    for input in &corpus {
        check(input);
    }
    let long_run = long_run();
    let seed = if long_run.is_some() { u64::from_le_bytes(keydesk::random::bytes()) } else { 1 };
    let (mut rng, started, mut tried) = (StdRng::seed_from_u64(seed), Instant::now(), 0);
    while long_run.map_or(tried < SHORT_RUN, |duration| started.elapsed() < duration) {
        check(&mutate(&corpus, &mut rng));
        tried += 1;
    }
    figures::print(
        "S6",
        format!("0 crashes of {target} by {} inputs and {tried} mutations, seed {seed}", corpus.len()),
    );
}

/// The duration of a long run: that of the variable, or ten minutes in `make endurance`.
fn long_run() -> Option<Duration> {
    let seconds = std::env::var(SECONDS).ok().map(|seconds| seconds.parse().unwrap());
    seconds.or(figures::is_full().then_some(600)).map(Duration::from_secs)
}

fn read_corpus(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} holds no input", folder.display());
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Adds an input to the corpus, under a name that depends on its content only.
fn keep(folder: &Path, input: &[u8]) -> PathBuf {
    let name = u64::from_le_bytes(Sha256::digest(input)[..8].try_into().unwrap());
    let path = folder.join(format!("failed-{name:016x}"));
    fs::write(&path, input).unwrap();
    path
}
