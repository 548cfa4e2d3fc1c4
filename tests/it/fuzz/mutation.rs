//! Mutations of inputs.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

/// Longer inputs are cut, so that a run tries many.
const MAX_LENGTH: usize = 16 * 1_024;

/// Parts that parsers treat specially.
const TOKENS: [&[u8]; 24] = [
    b"\0",
    b"\r\n",
    b"%",
    b"%00",
    b"%ff",
    b"+",
    b"&",
    b"=",
    b";",
    b",",
    b"\"",
    b"\\",
    b"{",
    b"[",
    b"-1",
    b"0",
    b"9223372036854775808",
    b"18446744073709551616",
    b"1e309",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    "\u{202e}".as_bytes(),
    "e\u{301}".as_bytes(),
    "— ".as_bytes(),
];

/// Returns an input of the corpus with one to eight changes.
pub fn mutate(corpus: &[Vec<u8>], rng: &mut StdRng) -> Vec<u8> {
    let mut input = corpus.choose(rng).unwrap().clone();
    for _ in 0..rng.random_range(1..=8) {
        change(&mut input, corpus, rng);
        input.truncate(MAX_LENGTH);
    }
    input
}

fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], rng: &mut StdRng) {
    let at = rng.random_range(0..=input.len());
    let end = (at + rng.random_range(0..16)).min(input.len());
    match rng.random_range(0..7) {
        0 => {
            input.splice(at..at, rng.next_u64().to_le_bytes());
        }
        1 => {
            input.splice(at..end, TOKENS.choose(rng).unwrap().iter().copied());
        }
        2 => {
            input.drain(at..end);
        }
        3 => {
            let part = input[at..end].repeat(rng.random_range(1..200));
            input.splice(at..at, part);
        }
        4 => {
            let other = corpus.choose(rng).unwrap();
            let part = other[rng.random_range(0..=other.len())..].to_vec();
            input.splice(at.., part);
        }
        5 => input.truncate(at),
        _ => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << rng.random_range(0..8);
            }
        }
    }
}
