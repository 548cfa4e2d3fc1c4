//! The throttle and browsers that are known: strangers are stopped, and nobody can lock somebody else out.

use std::time::Duration;

use keydesk::domain::event::Origin;

use crate::support::{Answer, Browser, K, PASSWORD, TestServer};

const MARIA: &str = "maria@brightwater.example";

fn sign_in(browser: &Browser, email: &str, password: &str) -> Answer {
    browser.post("/sign-in", &[("email", email), ("password", password)])
}

/// A hundred failures in a row from a browser that nobody knows.
fn fail_a_hundred_times(server: &TestServer, email: &str) {
    for number in 0..100 {
        if number >= 7 {
            server.wait(Duration::from_mins(15));
        }
        sign_in(&server.anonymous(), email, "wrong").expect(422);
    }
    server.wait(Duration::from_mins(15));
}

#[test]
fn the_device_cookie_lasts_a_year_and_lets_nobody_in() {
    let server = TestServer::start();
    let cookie = sign_in(&server.anonymous(), MARIA, PASSWORD).cookie("keydesk-device");
    for part in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=31536000"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let value = cookie.split(';').next().unwrap();
    let thief = |name: &str| {
        let token = value.split_once('=').unwrap().1;
        let request = server.anonymous().request("GET", K).header("Cookie", format!("{name}={token}"));
        crate::support::browser::send(request).status
    };
    assert_eq!((thief("keydesk-device"), thief("keydesk")), (303, 303));
    let again = server.admin();
    let second = sign_in(&again, MARIA, PASSWORD).cookie("keydesk-device");
    let third = sign_in(&again, MARIA, PASSWORD).cookie("keydesk-device");
    assert_eq!(second, third);
    assert_ne!(second.split(';').next(), Some(value));
}

#[test]
fn after_a_hundred_failures_only_a_known_browser_signs_in() {
    let server = TestServer::start();
    let known = server.admin();
    known.post("/sign-out", &[]).expect(303);
    for email in [MARIA, "nobody@brightwater.example"] {
        fail_a_hundred_times(&server, email);
        let stopped = sign_in(&server.anonymous(), email, PASSWORD).expect(429);
        assert!(stopped.body.contains("Use a browser you have signed in with before"), "{}", stopped.body);
        assert_eq!(stopped.header("retry-after"), "900");
        server.wait(Duration::from_hours(48));
        sign_in(&server.anonymous(), email, PASSWORD).expect(429);
    }
    sign_in(&known, MARIA, PASSWORD).expect_redirect(K);
    // A success ends the count, for strange browsers as well.
    sign_in(&server.anonymous(), MARIA, PASSWORD).expect_redirect(K);
}

#[test]
fn a_known_browser_is_slowed_by_its_own_failures_alone_and_never_stopped() {
    let server = TestServer::start();
    let known = server.admin();
    for _ in 0..10 {
        sign_in(&server.anonymous(), MARIA, "wrong");
    }
    sign_in(&server.anonymous(), MARIA, PASSWORD).expect(429);
    for _ in 0..7 {
        sign_in(&known, MARIA, "wrong").expect(422);
    }
    sign_in(&known, MARIA, PASSWORD).expect(429);
    for _ in 0..110 {
        server.wait(Duration::from_mins(15));
        sign_in(&known, MARIA, "wrong").expect(422);
    }
    server.wait(Duration::from_mins(15));
    sign_in(&known, MARIA, PASSWORD).expect_redirect(K);
}

#[test]
fn a_browser_is_known_for_the_user_who_signed_in_with_it_alone() {
    let server = TestServer::start();
    let auditor = server.auditor();
    fail_a_hundred_times(&server, MARIA);
    sign_in(&auditor, MARIA, PASSWORD).expect(429);
}

#[test]
fn an_operator_unlocks_an_address() {
    let server = TestServer::start();
    fail_a_hundred_times(&server, MARIA);
    sign_in(&server.anonymous(), MARIA, PASSWORD).expect(429);
    server.actions.unlock(&server.user(MARIA), &Origin::command_line()).unwrap();
    sign_in(&server.anonymous(), MARIA, PASSWORD).expect_redirect(K);
    assert!(server.trail("Brightwater").iter().any(|(action, _)| action == "user.unlocked"));
}

#[test]
fn refusals_of_known_and_strange_browsers_are_one_event_an_hour() {
    let server = TestServer::start();
    let known = server.admin();
    for browser in [&known, &server.anonymous(), &known, &server.anonymous()] {
        sign_in(browser, MARIA, "wrong").expect(422);
    }
    server.wait(Duration::from_hours(1));
    sign_in(&known, MARIA, "wrong").expect(422);
    let refused: Vec<String> = server
        .trail("Brightwater")
        .into_iter()
        .filter(|(action, _)| action == "user.sign_in_refused")
        .map(|e| e.1)
        .collect();
    assert_eq!(refused, [r#"{"refusals":1}"#, r#"{"refusals":4}"#]);
}
