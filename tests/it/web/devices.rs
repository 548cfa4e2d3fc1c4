//! The sign-in throttle and known browsers: unknown browsers cannot lock a user out.

use std::time::Duration;

use crate::support::{API_KEYS, Answer, Browser, PASSWORD, TestServer, figures};

const MARIA: &str = "maria@brightwater.example";

fn sign_in(browser: &Browser, email: &str, password: &str) -> Answer {
    browser.post("/sign-in", &[("email", email), ("password", password)])
}

/// Fails a hundred times from an unknown browser.
fn fail_a_hundred_times(server: &TestServer, email: &str) {
    for number in 0..100 {
        if number >= 7 {
            server.advance(Duration::from_mins(15));
        }
        sign_in(&server.anonymous(), email, "wrong").expect(422);
    }
    server.advance(Duration::from_mins(15));
}

#[test]
fn the_device_cookie_lasts_a_year_and_grants_no_access() {
    let server = TestServer::start();
    let (session, device) = (server.cookie_name(), format!("{}-device", server.cookie_name()));
    let cookie = sign_in(&server.anonymous(), MARIA, PASSWORD).cookie(&device);
    for part in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=31536000"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let value = cookie.split(';').next().unwrap();
    let thief = |name: &str| {
        let token = value.split_once('=').unwrap().1;
        let request = server.anonymous().request("GET", API_KEYS).header("Cookie", format!("{name}={token}"));
        crate::support::browser::send(request).status
    };
    assert_eq!((thief(&device), thief(&session)), (303, 303));
    let again = server.admin();
    let second = sign_in(&again, MARIA, PASSWORD).cookie(&device);
    let third = sign_in(&again, MARIA, PASSWORD).cookie(&device);
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
        assert!(stopped.body.contains("Sign in from a browser you’ve used before"), "{}", stopped.body);
        assert_eq!(stopped.header("retry-after"), "900");
        server.advance(Duration::from_hours(48));
        sign_in(&server.anonymous(), email, PASSWORD).expect(429);
    }
    sign_in(&known, MARIA, PASSWORD).expect_redirect(API_KEYS);
    // A success ends the count, for unknown browsers as well.
    sign_in(&server.anonymous(), MARIA, PASSWORD).expect_redirect(API_KEYS);
}

#[test]
fn a_known_browser_is_slowed_only_by_its_own_failures() {
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
        server.advance(Duration::from_mins(15));
        sign_in(&known, MARIA, "wrong").expect(422);
    }
    server.advance(Duration::from_mins(15));
    sign_in(&known, MARIA, PASSWORD).expect_redirect(API_KEYS);
}

#[test]
fn failures_from_a_shared_address_do_not_make_a_known_browser_wait() {
    let server = TestServer::start();
    let known = server.admin();
    known.post("/sign-out", &[]).expect(303);
    // All browsers of a test have the address 127.0.0.1, as all clients of a proxy that is not listed.
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads = [0, 1, 2, 3].map(|thread| {
            let stranger = server.anonymous();
            let send = move |number| sign_in(&stranger, &format!("user{thread}.{number}@example.com"), "wrong").status;
            scope.spawn(move || (0..250).map(send).collect::<Vec<_>>())
        });
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 100);
    sign_in(&server.anonymous(), MARIA, PASSWORD).expect(429);
    sign_in(&known, MARIA, PASSWORD).expect_redirect(API_KEYS);
    figures::print(
        "S11",
        format!("a known browser is in at once after {} wrong sign-ins from its address", statuses.len()),
    );
    known.post("/sign-out", &[]).expect(303);
    // Its own failures are its own, too.
    sign_in(&known, MARIA, "wrong").expect(422);
    sign_in(&known, MARIA, PASSWORD).expect_redirect(API_KEYS);
}

#[test]
fn a_known_browser_enters_its_code_while_its_address_waits() {
    let server = TestServer::start();
    let known = server.admin();
    let secret = server.set_up_second_factor(&known);
    known.post("/sign-out", &[]).expect(303);
    server.advance(Duration::from_mins(1));
    for number in 0..100 {
        sign_in(&server.anonymous(), &format!("user{number}@example.com"), "wrong").expect(422);
    }
    sign_in(&server.anonymous(), MARIA, PASSWORD).expect(429);
    sign_in(&known, MARIA, PASSWORD).expect_redirect("/sign-in/code");
    known.post("/sign-in/code", &[("code", &server.code(&secret))]).expect_redirect(API_KEYS);
}

#[test]
fn a_browser_is_known_only_for_the_user_who_signed_in() {
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
    server.actions.unlock(&server.user(MARIA)).unwrap();
    sign_in(&server.anonymous(), MARIA, PASSWORD).expect_redirect(API_KEYS);
    assert!(server.trail("Brightwater").iter().any(|(action, _)| action == "user.unlocked"));
}

#[test]
fn an_unlock_ends_the_waits_of_known_browsers_and_sessions() {
    let server = TestServer::start();
    let (known, admin) = (server.admin(), server.admin());
    let change = |current: &str| {
        let fields = [("current_password", current), ("new_password", "nine kettles sing at dusk")];
        admin.post("/account/password", &fields)
    };
    for _ in 0..7 {
        sign_in(&known, MARIA, "wrong").expect(422);
        change("wrong").expect(422);
    }
    sign_in(&known, MARIA, PASSWORD).expect(429);
    change(PASSWORD).expect(429);
    assert!(server.actions.unlock(&server.user(MARIA)).unwrap().is_empty());
    sign_in(&known, MARIA, PASSWORD).expect_redirect(API_KEYS);
    change(PASSWORD).expect(303);
}

#[test]
fn refusals_of_all_browsers_are_one_event_an_hour() {
    let server = TestServer::start();
    let known = server.admin();
    for browser in [&known, &server.anonymous(), &known, &server.anonymous()] {
        sign_in(browser, MARIA, "wrong").expect(422);
    }
    server.advance(Duration::from_hours(1));
    sign_in(&known, MARIA, "wrong").expect(422);
    let refused: Vec<String> = server
        .trail("Brightwater")
        .into_iter()
        .filter(|(action, _)| action == "user.sign_in_refused")
        .map(|e| e.1)
        .collect();
    assert_eq!(refused, [r#"{"refusals":1}"#, r#"{"refusals":4}"#]);
}
