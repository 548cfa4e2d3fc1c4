//! Runs random lifecycles of keys over HTTP and compares pages, API and database with a model after every step.

mod model;

use std::cell::Cell;
use std::time::Duration;

use keydesk::domain::timestamp::Timestamp;
use keydesk::domain::user::profile::Role;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use time::OffsetDateTime;

use self::model::{Model, Outcome};
use crate::support::companies::{add_company, add_user};
use crate::support::server::NOW;
use crate::support::{API_KEYS, Browser, TestServer, database};

const MICRO: Duration = Duration::from_micros(1);
const DAY: Duration = Duration::from_hours(24);
/// The first two are spellings of the same name.
const NAMES: [&str; 4] = ["ERP Sync", "erp  SYNC", "Reporting", "Archive"];
const EXPIRIES: [&str; 4] = ["none", "30d", "90d", "tomorrow"];
const OVERLAPS: [(&str, Option<Duration>); 5] = [
    ("none", None),
    ("1h", Some(Duration::from_hours(1))),
    ("24h", Some(DAY)),
    ("7d", Some(model::WEEK)),
    ("30d", Some(Duration::from_hours(30 * 24))),
];

#[derive(Clone, Debug)]
enum Step {
    Create {
        name: &'static str,
        expiry: &'static str,
    },
    Edit {
        key: Index,
        name: Option<&'static str>,
        owner: Option<usize>,
    },
    Rotate {
        key: Index,
        overlap: (&'static str, Option<Duration>),
        expiry: &'static str,
    },
    Extend(Index),
    EndNow(Index),
    Revoke(Index),
    Advance(Duration),
    /// Advances to this long before the next end of a key.
    AdvanceToEnd(Duration),
    RecordEnds,
}

fn step() -> impl Strategy<Value = Step> {
    let key = any::<Index>;
    let durations = [MICRO, Duration::from_hours(1), Duration::from_hours(25), model::WEEK, DAY * 31];
    prop_oneof![
        4 => (select(&NAMES[..]), select(&EXPIRIES[..])).prop_map(|(name, expiry)| Step::Create { name, expiry }),
        5 => (key(), prop::option::of(select(&NAMES[..])), prop::option::of(0..2_usize))
            .prop_map(|(key, name, owner)| Step::Edit { key, name, owner }),
        6 => (key(), select(&OVERLAPS[..]), select(&EXPIRIES[..]))
            .prop_map(|(key, overlap, expiry)| Step::Rotate { key, overlap, expiry }),
        5 => key().prop_map(Step::Extend),
        2 => key().prop_map(Step::EndNow),
        2 => key().prop_map(Step::Revoke),
        2 => select(durations.to_vec()).prop_map(Step::Advance),
        3 => select(vec![Duration::ZERO, MICRO]).prop_map(Step::AdvanceToEnd),
        2 => Just(Step::RecordEnds),
    ]
}

/// The date of tomorrow for the form, and the end of that day.
fn tomorrow(now: Timestamp) -> (String, Timestamp) {
    let today = OffsetDateTime::from_unix_timestamp(now.as_micros() / 1_000_000).unwrap().date();
    let day = today.next_day().unwrap();
    let end = day.next_day().unwrap().midnight().assume_utc().unix_timestamp() * 1_000_000 - 1;
    (format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day()), Timestamp::from_micros(end))
}

fn expiry_field(expiry: &str, now: Timestamp) -> (String, Option<Timestamp>) {
    match expiry {
        "30d" => (expiry.to_owned(), Some(now + DAY * 30)),
        "90d" => (expiry.to_owned(), Some(now + DAY * 90)),
        "tomorrow" => {
            let (date, end) = tomorrow(now);
            (date, Some(end))
        }
        _ => (expiry.to_owned(), None),
    }
}

/// One company on a shared server.
struct Lifecycle<'a> {
    server: &'a TestServer,
    admin: Browser,
    company: String,
    owners: [String; 2],
    model: Model,
}

