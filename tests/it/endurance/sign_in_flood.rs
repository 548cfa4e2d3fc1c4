//! L4: verification while strangers send fifty sign-ins a second.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::cli::{Serving, keydesk};
use crate::operation::crash::End;
use crate::support::browser::send;
use crate::support::figures::{self, count, judge_time, milliseconds, percentile};
use crate::support::race::{Client, Endpoint};
use crate::support::{Browser, database};

const SIGN_INS_PER_SECOND: u32 = 50;
/// So many that their rate does not depend on the time of an answer.
const CLIENTS: usize = 100;

/// Sends sign-ins at a steady rate until the end. Returns their number.
fn flood(browser: &Browser, client: usize, is_over: &AtomicBool) -> usize {
    let interval = Duration::from_secs(1) * u32::try_from(CLIENTS).unwrap() / SIGN_INS_PER_SECOND;
    let (mut next, mut number) = (Instant::now(), 0);
    while !is_over.load(Ordering::Relaxed) {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        next += interval;
        number += 1;
        // Each from an address and for a user of its own, so that passwords are hashed.
        let email = format!("user{client}.{number}@brightwater.example");
        let form = [("email", email.as_str()), ("password", "not the password")];
        let address = format!("198.51.{client}.{}", number % 250 + 1);
        let request = browser.request("POST", "/sign-in").header("Sec-Fetch-Site", "same-origin");
        let status = send(request.header("X-Forwarded-For", address).form(&form)).status;
        assert!([422, 429, 503].contains(&status), "{status}");
    }
    number
}

#[test]
fn a_flood_of_sign_ins_does_not_delay_verification() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = keydesk(folder.path());
    command.args([
        "--database-url",
        &database::new_url(&folder),
        "--trusted-proxy",
        "127.0.0.1",
        "--log-level",
        "warn",
    ]);
    let serving = Serving::start(command, 2);
    let (_, key) = serving.set_up().create_key("ERP Sync");
    let address = serving.browser().address();
    let (duration, is_over) = (Duration::from_secs(count(3, 60)), AtomicBool::new(false));
    let (mut times, sent) = thread::scope(|scope| {
        let clients = (0..CLIENTS).map(|client| {
            let (browser, is_over) = (serving.browser(), &is_over);
            scope.spawn(move || flood(&browser, client, is_over))
        });
        let flood: Vec<_> = clients.collect();
        let end = End(&is_over);
        let (mut client, request) = (Client::new(address), Endpoint::WhoAmI.request(&key));
        let (began, mut times) = (Instant::now(), Vec::new());
        while began.elapsed() < duration {
            let sent_at = Instant::now();
            client.send(&request);
            assert_eq!(client.is_accepted(), Some(true));
            times.push(sent_at.elapsed());
            thread::sleep(Duration::from_millis(2));
        }
        drop(end);
        (times, flood.into_iter().map(|client| client.join().unwrap()).sum::<usize>())
    });
    let p99 = percentile(&mut times, 0.99);
    let rate = sent / usize::try_from(duration.as_secs()).unwrap();
    figures::print("L4", format!("{rate} sign-ins a second, verification p99 {} (≤ 50 ms)", milliseconds(p99)));
    judge_time("L4", p99, Duration::from_millis(50));
}
