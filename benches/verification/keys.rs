//! The stored keys. Each follows from its number alone, so that whoever knows the number can present it.

use keydesk::domain::ids::{KeyId, ServiceAccountId};
use keydesk::domain::instant::Instant;
use keydesk::domain::key::{ApiKey, KeyFormat};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// 1 January 2025; a key was made every twenty seconds from then on.
const FIRST: i64 = 1_735_689_600_000_000;
const BETWEEN_KEYS: i64 = 20_000_000;

/// The pattern that repeats: ten revoked keys with even numbers, one expired, nine active.
pub const PATTERN: u64 = 20;
/// The place in the pattern of a key that is revoked.
pub const REVOKED: u64 = 0;
/// The place of the one that is expired.
pub const EXPIRED: u64 = 1;
/// The place of an active one that expires one day: its answer is the longest.
pub const EXPIRING: u64 = 3;
/// The place of an active one that never expires.
const LASTING: u64 = 13;

/// The number of a key that was never stored.
pub const UNKNOWN: u64 = u64::MAX;

/// The key of that number.
pub fn key(format: &KeyFormat, number: u64) -> ApiKey {
    format.generate(&mut StdRng::seed_from_u64(number))
}

/// A key in the middle of `stored` ones that has that place in the pattern.
pub fn in_the_middle(stored: u64, place: u64) -> u64 {
    stored / PATTERN / 2 * PATTERN + place
}

/// `count` active keys, at most a tenth of those stored and spread over all of them; every other one expires one day.
pub fn in_use(stored: u64, count: u64) -> impl Iterator<Item = u64> {
    let patterns = stored / PATTERN;
    (0..count).map(move |one| {
        let place = if one % 2 == 0 { EXPIRING } else { LASTING };
        one * patterns / count * PATTERN + place
    })
}

/// When the key of that number was made.
pub fn made_at(number: u64) -> Instant {
    Instant::from_micros(FIRST + BETWEEN_KEYS * i64::try_from(number).unwrap_or(i64::MAX / BETWEEN_KEYS))
}

/// Its id, and that of its service account; a revoked key and the one after it share the account.
pub fn ids(number: u64) -> (KeyId, ServiceAccountId) {
    let seed = |number: u64| {
        let mut seed = [0; 10];
        seed[2..].copy_from_slice(&number.to_be_bytes());
        seed
    };
    let account = number - number % 2;
    (KeyId::new(made_at(number), &seed(number)), ServiceAccountId::new(made_at(account), &seed(account)))
}
