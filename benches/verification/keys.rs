//! The stored keys. Each is generated from its number, so that the benchmark can present it.

use keydesk::domain::ids::{KeyId, ServiceAccountId};
use keydesk::domain::key::api_key::{ApiKey, KeyFormat};
use keydesk::domain::timestamp::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// 1 January 2025, the creation of the first key; one key follows every 20 seconds.
const FIRST: i64 = 1_735_689_600_000_000;
const KEY_INTERVAL: i64 = 20_000_000;

/// The length of the pattern of states: ten revoked keys with even numbers, one expired, nine active.
pub const PATTERN: u64 = 20;
/// The position of a revoked key in the pattern.
pub const REVOKED: u64 = 0;
/// The position of the expired key.
pub const EXPIRED: u64 = 1;
/// The position of an active key with an expiry, whose response is the longest.
pub const EXPIRING: u64 = 3;
/// The position of an active key without an expiry.
const WITHOUT_EXPIRY: u64 = 13;

/// The number of a key that was never stored.
pub const UNKNOWN: u64 = u64::MAX;

/// Returns a key by its number.
pub fn key(format: &KeyFormat, number: u64) -> ApiKey {
    format.generate(&mut StdRng::seed_from_u64(number))
}

/// Returns the number of a key in the middle of `stored` keys, at a position in the pattern.
pub fn in_the_middle(stored: u64, position: u64) -> u64 {
    stored / PATTERN / 2 * PATTERN + position
}

/// Returns the numbers of `count` active keys, spread over all `stored` keys; every other one has an expiry. `count` is
/// at most a tenth of `stored`.
pub fn in_use(stored: u64, count: u64) -> impl Iterator<Item = u64> {
    let patterns = stored / PATTERN;
    (0..count).map(move |index| {
        let position = if index % 2 == 0 { EXPIRING } else { WITHOUT_EXPIRY };
        index * patterns / count * PATTERN + position
    })
}

/// Returns the creation time of a key.
pub fn created_at(number: u64) -> Timestamp {
    Timestamp::from_micros(FIRST + KEY_INTERVAL * i64::try_from(number).unwrap_or(i64::MAX / KEY_INTERVAL))
}

/// Returns the ids of a key and its service account. A revoked key shares the account with the next key.
pub fn ids(number: u64) -> (KeyId, ServiceAccountId) {
    let seed = |number: u64| {
        let mut seed = [0; 10];
        seed[2..].copy_from_slice(&number.to_be_bytes());
        seed
    };
    let account = number - number % 2;
    (KeyId::new(created_at(number), &seed(number)), ServiceAccountId::new(created_at(account), &seed(account)))
}
