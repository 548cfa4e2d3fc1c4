//! The second factor: set-up, sign-in, recovery and removal.

use std::time::Duration;

use crate::support::authenticator::{Authenticator, SECOND_FACTOR};
use crate::support::{API_KEYS, Answer, Browser, PASSWORD, TestServer, figures};

const CODE: &str = "/sign-in/code";
const MARIA: &str = "maria@brightwater.example";

/// A browser with Maria's password entered, but no code yet.
fn with_password(server: &TestServer) -> Browser {
    let browser = server.anonymous();
    browser.post("/sign-in", &[("email", MARIA), ("password", PASSWORD)]).expect_redirect(CODE);
    browser
}

fn enter(browser: &Browser, code: &str) -> Answer {
    browser.post(CODE, &[("code", code)])
}

/// A server whose admin set up a second factor a minute ago.
fn with_second_factor() -> (TestServer, Browser, Authenticator, Vec<String>) {
    let server = TestServer::start();
    let admin = server.admin();
    let (app, recovery_codes) = Authenticator::set_up(&admin, server.clock.now());
    server.advance(Duration::from_mins(1));
    (server, admin, app, recovery_codes)
}

#[test]
fn setting_up_a_second_factor_shows_recovery_codes_once() {
    let server = TestServer::start();
    let admin = server.admin();
    let page = admin.get(SECOND_FACTOR).expect(200).html();
    assert!(page.has("svg[role=img][aria-label], svg[role=img] title"));
    let app = Authenticator::from_page(&page);
    let wrong = admin.post(SECOND_FACTOR, &[("code", "000000"), ("current_password", PASSWORD)]).expect(422);
    assert!(wrong.body.contains("The code is incorrect."));
    assert_eq!(wrong.html().text("#second-factor-secret"), page.text("#second-factor-secret"));
    let answer = app.confirm(&admin, server.clock.now(), PASSWORD).expect(201);
    let codes = answer.html().texts("#recovery-codes li");
    assert_eq!(codes.len(), 10);
    let again = admin.get(SECOND_FACTOR).expect(200);
    assert!(!again.html().has("#second-factor-secret") && !codes.iter().any(|code| again.body.contains(code)));
    assert!(again.body.contains("10 recovery codes"));
    let row = admin.get("/administration/access-control/users").html();
    assert!(row.texts("tr[data-user-id] td").contains(&"On".to_owned()));
}

#[test]
fn setting_up_a_second_factor_needs_the_current_password() {
    let server = TestServer::start();
    let admin = server.admin();
    let app = Authenticator::from_page(&admin.get(SECOND_FACTOR).html());
    let now = server.clock.now();
    admin.post(SECOND_FACTOR, &[("code", &app.code(now))]).expect(422);
    let wrong = app.confirm(&admin, now, "not it").expect(422);
    assert!(wrong.html().text("form .field-error").contains("This is not your current password."));
    // Wrong codes with the right password do not count as wrong passwords.
    for _ in 0..10 {
        admin.post(SECOND_FACTOR, &[("code", "000000"), ("current_password", PASSWORD)]).expect(422);
    }
    app.confirm(&admin, now, PASSWORD).expect(201);
    assert_eq!(server.event_count("user.second_factor_changed"), 1);
}

#[test]
fn setting_up_a_second_factor_ends_other_sessions() {
    let server = TestServer::start();
    let (admin, other) = (server.admin(), server.admin());
    Authenticator::set_up(&admin, server.clock.now());
    admin.get(API_KEYS).expect(200);
    other.get(API_KEYS).expect(303);
}

#[test]
fn a_form_without_a_code_only_removes() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.post(SECOND_FACTOR, &[("current_password", PASSWORD)]).expect_redirect("/account");
    admin.post(SECOND_FACTOR, &[("current_password", "not it")]).expect(422);
    assert_eq!(server.event_count("user.second_factor_changed"), 0);
}

