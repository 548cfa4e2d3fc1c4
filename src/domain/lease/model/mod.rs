//! A model of database servers and Keydesk's nodes under fail-over, partitions and clocks of different rates. It runs the
//! real [`Lease`], and fails if a node accepts a key whose revocation was acknowledged before the request arrived.

mod world;

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use self::world::{NODES, Rules, Step, World};
use super::{BEAT_INTERVAL, LEASE_DURATION};

fn step() -> impl Strategy<Value = Step> {
    let node = || 0..NODES;
    let server = || 0..3_usize;
    prop_oneof![
        6 => (1_u64..400).prop_map(|millis| Step::Pass(Duration::from_millis(millis))),
        4 => node().prop_map(Step::SendBeat),
        3 => node().prop_map(Step::SendRevocation),
        8 => node().prop_map(Step::Handle),
        8 => node().prop_map(Step::Return),
        2 => node().prop_map(Step::Reconnect),
        1 => server().prop_map(Step::Cut),
        2 => server().prop_map(Step::Heal),
        1 => server().prop_map(Step::Promote),
        1 => server().prop_map(Step::Name),
        1 => server().prop_map(Step::Follow),
    ]
}

fn run(rules: Rules, cases: u32) -> Result<(), proptest::test_runner::TestError<(usize, Vec<Step>)>> {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: if rules == Rules::AsBuilt { 2_000 } else { 0 },
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let worlds = (2..4_usize, proptest::collection::vec(step(), 1..120));
    TestRunner::new_with_rng(config, rng).run(&worlds, |(servers, steps)| {
        let mut world = World::new(rules, servers);
        for step in steps {
            world.take(step);
            if let Some((node, revocation)) = world.stale_answer() {
                return Err(TestCaseError::fail(format!("node {node} does not know the revocation {revocation}")));
            }
        }
        Ok(())
    })
}

#[test]
fn no_node_accepts_a_revoked_key() {
    assert!(BEAT_INTERVAL * 2 < LEASE_DURATION, "a late beat must not end the lease");
    run(Rules::AsBuilt, 2_000).unwrap();
}

#[test]
fn the_model_finds_wrong_rules() {
    for rules in [Rules::LeaseFromReturn, Rules::NoWait, Rules::NoLease, Rules::AnyStandby] {
        assert!(run(rules, 8_000).is_err(), "{rules:?}");
    }
}
