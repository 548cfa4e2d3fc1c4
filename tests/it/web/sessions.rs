//! Sessions: the cookie and the ends of a session.

use std::time::Duration;

use reqwest::cookie::CookieStore;

use crate::support::{API_KEYS, PASSWORD, TestServer};

#[test]
fn the_cookie_is_for_this_host_and_lasts_as_long_as_the_browser() {
    let fields = [("email", "maria@brightwater.example"), ("password", PASSWORD)];
    let server = TestServer::start();
    let cookie = server.anonymous().post("/sign-in", &fields).cookie("keydesk");
    assert!(cookie.starts_with("keydesk="), "{cookie}");
    for part in ["; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    for part in ["Max-Age", "Expires", "Domain", "Secure"] {
        assert!(!cookie.contains(part), "{cookie}");
    }
    let behind_tls = TestServer::with(&["--public-url", "https://keys.example.com"], |actions| {
        let company = crate::support::server::add_company(actions, "Brightwater");
        let admin = keydesk::domain::user::profile::Role::Admin;
        crate::support::server::add_user(actions, company, "Maria", "maria@brightwater.example", admin);
    });
    let answer = behind_tls.anonymous().post("/sign-in", &fields);
    for name in ["__Host-keydesk", "__Host-keydesk-device"] {
        let cookie = answer.cookie(name);
        assert!(cookie.contains("; Secure") && cookie.contains("; HttpOnly"), "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
}

#[test]
fn a_session_ends_after_an_idle_hour_or_a_day() {
    let server = TestServer::start();
    let idle = server.admin();
    server.advance(Duration::from_secs(3_599));
    idle.get(API_KEYS).expect(200);
    server.advance(Duration::from_hours(1));
    idle.get(API_KEYS).expect(303);
    let page = idle.get("/sign-in").expect(200);
    assert!(page.body.contains("You were signed out. Sign in to continue."));
    let busy = server.admin();
    for _ in 0..47 {
        server.advance(Duration::from_mins(30));
        busy.get(API_KEYS).expect(200);
    }
    server.advance(Duration::from_mins(30));
    busy.get(API_KEYS).expect(303);
}

#[test]
fn signing_out_ends_the_session_on_the_server() {
    let server = TestServer::start();
    let admin = server.admin();
    let url = server.url("/").parse().unwrap();
    let cookie = admin.cookies.cookies(&url).unwrap();
    admin.post("/sign-out", &[]).expect_redirect("/sign-in");
    let thief = server.anonymous().request("GET", API_KEYS).header("Cookie", cookie);
    assert_eq!(crate::support::browser::send(thief).status, 303);
    assert!(!admin.get("/sign-in").body.contains("You were signed out."));
}

#[test]
fn signing_in_again_gives_a_new_token_and_ends_the_old_session() {
    let server = TestServer::start();
    let admin = server.admin();
    let url = server.url("/").parse().unwrap();
    let before = admin.cookies.cookies(&url).unwrap();
    admin.post("/sign-in", &[("email", "maria@brightwater.example"), ("password", PASSWORD)]).expect_redirect(API_KEYS);
    assert_ne!(admin.cookies.cookies(&url).unwrap(), before);
    let old = server.anonymous().request("GET", API_KEYS).header("Cookie", before);
    assert_eq!(crate::support::browser::send(old).status, 303);
}

#[test]
fn a_cookie_with_a_foreign_signature_is_ignored() {
    let server = TestServer::start();
    for value in ["keydesk=x", "keydesk=", "keydesk=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%3Dtoken"] {
        let request = server.anonymous().request("GET", API_KEYS).header("Cookie", value);
        assert_eq!(crate::support::browser::send(request).status, 303, "{value}");
    }
}

#[test]
fn a_clock_set_back_ends_sessions_and_revives_no_key() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    admin.revoke(&id, "unspecified", "").expect(303);
    server.clock.set(server.clock.now() - Duration::from_hours(48));
    admin.get(API_KEYS).expect(303);
    assert_eq!(server.whoami(&key), 401);
    let admin = server.admin();
    assert!(admin.get(API_KEYS).html().key_names().is_empty());
    assert_eq!(admin.get(&format!("{API_KEYS}?tab=revoked")).html().key_names(), ["ERP Sync"]);
}
