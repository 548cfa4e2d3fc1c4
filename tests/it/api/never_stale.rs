//! Races every verifying endpoint against every way in which a key can end: no request sent after the
//! acknowledgement is accepted. The same race detects servers that are wrong on purpose.

use std::time::Duration;

use crate::cli::run;
use crate::support::figures::{self, count};
use crate::support::race::{Endpoint, LoadGenerators, RaceOutcome};
use crate::support::stale_servers::{SlowServer, Strategy};
use crate::support::{Browser, TestServer, browser};

struct World {
    server: TestServer,
    second: TestServer,
    admin: Browser,
    generators: LoadGenerators,
}

impl World {
    fn new() -> Self {
        let server = TestServer::start();
        let second = server.second_server();
        let output = run(server.folder.path(), &server.database_url, &["gateway", "add", "Edge"], "");
        let introspect = Endpoint::Introspect(String::from_utf8(output.stdout).unwrap().trim().to_owned());
        let generators = LoadGenerators::new(&[
            (server.address, Endpoint::WhoAmI),
            (server.address, Endpoint::ForwardAuth),
            (server.address, introspect.clone()),
            (second.address, Endpoint::WhoAmI),
            (second.address, Endpoint::ForwardAuth),
            (second.address, introspect),
        ]);
        let admin = server.admin();
        Self { server, second, admin, generators }
    }

    /// Advances the clocks of both servers.
    fn advance(&self, duration: Duration) {
        self.server.advance(duration);
        self.second.advance(duration);
    }

    /// Advances both clocks and keeps all sessions valid.
    fn advance_signed_in(&self, duration: Duration) {
        self.advance(duration);
        self.server.set_clock(self.server.clock.now());
    }

    /// Creates a key and ends it in one of the possible ways.
    fn round(&self, round: u64) -> RaceOutcome {
        let name = format!("Service {round}");
        let (id, key) = match round % 10 {
            6 => self.admin.create_key_for(&name, "30d"),
            _ => self.admin.create_key(&name),
        };
        let race = |end: &dyn Fn()| self.generators.run(&key, round, end);
        match round % 10 {
            4 => race(&|| {
                let words = ["key", "revoke", id.as_str()];
                assert!(run(self.server.folder.path(), &self.server.database_url, &words, "").status.success());
            }),
            5 => {
                let other = self.second.admin();
                race(&|| drop(other.revoke(&id, "unspecified", "").expect(303)))
            }
            6 => {
                let almost = Duration::from_hours(30 * 24) - Duration::from_secs(1);
                self.advance_signed_in(almost);
                race(&|| self.advance(Duration::from_secs(1)))
            }
            7 => {
                self.admin.rotate(&id, "1h").expect(201);
                self.advance_signed_in(Duration::from_mins(59));
                race(&|| self.advance(Duration::from_mins(1)))
            }
            8 => {
                let submission = self.admin.rotation(&id);
                let fields = [("overlap", "none"), ("submission", submission.as_str())];
                let path = format!("{}/{id}/rotate", crate::support::API_KEYS);
                race(&|| drop(self.admin.post(&path, &fields).expect(201)))
            }
            9 | 3 => race(&|| {
                let form = [("token", key.as_str())];
                let answer = browser::send(self.server.anonymous().request("POST", "/v1/revoke").form(&form));
                answer.expect(200);
            }),
            _ => race(&|| drop(self.admin.revoke(&id, "unspecified", "").expect(303))),
        }
    }
}

#[test]
fn no_request_after_an_acknowledged_end_is_accepted() {
    let world = World::new();
    let mut total = RaceOutcome::default();
    let mut round = 0;
    let (rounds, answers) = (count(60, 200), count(30_000, 100_000));
    while round < rounds || total.answered < answers {
        let outcome = world.round(round);
        assert_eq!(outcome.stale, 0, "round {round}: {outcome:?}");
        total.add(&outcome);
        round += 1;
    }
    figures::print(
        "R3",
        format!("{} of {} answers stale, in {round} rounds on two servers", total.stale, total.answered),
    );
    assert!(total.accepted > total.answered / 10, "{total:?}");
    assert!(total.unavailable * 1_000 <= total.answered, "{total:?}");
}

/// Runs up to `rounds` rounds, until `is_enough`.
fn race_against(strategy: Strategy, rounds: u64, is_enough: impl Fn(&RaceOutcome) -> bool) -> RaceOutcome {
    let server = TestServer::start();
    let admin = server.admin();
    let slow = SlowServer::start(&server.actions, strategy);
    let generators = LoadGenerators::new(&[0; 6].map(|_| (slow.address, Endpoint::WhoAmI)));
    let mut total = RaceOutcome::default();
    for round in 0..rounds {
        let (id, key) = admin.create_key(&format!("Service {round}"));
        total.add(&generators.run(&key, round, || drop(admin.revoke(&id, "unspecified", "").expect(303))));
        if is_enough(&total) {
            break;
        }
    }
    total
}

#[test]
fn the_race_detects_a_short_lived_cache() {
    assert!(race_against(Strategy::ShortLivedCache, 600, |total| total.stale > 0).stale > 0);
}

#[test]
fn the_race_detects_requests_that_join_a_read_in_flight() {
    assert!(race_against(Strategy::ReadInFlight, 1_200, |total| total.stale > 0).stale > 0);
}

#[test]
fn the_race_accepts_requests_that_wait_for_the_next_read() {
    let outcome = race_against(Strategy::NextRead, 60, |_| false);
    assert!(outcome.stale == 0 && outcome.accepted > 0, "{outcome:?}");
}