#[test]
fn recovery_codes_are_renewed_without_turning_the_factor_off() {
    let (server, admin, app, before) = with_second_factor();
    let renew = |password| admin.post(SECOND_FACTOR, &[("recovery_codes", "renew"), ("current_password", password)]);
    assert!(renew("not it").expect(422).html().text(".field-error").contains("This is not your current password."));
    let answer = renew(PASSWORD).expect(201);
    let after = answer.html().texts("#recovery-codes li");
    assert!(after.len() == 10 && after.iter().all(|code| !before.contains(code)));
    assert!(admin.get(SECOND_FACTOR).expect(200).body.contains("10 recovery codes"));
    enter(&with_password(&server), &before[0]).expect(422);
    enter(&with_password(&server), &after[0]).expect_redirect(API_KEYS);
    server.advance(Duration::from_mins(1));
    enter(&with_password(&server), &app.code(server.clock.now())).expect_redirect(API_KEYS);
    let (action, renewed) =
        server.trail("Brightwater").into_iter().rfind(|(action, _)| action == "user.second_factor_changed").unwrap();
    assert_eq!(renewed, r#"{"recovery_codes_renewed":true,"second_factor":true}"#, "{action}");
    server.check_state();
    let evidence = admin.get("/administration/company-settings/evidence").expect(200).html();
    assert!(evidence.text("#evidence-state").ends_with("all good"));
    // Without a second factor there is nothing to renew.
    let other = server.auditor();
    other
        .post(SECOND_FACTOR, &[("recovery_codes", "renew"), ("current_password", PASSWORD)])
        .expect_redirect(SECOND_FACTOR);
}

#[test]
fn every_set_up_shows_a_new_secret_bound_to_the_session() {
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
fn a_password_alone_does_not_pass_a_second_factor() {
    let (server, _, app, _) = with_second_factor();
    let browser = with_password(&server);
    browser.get(API_KEYS).expect(303);
    browser.get("/account").expect(303);
    browser.get(SECOND_FACTOR).expect(303);
    browser.post(SECOND_FACTOR, &[("current_password", PASSWORD)]).expect(303);
    browser.get("/sign-in").expect(200);
    browser.get(CODE).expect(200);
    enter(&browser, &app.code(server.clock.now())).expect_redirect(API_KEYS);
    browser.get(API_KEYS).expect(200);
    browser.get(CODE).expect_redirect("/sign-in");
}

#[test]
fn a_code_without_a_password_redirects_to_sign_in() {
    let (server, _, app, _) = with_second_factor();
    let browser = server.anonymous();
    browser.get(CODE).expect_redirect("/sign-in");
    enter(&browser, &app.code(server.clock.now())).expect_redirect("/sign-in");
}

#[test]
fn sign_in_with_a_code_redirects_to_the_requested_page() {
    let (server, _, app, _) = with_second_factor();
    let browser = server.anonymous();
    let requested = format!("{API_KEYS}?tab=revoked");
    let fields = [("email", MARIA), ("password", PASSWORD), ("next", requested.as_str())];
    browser.post("/sign-in", &fields).expect_redirect(CODE);
    enter(&browser, &app.code(server.clock.now())).expect_redirect(&requested);
}

#[test]
fn a_code_works_once_and_one_period_early_or_late() {
    let (server, _, app, _) = with_second_factor();
    let now = server.clock.now();
    let code = app.code(now);
    enter(&with_password(&server), &code).expect_redirect(API_KEYS);
    let refused = enter(&with_password(&server), &code).expect(422);
    assert!(refused.body.contains("The code is incorrect or was already used."));
    assert!(!refused.body.contains(&code));
    enter(&with_password(&server), &app.code(now - Duration::from_secs(30))).expect_redirect(API_KEYS);
    enter(&with_password(&server), &app.code(now + Duration::from_secs(30))).expect_redirect(API_KEYS);
    enter(&with_password(&server), &app.code(now + Duration::from_mins(1))).expect(422);
    server.clock.set(now - Duration::from_mins(5));
    enter(&with_password(&server), &app.code(now - Duration::from_mins(5))).expect(422);
}

#[test]
fn the_code_of_the_set_up_does_not_sign_in() {
    let server = TestServer::start();
    let (app, _) = Authenticator::set_up(&server.admin(), server.clock.now());
    enter(&with_password(&server), &app.code(server.clock.now())).expect(422);
}

#[test]
fn a_recovery_code_signs_in_once_however_it_is_typed() {
    let (server, admin, _, codes) = with_second_factor();
    enter(&with_password(&server), &codes[0].to_uppercase().replace('-', " ")).expect_redirect(API_KEYS);
    enter(&with_password(&server), &codes[0]).expect(422);
    enter(&with_password(&server), &codes[9]).expect_redirect(API_KEYS);
    assert!(admin.get(SECOND_FACTOR).body.contains("8 recovery codes"));
}

#[test]
fn of_concurrent_uses_of_a_code_one_signs_in() {
    let (server, _, app, recovery_codes) = with_second_factor();
    for code in [app.code(server.clock.now()), recovery_codes[3].clone()] {
        let browsers: Vec<Browser> = (0..6).map(|_| with_password(&server)).collect();
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let sent: Vec<_> = browsers.iter().map(|browser| scope.spawn(|| enter(browser, &code).status)).collect();
            sent.into_iter().map(|sent| sent.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
        // The failures of this round must not count in the next one.
        server.actions.unlock(&server.user(MARIA)).unwrap();
    }
    figures::print("S7", "1 of 6 concurrent uses of a code and of a recovery code signs in");
}

#[test]
fn wrong_codes_are_throttled_like_wrong_passwords() {
    let (server, _, app, _) = with_second_factor();
    let statuses: Vec<u16> = (0..10)
        .map(|_| {
            let browser = server.anonymous();
            match browser.post("/sign-in", &[("email", MARIA), ("password", PASSWORD)]).status {
                303 => enter(&browser, "123456").status,
                throttled => throttled,
            }
        })
        .collect();
    assert!(statuses[..5].iter().all(|status| *status == 422) && statuses[9] == 429, "{statuses:?}");
    server.advance(Duration::from_mins(15));
    enter(&with_password(&server), &app.code(server.clock.now())).expect_redirect(API_KEYS);
}

#[test]
fn a_sign_in_accepts_its_code_for_ten_minutes() {
    let (server, _, app, _) = with_second_factor();
    let browser = with_password(&server);
    server.advance(Duration::from_mins(10));
    enter(&browser, &app.code(server.clock.now())).expect_redirect("/sign-in");
    assert!(browser.get("/sign-in").expect(200).body.contains("Your session ended."));
}

#[test]
fn only_the_current_password_removes_the_second_factor() {
    let (server, admin, _, codes) = with_second_factor();
    let wrong = admin.post(SECOND_FACTOR, &[("current_password", "not it")]).expect(422);
    assert!(wrong.body.contains("This is not your current password."));
    let waiting = with_password(&server);
    let removed = admin.post(SECOND_FACTOR, &[("current_password", PASSWORD)]).expect(303);
    assert!(admin.get(removed.header("location")).expect(200).body.contains("The second factor is off."));
    enter(&waiting, &codes[0]).expect_redirect("/sign-in");
    server.admin().get(API_KEYS).expect(200);
    for _ in 0..7 {
        admin.post(SECOND_FACTOR, &[("current_password", "not it")]);
    }
    admin.post(SECOND_FACTOR, &[("current_password", PASSWORD)]).expect(429);
}

#[test]
fn a_required_second_factor_is_set_up_before_anything_else() {
    let server = TestServer::start();
    let (admin, auditor) = (server.admin(), server.auditor());
    let policy = "/administration/company-settings/key-policy";
    let fields = [("company_name", "Brightwater"), ("require_second_factor", "yes")];
    admin.save(policy, &fields).expect(303);
    for path in [API_KEYS, "/account", policy, "/administration/access-control/users"] {
        admin.get(path).expect_redirect(SECOND_FACTOR);
    }
    admin.post(API_KEYS, &[("name", "ERP Sync")]).expect_redirect(SECOND_FACTOR);
    auditor.get(API_KEYS).expect(200);
    let page = admin.get(SECOND_FACTOR).expect(200);
    assert!(page.body.contains("Your company requires a second factor for administrators."));
    let (app, _) = Authenticator::set_up(&admin, server.clock.now());
    admin.get(API_KEYS).expect(200);
    server.advance(Duration::from_mins(1));
    let other = with_password(&server);
    enter(&other, &app.code(server.clock.now())).expect_redirect(API_KEYS);
    other.post("/sign-out", &[]).expect_redirect("/sign-in");
}

#[test]
fn the_trail_records_second_factors_and_sign_in_methods() {
    let (server, admin, app, codes) = with_second_factor();
    enter(&with_password(&server), &app.code(server.clock.now())).expect(303);
    enter(&with_password(&server), &codes[0]).expect(303);
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
