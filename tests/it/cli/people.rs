//! Commands that help people in, beside a server that runs.

use super::{run, text};
use crate::support::authenticator::Authenticator;
use crate::support::{K, PASSWORD, TestServer};

const MARIA: &str = "maria@brightwater.example";
const NEW_PASSWORD: &str = "nine kettles sing at dusk";

fn command(server: &TestServer, words: &[&str], input: &str) -> (Option<i32>, String, String) {
    let output = run(server.folder.path(), &server.database_url, words, input);
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_user_who_is_added_without_a_password_gets_a_link_that_works() {
    let server = TestServer::start();
    let words = ["user", "add", "--company", "Brightwater", "--name", "Jonas Bakke"];
    let words = [&words[..], &["--email", "jonas@brightwater.example", "--role", "auditor"]].concat();
    let words = [&words[..], &["--public-url", "https://keys.brightwater.example"]].concat();
    let (code, said, _) = command(&server, &words, "");
    assert_eq!(code, Some(0));
    let link = said.trim_end().strip_prefix("Invitation link: https://keys.brightwater.example").unwrap();
    let browser = server.anonymous();
    browser.get(link).expect(200);
    browser.post(link, &[("password", NEW_PASSWORD)]).expect_redirect(K);
    browser.get(K).expect(200);
}

#[test]
fn an_operator_sets_a_password_and_the_sessions_of_before_end() {
    let server = TestServer::start();
    let admin = server.admin();
    let set = |words: &[&str], input: &str| command(&server, &[&["user", "set-password"], words].concat(), input);
    let (code, _, said) = set(&["--email", MARIA, "--password-stdin"], "short");
    assert_eq!((code, said.trim_end()), (Some(1), "Use at least 15 characters."));
    let (code, _, said) = set(&["--email", "nobody@brightwater.example"], NEW_PASSWORD);
    assert_eq!(code, Some(1));
    assert!(said.starts_with("Nobody has the email address nobody@brightwater.example."), "{said}");
    assert_eq!(set(&["--email", MARIA, "--company", "Nowhere"], NEW_PASSWORD).0, Some(1));
    admin.get(K).expect(200);
    let (code, said, _) = set(&["--email", "MARIA@brightwater.example"], &format!("{NEW_PASSWORD}\n"));
    assert_eq!((code, said.trim_end()), (Some(0), "Password set: maria@brightwater.example"));
    admin.get(K).expect(303);
    server.anonymous().post("/sign-in", &[("email", MARIA), ("password", PASSWORD)]).expect(422);
    server.anonymous().post("/sign-in", &[("email", MARIA), ("password", NEW_PASSWORD)]).expect_redirect(K);
    assert!(server.trail("Brightwater").iter().any(|(action, _)| action == "user.password_changed"));
}

#[test]
fn an_operator_unlocks_an_address_that_was_tried_too_often() {
    let server = TestServer::start();
    let sign_in = |password| server.anonymous().post("/sign-in", &[("email", MARIA), ("password", password)]);
    for _ in 0..7 {
        sign_in("wrong").expect(422);
    }
    sign_in(PASSWORD).expect(429);
    let (code, said, _) = command(&server, &["user", "unlock", "--email", MARIA], "");
    assert_eq!((code, said.trim_end()), (Some(0), "Unlocked: maria@brightwater.example"));
    sign_in(PASSWORD).expect_redirect(K);
}

#[test]
fn an_operator_removes_the_second_factor_of_somebody_who_lost_it() {
    let server = TestServer::start();
    let remove = || command(&server, &["user", "remove-second-factor", "--email", MARIA], "");
    assert_eq!(remove().2.trim_end(), "maria@brightwater.example has no second factor.");
    Authenticator::set_up(&server.admin(), server.clock.now());
    let sign_in = || server.anonymous().post("/sign-in", &[("email", MARIA), ("password", PASSWORD)]);
    sign_in().expect_redirect("/sign-in/code");
    assert_eq!(remove().0, Some(0));
    sign_in().expect_redirect(K);
    assert_eq!(
        server.trail("Brightwater").iter().filter(|(action, _)| action == "user.second_factor_changed").count(),
        2
    );
}
