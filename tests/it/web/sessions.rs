//! Sessions: the cookie and the ends of a session.

use std::time::Duration;

use reqwest::cookie::CookieStore;

use crate::support::companies::add_brightwater;
use crate::support::{API_KEYS, PASSWORD, TestServer};

#[test]
fn the_cookie_is_for_this_host_and_lasts_as_long_as_the_browser() {
    let fields = [("email", "maria@brightwater.example"), ("password", PASSWORD)];
    let server = TestServer::start();
    let cookie = server.anonymous().post("/sign-in", &fields).cookie(&server.cookie_name());
    for part in ["; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    for part in ["Max-Age", "Expires", "Domain", "Secure"] {
        assert!(!cookie.contains(part), "{cookie}");
    }
    for (url, session) in [
        ("https://keys.example.com", "__Host-keydesk"),
        ("https://keys.example.com:443", "__Host-keydesk"),
        ("https://keys.example.com:8443", "__Host-keydesk-8443"),
        ("http://localhost:9000", "keydesk-9000"),
        ("http://localhost", "keydesk"),
    ] {
        let server = TestServer::with(&["--public-url", url], add_brightwater);
        let answer = server.anonymous().post("/sign-in", &fields);
        for name in [session.to_owned(), format!("{session}-device")] {
            let cookie = answer.cookie(&name);
            assert_eq!(cookie.contains("; Secure"), url.starts_with("https"), "{cookie}");
            assert!(cookie.contains("; HttpOnly") && !cookie.contains("Domain"), "{cookie}");
        }
        let is_https = answer.header("strict-transport-security").starts_with("max-age=");
        assert_eq!(is_https, url.starts_with("https"), "{url}");
    }
}

#[test]
fn two_installations_on_one_host_keep_their_sessions() {
    let servers = [TestServer::start(), TestServer::start()];
    let fields = [("email", "maria@brightwater.example"), ("password", PASSWORD)];
    let cookies = servers.each_ref().map(|server| {
        let answer = server.anonymous().post("/sign-in", &fields);
        let names = [server.cookie_name(), format!("{}-device", server.cookie_name())];
        names.map(|name| answer.cookie(&name).split(';').next().unwrap().to_owned()).join("; ")
    });
    // A browser sends all cookies of a host to each of its ports.
    let send = |server: &TestServer, method: &str, path: &str| {
        let request = server.anonymous().request(method, path).header("Sec-Fetch-Site", "same-origin");
        crate::support::browser::send(request.header("Cookie", cookies.join("; ")))
    };
    assert_eq!(servers.each_ref().map(|server| send(server, "GET", API_KEYS).status), [200, 200]);
    let signed_out = send(&servers[0], "POST", "/sign-out").expect(303);
    let set: Vec<_> = signed_out.headers.get_all("set-cookie").iter().collect();
    assert!(set.iter().all(|cookie| cookie.to_str().unwrap().starts_with(&servers[0].cookie_name())), "{set:?}");
    assert_eq!(servers.each_ref().map(|server| send(server, "GET", API_KEYS).status), [303, 200]);
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
    assert!(page.body.contains("Your session ended. Sign in to continue."));
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
    assert!(!admin.get("/sign-in").body.contains("Your session ended."));
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
    for value in ["x", "", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%3Dtoken"] {
        let cookie = format!("{}={value}", server.cookie_name());
        let request = server.anonymous().request("GET", API_KEYS).header("Cookie", cookie);
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
