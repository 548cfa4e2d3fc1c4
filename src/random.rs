//! Random bytes from the operating system. The only module that reads its generator.

use rand::rand_core::UnwrapErr;
#[expect(clippy::disallowed_types, reason = "the one place that reads the operating system's generator")]
use rand::rngs::SysRng;
use rand::{CryptoRng, Rng};

/// Returns the operating system's generator. It panics if it cannot read random bytes, because no key may be created
/// then.
#[must_use]
pub fn system() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

/// Returns `2 * N` random lower-case hexadecimal digits.
#[must_use]
pub fn hex<const N: usize>() -> String {
    crate::domain::text::normalize::hex(&bytes::<N>())
}

/// Returns `N` random bytes.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    system().fill_bytes(&mut bytes);
    bytes
}
