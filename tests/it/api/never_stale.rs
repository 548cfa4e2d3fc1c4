//! No question that is asked after an acknowledged end is answered with yes: raced through every endpoint, against every
//! way in which a key can end; and the same race finds servers that are wrong on purpose.

use std::time::Duration;

use crate::cli::run;
use crate::support::race::{Question, Racers, Seen};
use crate::support::stale::{SlowServer, Way};
use crate::support::{Browser, TestServer, browser};

struct World {
    server: TestServer,
    beside: TestServer,
    admin: Browser,
    racers: Racers,
}

impl World {
    fn new() -> Self {
        let server = TestServer::start();
        let beside = server.beside();
        let output = run(server.folder.path(), &server.database_url, &["gateway", "add", "Edge"], "");
        let introspect = Question::Introspect(String::from_utf8(output.stdout).unwrap().trim().to_owned());
        let racers = Racers::new(&[
            (server.address, Question::WhoAmI),
            (server.address, Question::ForwardAuth),
            (server.address, introspect.clone()),
            (beside.address, Question::WhoAmI),
            (beside.address, Question::ForwardAuth),
            (beside.address, introspect),
        ]);
        let admin = server.admin();
        Self { server, beside, admin, racers }
    }

    /// The clocks of both servers, as one machine has one.
    fn let_end(&self, duration: Duration) {
        self.server.wait(duration);
        self.beside.wait(duration);
    }

    /// The same, and whoever is signed in stays so.
    fn wait(&self, duration: Duration) {
        self.let_end(duration);
        self.server.stand_at(self.server.clock.now());
    }

    /// Ends a new key in one of the ways there are.
    fn round(&self, round: u64) -> Seen {
        let name = format!("Service {round}");
        let (id, key) = match round % 10 {
            6 => self.admin.create_key_for(&name, "30d"),
            _ => self.admin.create_key(&name),
        };
        let race = |end: &dyn Fn()| self.racers.run(&key, round, end);
        match round % 10 {
            4 => race(&|| {
                let words = ["key", "revoke", id.as_str()];
                assert!(run(self.server.folder.path(), &self.server.database_url, &words, "").status.success());
            }),
            5 => {
                let other = self.beside.admin();
                race(&|| drop(other.revoke(&id, "unspecified", "").expect(303)))
            }
            6 => {
                let almost = Duration::from_hours(30 * 24) - Duration::from_secs(1);
                self.wait(almost);
                race(&|| self.let_end(Duration::from_secs(1)))
            }
            7 => {
                self.admin.rotate(&id, "1h").expect(201);
                self.wait(Duration::from_mins(59));
                race(&|| self.let_end(Duration::from_mins(1)))
            }
            8 => {
                let submission = self.admin.rotation(&id);
                let fields = [("overlap", "none"), ("submission", submission.as_str())];
                let path = format!("{}/{id}/rotate", crate::support::K);
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
fn nothing_that_is_asked_after_an_acknowledged_end_is_accepted() {
    let world = World::new();
    let mut all = Seen::default();
    let mut round = 0;
    while round < 200 || all.answered < 100_000 {
        let seen = world.round(round);
        assert_eq!(seen.stale, 0, "round {round}: {seen:?}");
        all.add(&seen);
        round += 1;
    }
    assert!(all.accepted > all.answered / 10, "{all:?}");
    assert!(all.unavailable * 1_000 <= all.answered, "{all:?}");
}

fn race_against(way: Way, rounds: u64) -> Seen {
    let server = TestServer::start();
    let admin = server.admin();
    let slow = SlowServer::start(&server.actions, way);
    let racers = Racers::new(&[0; 6].map(|_| (slow.address, Question::WhoAmI)));
    let mut all = Seen::default();
    for round in 0..rounds {
        let (id, key) = admin.create_key(&format!("Service {round}"));
        all.add(&racers.run(&key, round, || drop(admin.revoke(&id, "unspecified", "").expect(303))));
    }
    all
}

#[test]
fn the_race_finds_a_cache_however_short_lived() {
    assert!(race_against(Way::ShortLivedCache, 30).stale > 0);
}

#[test]
fn the_race_finds_who_joins_a_read_that_is_under_way() {
    assert!(race_against(Way::ReadInFlight, 60).stale > 0);
}

#[test]
fn the_race_finds_nothing_where_everybody_waits_for_the_next_read() {
    let seen = race_against(Way::NextRead, 60);
    assert!(seen.stale == 0 && seen.accepted > 0, "{seen:?}");
}
