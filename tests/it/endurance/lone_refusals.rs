//! L1: refusals of a revoked, an expired and an unknown key take equally long, for one request at a time.

use std::time::{Duration, Instant};

use crate::support::figures::{self, count, is_full, milliseconds, percentile};
use crate::support::race::{Client, Endpoint};
use crate::support::{TestServer, database};

const MAX_DIFFERENCE: f64 = 0.05;
/// A key that is in no database.
const UNKNOWN: &str = "goa_000000000000000000000000000000000BvU0h";

#[test]
fn lone_refusals_of_each_kind_take_equally_long() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, revoked) = admin.create_key("Revoked");
    admin.revoke(&id, "compromised", "").expect(303);
    let (id, expired) = admin.create_key("Expired");
    let past = format!("UPDATE api_keys SET expires_at = created_at WHERE id = '{id}'");
    database::tamper(&server.database_url, &past);
    let mut client = Client::new(server.address);
    let keys = ["revoked", "expired", "unknown"].into_iter().zip([&*revoked, &*expired, UNKNOWN]);
    let mut loads = keys.map(|(name, key)| (name, Endpoint::WhoAmI.request(key), Vec::new())).collect::<Vec<_>>();
    // In turns, so that what else the machine does hits all of them.
    for _ in 0..count(200, 20_000) {
        for (_, request, times) in &mut loads {
            let began = Instant::now();
            client.send(request);
            assert_eq!(client.is_accepted(), Some(false));
            times.push(began.elapsed());
        }
    }
    let medians: Vec<(&str, Duration)> =
        loads.iter_mut().map(|(name, _, times)| (*name, percentile(times, 0.5))).collect();
    let shortest = medians.iter().map(|(_, time)| *time).min().unwrap();
    let longest = medians.iter().map(|(_, time)| *time).max().unwrap();
    let difference = longest.as_secs_f64() / shortest.as_secs_f64() - 1.0;
    let shown: Vec<String> = medians.iter().map(|(name, time)| format!("{name} {}", milliseconds(*time))).collect();
    figures::print(
        "L1",
        format!("medians of lone refusals {}: {:.1} % apart (≤ 5 %)", shown.join(", "), difference * 100.0),
    );
    assert!(!is_full() || difference <= MAX_DIFFERENCE);
}
