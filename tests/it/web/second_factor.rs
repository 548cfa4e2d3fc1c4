//! The second factor: setting it up, signing in with it, losing it.

use std::time::Duration;

use crate::support::authenticator::{Authenticator, SECOND_FACTOR};
use crate::support::{Answer, Browser, K, PASSWORD, TestServer};

const CODE: &str = "/sign-in/code";
const MARIA: &str = "maria@brightwater.example";

/// Somebody who gave Maria's password and has yet to give a code.
fn with_password(server: &TestServer) -> Browser {
    let browser = server.anonymous();
    browser.post("/sign-in", &[("email", MARIA), ("password", PASSWORD)]).expect_redirect(CODE);
    browser
}

fn give(browser: &Browser, code: &str) -> Answer {
    browser.post(CODE, &[("code", code)])
}

/// A server whose admin has a second factor, set up a minute ago.
fn with_second_factor() -> (TestServer, Browser, Authenticator, Vec<String>) {
    let server = TestServer::start();
    let admin = server.admin();
    let (app, recovery_codes) = Authenticator::set_up(&admin, server.clock.now());
    server.wait(Duration::from_mins(1));
    (server, admin, app, recovery_codes)
}

#[test]
fn a_second_factor_is_set_up_with_a_code_and_ten_recovery_codes_are_shown_once() {
    let server = TestServer::start();
    let admin = server.admin();
    let page = admin.get(SECOND_FACTOR).expect(200).html();
    assert!(page.has("svg[role=img][aria-label], svg[role=img] title"));
    let app = Authenticator::typed_from(&page);
    let wrong = admin.post(SECOND_FACTOR, &[("code", "000000")]).expect(422);
    assert!(wrong.body.contains("The code is incorrect."));
    assert_eq!(wrong.html().text("#second-factor-secret"), page.text("#second-factor-secret"));
    let answer = admin.post(SECOND_FACTOR, &[("code", &app.code(server.clock.now()))]).expect(201);
    let codes = answer.html().texts("#recovery-codes li");
    assert_eq!(codes.len(), 10);
    let again = admin.get(SECOND_FACTOR).expect(200);
    assert!(!again.html().has("#second-factor-secret") && !codes.iter().any(|code| again.body.contains(code)));
    assert!(again.body.contains("10 recovery codes"));
    let row = admin.get("/administration/access-control/users").html();
    assert!(row.texts("tr[data-user-id] td").contains(&"On".to_owned()));
}

#[test]
fn the_secret_shown_is_the_session_s_own_and_changes_with_every_set_up() {
    let server = TestServer::start();
    let secret = |browser: &Browser| browser.get(SECOND_FACTOR).html().text("#second-factor-secret");
    let (one, other) = (server.admin(), server.admin());
    assert_eq!(secret(&one), secret(&one));
    assert_ne!(secret(&one), secret(&other));
    let before = secret(&one);
    Authenticator::set_up(&one, server.clock.now());
    one.post(SECOND_FACTOR, &[("current_password", PASSWORD)]).expect(303);
    assert_ne!(secret(&one), before);
}

#[test]
fn a_password_alone_signs_nobody_in_who_has_a_second_factor() {
    let (server, _, app, _) = with_second_factor();
    let browser = with_password(&server);
    browser.get(K).expect(303);
    browser.get("/account").expect(303);
    browser.get(SECOND_FACTOR).expect(303);
    browser.post(SECOND_FACTOR, &[("current_password", PASSWORD)]).expect(303);
    browser.get("/sign-in").expect(200);
    browser.get(CODE).expect(200);
    give(&browser, &app.code(server.clock.now())).expect_redirect(K);
    browser.get(K).expect(200);
    browser.get(CODE).expect_redirect("/sign-in");
}

#[test]
fn a_code_without_a_password_before_it_leads_to_sign_in() {
    let (server, _, app, _) = with_second_factor();
    let browser = server.anonymous();
    browser.get(CODE).expect_redirect("/sign-in");
    give(&browser, &app.code(server.clock.now())).expect_redirect("/sign-in");
}

#[test]
fn sign_in_with_a_code_leads_to_the_page_that_was_asked_for() {
    let (server, _, app, _) = with_second_factor();
    let browser = server.anonymous();
    let asked = format!("{K}?tab=revoked");
    let fields = [("email", MARIA), ("password", PASSWORD), ("next", asked.as_str())];
    browser.post("/sign-in", &fields).expect_redirect(CODE);
    give(&browser, &app.code(server.clock.now())).expect_redirect(&asked);
}

#[test]
fn a_code_is_good_once_and_one_period_early_or_late() {
    let (server, _, app, _) = with_second_factor();
    let now = server.clock.now();
    let code = app.code(now);
    give(&with_password(&server), &code).expect_redirect(K);
    let refused = give(&with_password(&server), &code).expect(422);
    assert!(refused.body.contains("The code is incorrect, or was used before."));
    assert!(!refused.body.contains(&code));
    give(&with_password(&server), &app.code(now - Duration::from_secs(30))).expect_redirect(K);
    give(&with_password(&server), &app.code(now + Duration::from_secs(30))).expect_redirect(K);
    give(&with_password(&server), &app.code(now + Duration::from_mins(1))).expect(422);
    server.clock.set(now - Duration::from_mins(5));
    give(&with_password(&server), &app.code(now - Duration::from_mins(5))).expect(422);
}

