//! Everything that can be guessed: a burst of concurrent guesses is judged a few times, and then none is let through.

use keydesk::domain::user::profile::Role;

use crate::support::authenticator::{Authenticator, SECOND_FACTOR};
use crate::support::{Answer, Browser, PASSWORD, TestServer, figures};

const MARIA: &str = "maria@brightwater.example";
const NEW_PASSWORD: &str = "nine kettles sing at dusk";
const THREADS: usize = 40;
const GUESSES_PER_THREAD: usize = 10;
const MAX_JUDGED: usize = 10;

/// Something to guess: sends a wrong guess with a number, and sends the right one.
struct Guessable<'a> {
    name: &'static str,
    wrong: Box<dyn Fn(usize) -> Answer + Sync + 'a>,
    right: Box<dyn Fn() -> Answer + 'a>,
}

/// Sends a form with this current password.
type SendPassword<'a> = &'a (dyn Fn(&Browser, &str) -> Answer + Sync);

/// Sends all guesses. Returns the statuses.
fn burst(guess: &(dyn Fn(usize) -> Answer + Sync)) -> Vec<u16> {
    std::thread::scope(|scope| {
        let threads = (0..THREADS).map(|thread| {
            let numbers = thread * GUESSES_PER_THREAD..(thread + 1) * GUESSES_PER_THREAD;
            scope.spawn(move || numbers.map(|number| guess(number).status).collect::<Vec<_>>())
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn assert_limited(guessable: &Guessable<'_>) {
    let statuses = burst(&*guessable.wrong);
    let count = |status: u16| statuses.iter().filter(|other| **other == status).count();
    let judged = count(422);
    figures::print(
        "S10",
        format!("{judged} of {} guesses of {} judged (≤ {MAX_JUDGED})", statuses.len(), guessable.name),
    );
    assert!((5..=MAX_JUDGED).contains(&judged), "{}: {judged} guesses were judged", guessable.name);
    // 503: too many wait for a turn. It is not judged either.
    assert_eq!(count(422) + count(429) + count(503), statuses.len(), "{}: {statuses:?}", guessable.name);
    (guessable.right)().expect(429);
}

fn sign_in(browser: &Browser, password: &str) -> Answer {
    browser.post("/sign-in", &[("email", MARIA), ("password", password)])
}

/// Six digits that are not among the current codes.
fn wrong_code(app: &Authenticator, server: &TestServer, number: usize) -> String {
    let half_minute = std::time::Duration::from_secs(30);
    let now = server.clock.now();
    let right = [now - half_minute, now, now + half_minute].map(|at| app.code(at));
    let mut codes = (number * 7..).map(|code| format!("{code:06}"));
    codes.find(|code| !right.contains(code)).unwrap()
}

#[test]
fn a_burst_of_sign_ins_is_checked_a_few_times() {
    let server = TestServer::start();
    let known = server.admin();
    known.post("/sign-out", &[]).expect(303);
    let (stranger, unknown) = (server.anonymous(), server.anonymous());
    for guessable in [
        Guessable {
            name: "a password",
            wrong: Box::new(|number| sign_in(&stranger, &format!("guess {number}"))),
            right: Box::new(|| sign_in(&server.anonymous(), PASSWORD)),
        },
        Guessable {
            name: "a password of an unknown address",
            wrong: Box::new(|number| {
                let password = format!("guess {number}");
                unknown.post("/sign-in", &[("email", "nobody@brightwater.example"), ("password", &password)])
            }),
            right: Box::new(|| unknown.post("/sign-in", &[("email", "nobody@brightwater.example")])),
        },
        Guessable {
            name: "a password, from a known browser",
            wrong: Box::new(|number| sign_in(&known, &format!("guess {number}"))),
            right: Box::new(|| sign_in(&known, PASSWORD)),
        },
    ] {
        assert_limited(&guessable);
    }
}

#[test]
fn a_burst_of_codes_is_checked_a_few_times() {
    for is_known in [false, true] {
        for is_recovery_code in [false, true] {
            let server = TestServer::start();
            let admin = server.admin();
            let (app, recovery_codes) = Authenticator::set_up(&admin, server.clock.now());
            server.advance(std::time::Duration::from_mins(1));
            admin.post("/sign-out", &[]).expect(303);
            let browser = if is_known { admin } else { server.anonymous() };
            sign_in(&browser, PASSWORD).expect_redirect("/sign-in/code");
            let enter = |code: &str| browser.post("/sign-in/code", &[("code", code)]);
            assert_limited(&Guessable {
                name: if is_recovery_code { "a recovery code" } else { "an authenticator code" },
                wrong: Box::new(|number| {
                    let recovery_code = format!("0123-4567-{number:04}");
                    enter(&if is_recovery_code { recovery_code } else { wrong_code(&app, &server, number) })
                }),
                right: Box::new(|| {
                    let code = app.code(server.clock.now());
                    enter(if is_recovery_code { &recovery_codes[0] } else { &code })
                }),
            });
        }
    }
}

#[test]
fn a_burst_of_current_passwords_is_checked_a_few_times() {
    let change = |browser: &Browser, current: &str| {
        browser.post("/account/password", &[("current_password", current), ("new_password", NEW_PASSWORD)])
    };
    let set_up = |browser: &Browser, current: &str| {
        browser.post(SECOND_FACTOR, &[("current_password", current), ("code", "000000")])
    };
    let remove = |browser: &Browser, current: &str| browser.post(SECOND_FACTOR, &[("current_password", current)]);
    let forms: [(&'static str, SendPassword<'_>); 3] =
        [("to change it", &change), ("to set up a second factor", &set_up), ("to remove the second factor", &remove)];
    for (name, send) in forms {
        let server = TestServer::start();
        server.add_person("Jonas Bakke", "jonas@brightwater.example", Role::Auditor);
        let jonas = server.signed_in_as("jonas@brightwater.example");
        if name.contains("remove") {
            server.set_up_second_factor(&jonas);
        }
        assert_limited(&Guessable {
            name,
            wrong: Box::new(|number| send(&jonas, &format!("guess {number}"))),
            right: Box::new(|| send(&jonas, PASSWORD)),
        });
    }
}
