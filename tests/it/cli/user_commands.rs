//! Commands for users while a server runs.

use super::{run, text};
use crate::support::authenticator::Authenticator;
use crate::support::{API_KEYS, PASSWORD, TestServer, database};

const MARIA: &str = "maria@brightwater.example";
const NEW_PASSWORD: &str = "nine kettles sing at dusk";

fn command(server: &TestServer, words: &[&str], input: &str) -> (Option<i32>, String, String) {
    let output = run(server.folder.path(), &server.database_url, words, input);
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_user_added_without_a_password_gets_a_working_link() {
    let server = TestServer::start();
    let words = ["user", "add", "--company", "Brightwater", "--name", "Jonas Bakke"];
    let words = [&words[..], &["--email", "jonas@brightwater.example", "--role", "auditor"]].concat();
    let words = [&words[..], &["--public-url", "https://keys.brightwater.example"]].concat();
    let (code, output, _) = command(&server, &words, "");
    assert_eq!(code, Some(0));
    let link = output.trim_end().strip_prefix("Invitation link: https://keys.brightwater.example").unwrap();
    let browser = server.anonymous();
    browser.get(link).expect(200);
    browser.post(link, &[("password", NEW_PASSWORD)]).expect_redirect(API_KEYS);
    browser.get(API_KEYS).expect(200);
}

#[test]
fn setting_a_password_ends_earlier_sessions() {
    let server = TestServer::start();
    let admin = server.admin();
    let set = |words: &[&str], input: &str| command(&server, &[&["user", "set-password"], words].concat(), input);
    let (code, _, output) = set(&["--email", MARIA, "--password-stdin"], "short");
    assert_eq!((code, output.trim_end()), (Some(1), "Use at least 15 characters."));
    let (code, _, output) = set(&["--email", "nobody@brightwater.example"], NEW_PASSWORD);
    assert_eq!(code, Some(1));
    assert!(output.starts_with("No user has the email address “nobody@brightwater.example”."), "{output}");
    assert_eq!(set(&["--email", MARIA, "--company", "Nowhere"], NEW_PASSWORD).0, Some(1));
    admin.get(API_KEYS).expect(200);
    let (code, output, _) = set(&["--email", "MARIA@brightwater.example"], &format!("{NEW_PASSWORD}\n"));
    assert_eq!((code, output.trim_end()), (Some(0), "Password set: maria@brightwater.example"));
    admin.get(API_KEYS).expect(303);
    server.anonymous().post("/sign-in", &[("email", MARIA), ("password", PASSWORD)]).expect(422);
    server.anonymous().post("/sign-in", &[("email", MARIA), ("password", NEW_PASSWORD)]).expect_redirect(API_KEYS);
    assert!(server.trail("Brightwater").iter().any(|(action, _)| action == "user.password_changed"));
}

#[test]
fn unlocking_ends_the_throttle_of_an_address() {
    let server = TestServer::start();
    let sign_in = |password| server.anonymous().post("/sign-in", &[("email", MARIA), ("password", password)]);
    for _ in 0..7 {
        sign_in("wrong").expect(422);
    }
    sign_in(PASSWORD).expect(429);
    let (code, output, _) = command(&server, &["user", "unlock", "--email", MARIA], "");
    assert_eq!((code, output.trim_end()), (Some(0), "Unlocked: maria@brightwater.example"));
    sign_in(PASSWORD).expect_redirect(API_KEYS);
}

#[test]
fn unlocking_says_what_it_does_not_lift() {
    let server = TestServer::start();
    let sign_in =
        |email: &str, password| server.anonymous().post("/sign-in", &[("email", email), ("password", password)]);
    for number in 0..100 {
        sign_in(&format!("user{number}@example.com"), "wrong").expect(422);
    }
    // The command has the clock of the system.
    let now = keydesk::clock::Clock::system().now();
    let client = "first_at > 0 AND failures >= 100";
    let sql = format!("UPDATE sign_in_failures SET first_at = {} WHERE {client}", now.as_micros());
    database::tamper(&server.database_url, &sql);
    server.clock.set(now);
    sign_in(MARIA, PASSWORD).expect(429);
    let (code, output, _) = command(&server, &["user", "unlock", "--email", MARIA], "");
    let until = (now + std::time::Duration::from_mins(15)).to_rfc_3339().unwrap();
    let mut lines = output.lines();
    assert_eq!((code, lines.next()), (Some(0), Some("Unlocked: maria@brightwater.example")));
    let remaining = lines.next().unwrap();
    assert!(remaining.starts_with("Not lifted: a client address") && remaining.contains(&until), "{remaining}");
    let words = ["user", "add", "--company", "Brightwater", "--name", "Nina", "--email", "nina@brightwater.example"];
    assert_eq!(command(&server, &[&words[..], &["--role", "auditor"]].concat(), "").0, Some(0));
    let (_, output, _) = command(&server, &["user", "unlock", "--email", "nina@brightwater.example"], "");
    assert!(output.contains("the user has not chosen a password yet"), "{output}");
}

#[test]
fn an_operator_can_remove_a_second_factor() {
    let server = TestServer::start();
    let remove = || command(&server, &["user", "remove-second-factor", "--email", MARIA], "");
    assert_eq!(remove().2.trim_end(), "maria@brightwater.example has no second factor.");
    Authenticator::set_up(&server.admin(), server.clock.now());
    let sign_in = || server.anonymous().post("/sign-in", &[("email", MARIA), ("password", PASSWORD)]);
    sign_in().expect_redirect("/sign-in/code");
    assert_eq!(remove().0, Some(0));
    sign_in().expect_redirect(API_KEYS);
    assert_eq!(
        server.trail("Brightwater").iter().filter(|(action, _)| action == "user.second_factor_changed").count(),
        2
    );
}
