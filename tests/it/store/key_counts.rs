//! The counters of keys equal a count of the keys after any changes and at any time.

use std::cell::Cell;
use std::fmt::Write;

use keydesk::domain::ids::CompanyId;
use keydesk::domain::timestamp::Timestamp;
use keydesk::domain::user::profile::Role;
use keydesk::store::KeyCounts;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::support::companies::{add_company, add_user};
use crate::support::{TestServer, database};

/// The size of the buckets in which keys are counted, in microseconds. Tests use times around multiples of it.
const BUCKET: i64 = 1 << 39;

#[derive(Clone, Debug)]
enum Step {
    Add {
        company: usize,
        expires_at: Option<i64>,
    },
    Expire(usize, Option<i64>),
    Replace(usize, Option<i64>),
    Revoke(usize, i64),
    RecordEnd(usize),
    /// The program does not; the counters would follow.
    Restore(usize),
    Delete(usize),
}

fn times() -> Vec<i64> {
    (-1..4).flat_map(|bucket| [-1, 0, 1].map(|offset| bucket * BUCKET + offset)).collect()
}

fn step() -> impl Strategy<Value = Step> {
    let key = || 0..12_usize;
    let at = || select(times());
    let maybe_at = move || prop::option::of(at());
    prop_oneof![
        5 => (0..2_usize, maybe_at()).prop_map(|(company, expires_at)| Step::Add { company, expires_at }),
        3 => (key(), maybe_at()).prop_map(|(key, at)| Step::Expire(key, at)),
        3 => (key(), maybe_at()).prop_map(|(key, at)| Step::Replace(key, at)),
        2 => (key(), at()).prop_map(|(key, at)| Step::Revoke(key, at)),
        2 => key().prop_map(Step::RecordEnd),
        1 => key().prop_map(Step::Restore),
        1 => key().prop_map(Step::Delete),
    ]
}

/// Two companies, each with a user and a service account.
struct World {
    server: TestServer,
    companies: [CompanyId; 2],
    added: Cell<usize>,
}

impl World {
    fn new() -> Self {
        let server = TestServer::start();
        let other = add_company(&server.actions, "Other");
        add_user(&server.actions, other, "Ada", "ada@other.example", Role::Admin);
        let companies = [server.company("Brightwater"), other];
        for company in companies {
            database::tamper(
                &server.database_url,
                &format!(
                    "INSERT INTO service_accounts (id, company_id, name, name_folded, created_at)
                     VALUES ('{company}', '{company}', 'ERP', 'erp', 0)"
                ),
            );
        }
        Self { server, companies, added: Cell::new(0) }
    }

    /// The statement of a step. It names keys by how lately they were added.
    fn statement(&self, step: &Step) -> String {
        let number = |at: &Option<i64>| at.map_or("NULL".to_owned(), |at| at.to_string());
        let change = |key: &usize, set: &str| {
            let id = format!("key{}", self.added.get().saturating_sub(*key));
            format!("UPDATE api_keys SET {set} WHERE id = '{id}';")
        };
        match step {
            Step::Add { company, expires_at } => {
                self.added.set(self.added.get() + 1);
                let (key, company) = (format!("key{}", self.added.get()), self.companies[*company]);
                let user = format!("(SELECT min(id) FROM users WHERE company_id = '{company}')");
                let expires_at = number(expires_at);
                format!(
                    "INSERT INTO api_keys (id, company_id, service_account_id, digest, pepper_id, preview,
                        preview_folded, created_at, created_by, owner, expires_at)
                     VALUES ('{key}', '{company}', '{company}', '{key}', '', '', '', 0, {user}, {user}, {expires_at});"
                )
            }
            Step::Expire(key, at) => change(key, &format!("expires_at = {}", number(at))),
            Step::Replace(key, at) => {
                change(key, &format!("replaced_by = id, rotated_by = created_by, overlap_ends_at = {}", number(at)))
            }
            Step::Revoke(key, at) => change(
                key,
                &format!("revoked_at = {at}, revoked_by_type = 'system', revocation_reason = 'unspecified'"),
            ),
            Step::RecordEnd(key) => change(key, "end_recorded = TRUE"),
            Step::Restore(key) => change(key, "revoked_at = NULL, revoked_by_type = NULL, revocation_reason = NULL"),
            Step::Delete(key) => {
                format!("DELETE FROM api_keys WHERE id = 'key{}';", self.added.get().saturating_sub(*key))
            }
        }
    }

    fn check(&self) {
        for company in self.companies {
            let keys = format!("FROM api_keys WHERE company_id = '{company}'");
            let refused_from = database::column(&self.server.database_url, "refused_from", &keys);
            let refused_from: Vec<i64> = refused_from.into_iter().flatten().map(|at| at.parse().unwrap()).collect();
            for now in times() {
                let ended = refused_from.iter().filter(|at| **at <= now).count();
                let expected = [refused_from.len() - ended, ended].map(|keys| i64::try_from(keys).unwrap());
                let counted =
                    self.server.actions.store.read(|db| db.keys().count(company, Timestamp::from_micros(now)));
                let KeyCounts { active, ended } = counted.unwrap();
                assert_eq!([active, ended], expected, "at {now}");
            }
        }
    }
}

#[test]
fn counters_equal_a_count_after_random_changes() {
    let world = World::new();
    let config = Config { cases: 30, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let run = runner.run(&vec(step(), 30), |steps| {
        for some in steps.chunks(5) {
            let mut statements = String::new();
            for step in some {
                write!(statements, "{}", world.statement(step)).unwrap();
            }
            database::tamper(&world.server.database_url, &statements);
            world.check();
        }
        Ok(())
    });
    run.unwrap();
}

#[test]
fn the_migration_counts_existing_keys() {
    let world = World::new();
    let before: Vec<_> = times()
        .into_iter()
        .map(|at| Step::Add { company: 0, expires_at: Some(at) })
        .chain([Step::Add { company: 1, expires_at: None }, Step::Revoke(1, 0)])
        .collect();
    let statements: String = before.iter().map(|step| world.statement(step)).collect();
    database::tamper(&world.server.database_url, &statements);
    // The later migration changes the triggers of the earlier one.
    let (counts, triggers) = ("2026-11-28-090000_key_counts", "2026-11-29-230000_imported_keys");
    let tree = if database::postgres().is_some() { "postgres" } else { "sqlite" };
    let folder = format!("{}/migrations/{tree}", env!("CARGO_MANIFEST_DIR"));
    for (name, way) in [(triggers, "down"), (counts, "down"), (counts, "up"), (triggers, "up")] {
        let statements = std::fs::read_to_string(format!("{folder}/{name}/{way}.sql")).unwrap();
        database::tamper(&world.server.database_url, &statements);
    }
    world.check();
}