impl<'a> Lifecycle<'a> {
    fn new(server: &'a TestServer, number: u32) -> Self {
        server.set_clock(NOW);
        let company = add_company(&server.actions, &format!("Company {number}"));
        let owners = ["Ada", "Sam"].map(|name| {
            let email = format!("{name}@company{number}.example");
            add_user(&server.actions, company, name, &email, Role::Admin);
            server.user_id(&email)
        });
        let admin = server.signed_in_as(&format!("Ada@company{number}.example"));
        let model = Model { now: NOW, accounts: Vec::new(), keys: Vec::new() };
        Self { server, admin, company: company.to_string(), owners, model }
    }

    fn apply(&mut self, step: &Step) {
        let key = |index: &Index| (!self.model.keys.is_empty()).then(|| index.index(self.model.keys.len()));
        match step {
            Step::Create { name, expiry } => self.create(name, expiry),
            Step::Advance(duration) => self.move_clock(self.model.now + *duration),
            Step::AdvanceToEnd(before) => {
                let end = self.model.next_end().filter(|end| *end - *before > self.model.now);
                if let Some(end) = end {
                    self.move_clock(end - *before);
                }
            }
            Step::RecordEnds => {
                self.server.actions.record_ended_keys().unwrap();
                self.model.record_ended_keys();
            }
            Step::Edit { key: index, name, owner } => {
                if let Some(key) = key(index) {
                    self.edit(key, *name, *owner);
                }
            }
            Step::Rotate { key: index, overlap, expiry } => {
                if let Some(key) = key(index) {
                    self.rotate(key, *overlap, expiry);
                }
            }
            Step::Extend(index) | Step::EndNow(index) => {
                // For most other keys this is refused.
                let keys = || self.model.keys.iter().enumerate();
                let replaced: Vec<_> = keys().filter(|(_, key)| key.overlap_ends_at.is_some()).collect();
                let key = if replaced.is_empty() { key(index) } else { Some(index.get(&replaced).0) };
                if let Some(key) = key {
                    self.end(key, step);
                }
            }
            Step::Revoke(index) => {
                if let Some(key) = key(index) {
                    self.end(key, step);
                }
            }
        }
    }

    fn move_clock(&mut self, now: Timestamp) {
        self.model.now = now;
        self.server.set_clock(now);
    }

    fn create(&mut self, name: &str, expiry: &str) {
        let (expires, expires_at) = expiry_field(expiry, self.model.now);
        let answer = self.admin.add_key_with(name, &[("expires", &expires)]);
        match self.model.may_create(name) {
            Outcome::Done => self.model.create(name, answer.shown_key(), &self.owners[0], expires_at),
            _ => assert_eq!(answer.status, 422, "{}", answer.body),
        }
    }

    fn edit(&mut self, key: usize, name: Option<&str>, owner: Option<usize>) {
        let name = name.unwrap_or(self.model.name(key)).to_owned();
        let owner = owner.map_or_else(|| self.model.keys[key].owner.clone(), |owner| self.owners[owner].clone());
        let answer = self.admin.edit(&self.model.keys[key].id, &name, &owner);
        let expected = match self.model.edit(key, &name, &owner) {
            Outcome::Done => 303,
            Outcome::NameTaken => 422,
            Outcome::Conflict => 409,
        };
        assert_eq!(answer.status, expected, "{}", answer.body);
    }

    fn rotate(&mut self, key: usize, (overlap, duration): (&str, Option<Duration>), expiry: &str) {
        let (expires, expires_at) = expiry_field(expiry, self.model.now);
        let path = format!("{API_KEYS}/{}/rotate", self.model.keys[key].id);
        let form = self.admin.get(&path).html();
        let submission = form.all("dialog input[name=submission]").first().and_then(|field| field.attr("value"));
        let fields = [("overlap", overlap), ("expires", &expires), ("submission", submission.unwrap_or_default())];
        let answer = self.admin.post(&path, &fields);
        match self.model.may_rotate(key) {
            Outcome::Done => self.model.rotate(key, answer.shown_key(), duration, expires_at),
            _ => assert_eq!(answer.status, 409, "{}", answer.body),
        }
    }

