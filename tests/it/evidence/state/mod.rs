//! Rows that were changed by hand: `audit verify` replays the events and names each of them.

mod background;
mod commands;
mod life;
mod tampering;

use keydesk::domain::trail::checkpoint::origin;
use keydesk::evidence::{CheckRequest, Pace, StateDifference, check_state, stray_rows};

use self::life::Life;
use self::tampering::Tampering;
use super::random::Random;
use crate::support::TestServer;
use crate::support::figures::{self, count};

/// Mutations in `make test`; `make endurance` makes 1,000.
const MUTATIONS: u64 = 60;
const MUTATIONS_PER_LIFE: u64 = 15;

/// All differences between the rows and the events of all trails.
fn differences(server: &TestServer) -> Vec<StateDifference> {
    let actions = &server.actions;
    let trails = actions.store.query(|db| db.stored_rows().trails()).unwrap();
    let key = actions.secrets.signer().public_key();
    let mut found = stray_rows(&actions.store).unwrap();
    for (trail, _) in trails {
        let origin = origin(actions.installation, trail);
        let request = CheckRequest { trail, origin, key, kept_checkpoint: None };
        found.extend(
            check_state(&actions.store, &request, Pace::Full, &mut |_| {}).unwrap().unwrap().unwrap().differences,
        );
    }
    found
}

#[test]
fn every_changed_row_of_random_lives_is_named() {
    let mutations = count(MUTATIONS, 1_000);
    for life in 0..mutations.div_ceil(MUTATIONS_PER_LIFE) {
        let mut random = Random::from(life);
        let server = TestServer::start();
        Life::new(&server, &mut random).run(40);
        tampering::unlock(&server);
        assert_eq!(differences(&server), [], "life {life} as it was lived");
        for number in 0..MUTATIONS_PER_LIFE.min(mutations - life * MUTATIONS_PER_LIFE) {
            let tampering = Tampering::random(&server, &mut random);
            tampering.apply(&server);
            let found = differences(&server);
            let is_named = found.iter().any(|found| tampering.is_named_by(found));
            assert!(is_named, "life {life}, mutation {number}: {tampering:?}: {found:?}");
            tampering.undo(&server);
        }
        assert_eq!(differences(&server), [], "life {life} with all mutations undone");
    }
    figures::print("C4", format!("{mutations} of {mutations} changed rows named"));
}
