//! The operating system's random generator: the only place that reads it.

use rand::rand_core::UnwrapErr;
#[expect(clippy::disallowed_types, reason = "the one place that reads the operating system's generator")]
use rand::rngs::SysRng;
use rand::{CryptoRng, Rng};

/// The operating system's generator. A machine that cannot give random bytes must not make keys: reading panics then.
#[must_use]
pub fn system() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

/// `2 * N` random lower-case hexadecimal digits.
#[must_use]
pub fn hex<const N: usize>() -> String {
    crate::domain::text::hex(&bytes::<N>())
}

/// `N` random bytes.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    system().fill_bytes(&mut bytes);
    bytes
}