    fn end(&mut self, key: usize, step: &Step) {
        let id = self.model.keys[key].id.clone();
        if let Step::Revoke(_) = step {
            let location = self.admin.revoke(&id, "unspecified", "").expect(303).header("location").to_owned();
            let expected = if self.model.revoke(key) { "done=" } else { "already=" };
            assert!(location.contains(expected), "{location}");
            return;
        }
        let (end, outcome) = match step {
            Step::Extend(_) => ("7d", self.model.extend(key)),
            _ => ("now", self.model.end_now(key)),
        };
        let expected = if outcome == Outcome::Done { 303 } else { 409 };
        assert_eq!(self.admin.change_overlap(&id, end).status, expected);
    }

    fn check(&self) {
        let model = &self.model;
        let states: Vec<_> = (0..model.keys.len()).map(|key| model.state(key)).collect();
        let active = states.iter().filter(|state| **state == "active").count();
        let keys = |count| if count == 1 { "1 key".to_owned() } else { format!("{count} keys") };
        let counters =
            [format!("Active Keys {}", keys(active)), format!("Revoked Keys {}", keys(states.len() - active))];
        let (mut shown, mut expected) = (Vec::new(), Vec::new());
        for tab in ["active", "revoked"] {
            let page = self.admin.tab(tab);
            assert_eq!(page.counters(), counters);
            for (row, name) in page.all("tr[data-key-id]").iter().zip(page.key_names()) {
                let of = |name| row.attr(name).unwrap();
                shown.push(format!("{tab}: {} {} {name}", of("data-key-id"), of("data-status")));
            }
        }
        for (number, key) in model.keys.iter().enumerate() {
            let (state, name) = (states[number], model.name(number));
            let tab = if state == "active" { "active" } else { "revoked" };
            expected.push(format!("{tab}: {} {state} {name}", key.id));
            let answer = self.admin.bearer("/v1/whoami", &key.secret);
            assert_eq!(answer.status, if state == "active" { 200 } else { 401 }, "{key:?}");
            assert!(state != "active" || (answer.body.contains(name) && answer.body.contains(&key.id)));
        }
        shown.sort_unstable();
        expected.sort_unstable();
        assert_eq!(shown, expected);
        if let (Some(key), Some(state)) = (model.keys.last(), states.last()) {
            let page = self.admin.key_page(&key.id);
            assert_eq!(page.text(".key-name .pill").to_lowercase(), *state);
        }
        self.check_database();
    }

    fn check_database(&self) {
        let url = &self.server.database_url;
        let rest = format!(
            "FROM events WHERE trail_id = '{}' AND key_id IS NOT NULL AND action <> 'api_key.refused_after_revocation' ORDER BY sequence",
            self.company
        );
        let event = "key_id || ' ' || actor_type || ' ' || action || coalesce(' ' || reason, '')";
        let events: Vec<String> = database::column(url, event, &rest).into_iter().flatten().collect();
        let owner = format!("FROM api_keys WHERE company_id = '{}' ORDER BY id", self.company);
        let owners: Vec<_> = database::column(url, "id || ' ' || owner", &owner).into_iter().flatten().collect();
        let mut expected: Vec<_> = self.model.keys.iter().map(|key| format!("{} {}", key.id, key.owner)).collect();
        expected.sort_unstable();
        assert_eq!(owners, expected);
        for key in &self.model.keys {
            let of = |actor: &str| -> Vec<&str> {
                let start = format!("{} {actor} ", key.id);
                events.iter().filter_map(|event| event.strip_prefix(&start)).collect()
            };
            assert_eq!(of("user"), key.events, "{key:?}");
            // The server's own thread may have recorded an end already.
            let end_by_time = key.end_by_time(self.model.now).map(|state| match state {
                "expired" => "api_key.expired",
                _ => "api_key.revoked superseded",
            });
            let recorded = of("system");
            assert!(recorded.len() <= 1 && recorded.first().is_none_or(|end| end_by_time == Some(*end)), "{key:?}");
            assert!(!key.is_recorded || recorded.len() == 1, "{key:?}");
        }
    }
}

#[test]
fn random_key_lifecycles_match_the_model() {
    let server = TestServer::start();
    let config = Config { cases: 10, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let number = Cell::new(0);
    let run = runner.run(&vec(step(), 20), |steps| {
        number.set(number.get() + 1);
        let mut lifecycle = Lifecycle::new(&server, number.get());
        for step in &steps {
            lifecycle.apply(step);
            lifecycle.check();
        }
        Ok(())
    });
    run.unwrap();
}
