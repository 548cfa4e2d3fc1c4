//! Concurrent requests: whichever comes first, neither bypasses the other.

use std::time::Duration;

use keydesk::domain::user::profile::Role;

use crate::support::{API_KEYS, Answer, Browser, PASSWORD, TestServer, database};

const JONAS: &str = "jonas@brightwater.example";

fn sign_in(browser: &Browser) -> Answer {
    browser.post("/sign-in", &[("email", JONAS), ("password", PASSWORD)])
}

/// The sequence numbers of the events that match a condition.
fn numbers(server: &TestServer, condition: &str) -> Vec<u64> {
    let found = database::column(&server.database_url, "sequence", &format!("FROM events WHERE {condition}"));
    found.into_iter().map(|number| number.unwrap().parse().unwrap()).collect()
}

/// Sets up a second factor while `other` runs, a little later in each round. No sign-in after the set-up may succeed
/// without a code.
fn race_second_factor_set_up(other: impl Fn(&TestServer, &str) -> Answer + Sync) {
    for round in 0..8 {
        let server = TestServer::start();
        let id = server.add_person("Jonas Bakke", JONAS, Role::Auditor);
        let jonas = server.signed_in_as(JONAS);
        let form = jonas.get("/account/second-factor").expect(200).html();
        let link = server.path_of(&server.admin().renew_invitation(&id));
        let code = server.code(&form.text("#second-factor-secret").replace(' ', ""));
        let (other, set_up) = std::thread::scope(|scope| {
            let other = scope.spawn(|| other(&server, &link));
            std::thread::sleep(Duration::from_millis(4 * round));
            let fields = [("code", code.as_str()), ("current_password", PASSWORD)];
            let set_up = jonas.post("/account/second-factor", &fields);
            (other.join().unwrap(), set_up)
        });
        let Some(since) = numbers(&server, "action = 'user.second_factor_changed'").first().copied() else {
            // The other request came first and ended the session of the set-up.
            assert_ne!(set_up.status, 201);
            continue;
        };
        assert_eq!(set_up.status, 201);
        let without_a_code = format!("action = 'user.signed_in' AND after_json IS NULL AND target_id = '{id}'");
        let without_a_code = numbers(&server, &without_a_code);
        let passed = without_a_code.iter().any(|signed_in| *signed_in > since);
        assert!(!passed, "round {round}: signed in without a code, redirected to {}", other.header("location"));
    }
}

#[test]
fn a_link_used_during_second_factor_set_up_does_not_bypass_it() {
    race_second_factor_set_up(|server, link| server.anonymous().accept(link));
}

#[test]
fn a_sign_in_during_second_factor_set_up_does_not_bypass_it() {
    race_second_factor_set_up(|server, _| sign_in(&server.anonymous()));
}

#[test]
fn a_password_change_ends_sessions_started_meanwhile() {
    for round in 0..8 {
        let server = TestServer::start();
        server.add_person("Jonas Bakke", JONAS, Role::Auditor);
        let (jonas, thief) = (server.signed_in_as(JONAS), server.anonymous());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let fields = [("current_password", PASSWORD), ("new_password", "another tram is quiet")];
                jonas.post("/account/password", &fields).expect(303);
            });
            std::thread::sleep(Duration::from_millis(10 * round));
            sign_in(&thief);
        });
        let at = ["user.signed_in", "user.password_changed"].map(|it| numbers(&server, &format!("action = '{it}'")));
        assert_eq!(thief.get(API_KEYS).status, 303, "round {round}: signed in and changed at {at:?}");
        jonas.get(API_KEYS).expect(200);
    }
}

#[test]
fn a_key_created_during_its_owners_deletion_is_revoked() {
    for round in 0..12 {
        let server = TestServer::start();
        let id = server.add_person("Jonas Bakke", JONAS, Role::Admin);
        let (admin, jonas) = (server.admin(), server.signed_in_as(JONAS));
        jonas.create_key("Reporting");
        let submission = jonas.submission();
        std::thread::scope(|scope| {
            scope.spawn(|| jonas.post(API_KEYS, &[("name", "ERP Sync"), ("submission", &submission)]));
            std::thread::sleep(Duration::from_micros(500 * (round % 6)));
            admin.delete_user(&id, &[("revoke_keys", "yes")]).expect(303);
        });
        let left = format!("owner = '{id}' AND revoked_at IS NULL");
        assert_eq!(database::count(&server.database_url, "api_keys", &left), 0, "round {round}");
    }
}
