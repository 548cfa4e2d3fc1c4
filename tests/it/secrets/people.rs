//! Sessions, forms and codes go on through a rotation.

use super::{active_set, keydesk, rotate};
use crate::support::authenticator::Authenticator;
use crate::support::{API_KEYS, PASSWORD, TestServer};

#[test]
fn sessions_and_opened_forms_outlive_the_rotation() {
    let server = TestServer::start();
    let (first, admin) = (active_set(&server), server.admin());
    let submission = admin.submission();
    let cookie = |answer: &crate::support::Answer| answer.header("set-cookie").to_owned();
    rotate(&[&server]);
    let page = admin.get(API_KEYS).expect(200);
    assert!(cookie(&page).contains(&server.cookie_name()), "the cookie is signed anew");
    assert!(cookie(&page).contains("HttpOnly") && cookie(&page).contains("SameSite=Lax"), "{}", cookie(&page));
    admin.post(API_KEYS, &[("name", "From an old form"), ("submission", &submission)]).expect(201);
    let next = admin.get(API_KEYS).expect(200);
    assert!(!next.headers.contains_key("set-cookie"), "once is enough");
    keydesk(&server, &["secrets", "retire", &first, "--revoke-rest"]);
    super::wait_until("the set is gone", || server.actions.secrets.keyring().set(&first).is_none());
    admin.get(API_KEYS).expect(200);
}

#[test]
fn a_session_that_only_a_retired_set_signed_ends() {
    let server = TestServer::start();
    let (first, idle) = (active_set(&server), server.admin());
    rotate(&[&server]);
    keydesk(&server, &["secrets", "retire", &first]);
    super::wait_until("the set is gone", || server.actions.secrets.keyring().set(&first).is_none());
    assert_eq!(idle.get(API_KEYS).status, 303);
}

#[test]
fn a_second_factor_moves_to_the_new_set_and_keeps_its_secret() {
    let server = TestServer::start();
    let (first, admin) = (active_set(&server), server.admin());
    let (app, recovery_codes) = Authenticator::set_up(&admin, server.clock.now());
    rotate(&[&server]);
    let sign_in = |code: &str| {
        let browser = server.awaiting_code("maria@brightwater.example");
        browser.post("/sign-in/code", &[("code", code)])
    };
    sign_in(&recovery_codes[0]).expect_redirect(API_KEYS);
    let refused = super::refusal(&server, &["secrets", "retire", &first]);
    assert!(refused.contains("0 active keys and 1 second factors"), "{refused}");
    server.advance(std::time::Duration::from_mins(2));
    sign_in(&app.code(server.clock.now())).expect_redirect(API_KEYS);
    let status = keydesk(&server, &["secrets", "status"]);
    assert!(status.contains(&format!("The recovery codes of 1 user end with the set {first}.")), "{status}");
    let retired = keydesk(&server, &["secrets", "retire", &first]);
    assert!(retired.contains("1 user has lost their recovery codes."), "{retired}");
    super::wait_until("the set is gone", || server.actions.secrets.keyring().set(&first).is_none());
    server.advance(std::time::Duration::from_mins(2));
    sign_in(&app.code(server.clock.now())).expect_redirect(API_KEYS);
    assert_eq!(sign_in(&recovery_codes[1]).status, 422);
    keydesk(&server, &["audit", "verify"]);
}

#[test]
fn a_second_factor_that_was_shown_before_the_rotation_can_be_confirmed() {
    let server = TestServer::start();
    let admin = server.admin();
    let form = admin.get(crate::support::authenticator::SECOND_FACTOR).expect(200).html();
    let app = Authenticator::from_page(&form);
    rotate(&[&server]);
    app.confirm(&admin, server.clock.now(), PASSWORD).expect(201);
    server.advance(std::time::Duration::from_mins(2));
    let browser = server.awaiting_code("maria@brightwater.example");
    browser.post("/sign-in/code", &[("code", &app.code(server.clock.now()))]).expect_redirect(API_KEYS);
}

#[test]
fn a_rotation_does_not_reset_the_throttle() {
    let server = TestServer::start();
    let wrong = || server.anonymous().post("/sign-in", &[("email", "maria@brightwater.example"), ("password", "no")]);
    while wrong().status != 429 {}
    rotate(&[&server]);
    assert_eq!(wrong().status, 429);
}
