//! The operating system's random generator: the only place that reads it.

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use rand::{CryptoRng, Rng};

/// The operating system's generator. A machine that cannot give random bytes must not make keys: reading panics then.
#[must_use]
pub fn system() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

/// `N` random bytes.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    system().fill_bytes(&mut bytes);
    bytes
}
