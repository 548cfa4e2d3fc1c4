//! No revoked key is accepted, and no active one refused, while secrets are rotated and digests renewed.

use super::{rotate, wait_until};
use crate::support::TestServer;
use crate::support::race::{Endpoint, LoadGenerators, RaceOutcome};

#[test]
fn no_stale_answer_while_secrets_are_rotated() {
    let server = TestServer::start();
    let second = server.second_server();
    let admin = server.admin();
    let generators = LoadGenerators::new(&[
        (server.address, Endpoint::WhoAmI),
        (server.address, Endpoint::ForwardAuth),
        (second.address, Endpoint::WhoAmI),
        (second.address, Endpoint::ForwardAuth),
    ]);
    let keys: Vec<_> = (0..30).map(|number| admin.create_key(&format!("Service {number}"))).collect();
    let (bystander_id, bystander) = admin.create_key("Bystander");
    let mut outcome = RaceOutcome::default();
    let mut pepper = String::new();
    for (round, (id, key)) in (0..).zip(&keys) {
        if round % 12 == 0 {
            pepper = rotate(&[&server, &second]);
        }
        // The first uses of a key renew its digest, while it is revoked.
        outcome.add(&generators.run(key, round, || drop(admin.revoke(id, "compromised", "").expect(303))));
        assert_eq!([&server, &second].map(|server| server.whoami(&bystander)), [200; 2]);
    }
    assert!(outcome.answered > 100 && outcome.accepted > 10, "{outcome:?}");
    assert_eq!(outcome.stale, 0, "{outcome:?}");
    wait_until("the bystander's digest is renewed", || super::pepper_of(&server, &bystander_id) == pepper);
}
