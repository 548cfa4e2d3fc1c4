//! Whether the time of a refusal reveals who is a user. Measures, so it runs on request only, on a quiet machine:
//! `cargo test --release --test it -- --ignored sign_in_timing`. What makes the times equal is tested in `store`.

use std::time::Instant;

use keydesk::domain::user::profile::Role;

use crate::support::companies::add_user;
use crate::support::{Browser, TestServer, figures};

const PAIRS: usize = 400;
/// Equal times exceed this in one run of a thousand.
const MAX_STANDARD_SCORE: f64 = 3.3;

fn refusal_micros(server: &TestServer, browser: &Browser, email: &str, client: usize) -> u128 {
    let client = format!("198.51.{}.{}", client / 250, client % 250 + 1);
    let form = [("email", email), ("password", "not the password")];
    let request = browser.request("POST", "/sign-in").header("Sec-Fetch-Site", "same-origin");
    let request = request.header("X-Forwarded-For", client).form(&form);
    let started = Instant::now();
    crate::support::browser::send(request).expect(422);
    let elapsed = started.elapsed().as_micros();
    // The event of this refusal must not be written during the next one.
    server.actions.report_refused_sign_ins().unwrap();
    elapsed
}

/// The standard score of the rank sum of `one` among both (Mann and Whitney).
fn standard_score(one: &[u128], other: &[u128]) -> f64 {
    let wins: f64 = one
        .iter()
        .flat_map(|left| other.iter().map(move |right| left.cmp(right)))
        .map(|order| match order {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        })
        .sum();
    let [n, m] = [one, other].map(|times| f64::from(u32::try_from(times.len()).unwrap()));
    (wins - n * m / 2.0) / (n * m * (n + m + 1.0) / 12.0).sqrt()
}

#[test]
#[ignore = "measures times, which takes a quiet machine"]
fn first_refusals_of_users_and_of_strangers_take_equally_long() {
    let server = TestServer::behind_proxy();
    let company = server.company("Brightwater");
    for number in 0..PAIRS {
        let email = format!("user{number}@brightwater.example");
        add_user(&server.actions, company, "Jonas Bakke", &email, Role::Auditor);
    }
    let browser = server.anonymous();
    let (mut users, mut strangers) = (Vec::new(), Vec::new());
    for number in 0..PAIRS {
        let user = || refusal_micros(&server, &browser, &format!("user{number}@brightwater.example"), 2 * number);
        let stranger =
            || refusal_micros(&server, &browser, &format!("none{number}@brightwater.example"), 2 * number + 1);
        // In turns, so that neither is always the first.
        if number % 2 == 0 {
            users.push(user());
            strangers.push(stranger());
        } else {
            strangers.push(stranger());
            users.push(user());
        }
    }
    let score = standard_score(&users, &strangers);
    figures::print("S3", format!("standard score {score:.2} of {PAIRS} pairs of refusals (≤ {MAX_STANDARD_SCORE})"));
    assert!(score.abs() < MAX_STANDARD_SCORE, "users differ from strangers by a standard score of {score:.2}");
}

#[test]
fn the_standard_score_finds_a_difference() {
    let (early, late): (Vec<u128>, Vec<u128>) = ((0..200).collect(), (100..300).collect());
    assert!(standard_score(&early, &early).abs() < 0.01);
    assert!(standard_score(&late, &early) > MAX_STANDARD_SCORE && standard_score(&early, &late) < -MAX_STANDARD_SCORE);
}