#[test]
fn the_code_that_set_the_second_factor_up_does_not_sign_in() {
    let server = TestServer::start();
    let (app, _) = Authenticator::set_up(&server.admin(), server.clock.now());
    give(&with_password(&server), &app.code(server.clock.now())).expect(422);
}

#[test]
fn a_recovery_code_signs_in_once_however_it_is_typed() {
    let (server, admin, _, codes) = with_second_factor();
    give(&with_password(&server), &codes[0].to_uppercase().replace('-', " ")).expect_redirect(K);
    give(&with_password(&server), &codes[0]).expect(422);
    give(&with_password(&server), &codes[9]).expect_redirect(K);
    assert!(admin.get(SECOND_FACTOR).body.contains("8 recovery codes"));
}

#[test]
fn of_many_who_give_the_same_code_at_once_one_is_signed_in() {
    let (server, _, app, recovery_codes) = with_second_factor();
    for code in [app.code(server.clock.now()), recovery_codes[3].clone()] {
        let browsers: Vec<Browser> = (0..6).map(|_| with_password(&server)).collect();
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let sent: Vec<_> = browsers.iter().map(|browser| scope.spawn(|| give(browser, &code).status)).collect();
            sent.into_iter().map(|sent| sent.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
        // The failures of this round would count in the next one.
        server.actions.unlock(&server.user(MARIA), &keydesk::domain::event::Origin::command_line()).unwrap();
    }
}

#[test]
fn wrong_codes_count_like_wrong_passwords_and_a_right_password_does_not_end_the_count() {
    let (server, _, app, _) = with_second_factor();
    let statuses: Vec<u16> = (0..10)
        .map(|_| {
            let browser = server.anonymous();
            match browser.post("/sign-in", &[("email", MARIA), ("password", PASSWORD)]).status {
                303 => give(&browser, "123456").status,
                throttled => throttled,
            }
        })
        .collect();
    assert!(statuses[..5].iter().all(|status| *status == 422) && statuses[9] == 429, "{statuses:?}");
    server.wait(Duration::from_mins(15));
    give(&with_password(&server), &app.code(server.clock.now())).expect_redirect(K);
}

#[test]
fn a_sign_in_waits_ten_minutes_for_its_code() {
    let (server, _, app, _) = with_second_factor();
    let browser = with_password(&server);
    server.wait(Duration::from_mins(10));
    give(&browser, &app.code(server.clock.now())).expect_redirect("/sign-in");
    assert!(browser.get("/sign-in").expect(200).body.contains("You were signed out."));
}

#[test]
fn the_current_password_removes_the_second_factor_and_no_other_does() {
    let (server, admin, _, codes) = with_second_factor();
    let wrong = admin.post(SECOND_FACTOR, &[("current_password", "not it")]).expect(422);
    assert!(wrong.body.contains("This is not your current password."));
    let waiting = with_password(&server);
    let removed = admin.post(SECOND_FACTOR, &[("current_password", PASSWORD)]).expect(303);
    assert!(admin.get(removed.header("location")).expect(200).body.contains("The second factor is off."));
    give(&waiting, &codes[0]).expect_redirect("/sign-in");
    server.admin().get(K).expect(200);
    for _ in 0..7 {
        admin.post(SECOND_FACTOR, &[("current_password", "not it")]);
    }
    admin.post(SECOND_FACTOR, &[("current_password", PASSWORD)]).expect(429);
}

#[test]
fn a_company_that_requires_it_leads_its_admins_to_set_it_up_before_anything_else() {
    let server = TestServer::start();
    let (admin, auditor) = (server.admin(), server.auditor());
    let policy = "/administration/company-settings/key-policy";
    let fields = [("company_name", "Brightwater"), ("require_second_factor", "yes")];
    admin.post(policy, &fields).expect(303);
    for path in [K, "/account", policy, "/administration/access-control/users"] {
        admin.get(path).expect_redirect(SECOND_FACTOR);
    }
    admin.post(K, &[("name", "ERP Sync")]).expect_redirect(SECOND_FACTOR);
    auditor.get(K).expect(200);
    let page = admin.get(SECOND_FACTOR).expect(200);
    assert!(page.body.contains("Your company requires a second factor for administrators."));
    let (app, _) = Authenticator::set_up(&admin, server.clock.now());
    admin.get(K).expect(200);
    server.wait(Duration::from_mins(1));
    let other = with_password(&server);
    give(&other, &app.code(server.clock.now())).expect_redirect(K);
    other.post("/sign-out", &[]).expect_redirect("/sign-in");
}

#[test]
fn the_trail_says_when_the_second_factor_changed_and_how_somebody_signed_in() {
    let (server, admin, app, codes) = with_second_factor();
    give(&with_password(&server), &app.code(server.clock.now())).expect(303);
    give(&with_password(&server), &codes[0]).expect(303);
    admin.post(SECOND_FACTOR, &[("current_password", PASSWORD)]).expect(303);
    let words = server.trail("Brightwater");
    let last: Vec<_> =
        words.iter().rev().take(4).rev().map(|(action, after)| (action.as_str(), after.as_str())).collect();
    assert_eq!(
        last,
        [
            ("user.second_factor_changed", r#"{"second_factor":true}"#),
            ("user.signed_in", r#"{"second_factor":"authenticator"}"#),
            ("user.signed_in", r#"{"second_factor":"recovery_code"}"#),
            ("user.second_factor_changed", r#"{"second_factor":false}"#),
        ]
    );
}
