//! What is compressed on its way to a browser, and what never is: whatever holds a secret, and whatever machines ask.

use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::blocking::RequestBuilder;

use crate::support::authenticator::Authenticator;
use crate::support::{Browser, K, TestServer, U};

const SECOND_FACTOR: &str = "/account/second-factor";

/// An answer as it came: what its coding and `Vary` are, and its bytes.
struct Coded {
    status: u16,
    coding: String,
    vary: String,
    body: Vec<u8>,
}

/// As browsers ask from one of our own pages, where `from` does not say otherwise.
fn coded(request: RequestBuilder, from: &str) -> Coded {
    let request = request.header("Accept-Encoding", "gzip, deflate, br, zstd").header("Sec-Fetch-Site", from);
    let mut answer = request.send().unwrap();
    let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let (status, coding, vary) = (answer.status().as_u16(), header("content-encoding"), header("vary"));
    let mut body = Vec::new();
    answer.read_to_end(&mut body).unwrap();
    Coded { status, coding, vary, body }
}

fn get(browser: &Browser, path: &str) -> Coded {
    coded(browser.request("GET", path), "same-origin")
}

fn post(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Coded {
    coded(browser.request("POST", path).form(fields), "same-origin")
}

fn text(coded: &Coded) -> String {
    let mut text = String::new();
    GzDecoder::new(coded.body.as_slice()).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn pages_the_stylesheet_and_the_module_come_as_gzip_and_say_what_they_said_before() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.create_key("ERP Sync Service");
    let page = admin.get(K).html();
    let assets = [page.attribute("link[rel=stylesheet]", "href"), page.attribute("script[src]", "src")];
    for path in [K, U, "/account", &assets[0], &assets[1]] {
        let plain = admin.get(path).expect(200);
        assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "Accept-Encoding"), "{path}");
        let gzip = get(&admin, path);
        assert_eq!((gzip.status, &*gzip.coding, &*gzip.vary), (200, "gzip", "Accept-Encoding"), "{path}");
        assert!(gzip.body.len() * 2 < plain.body.len(), "{path}: {} of {}", gzip.body.len(), plain.body.len());
        if !path.starts_with("/account") {
            assert_eq!(text(&gzip), plain.body, "{path}");
        }
    }
}

#[test]
fn whoever_does_not_name_gzip_gets_none() {
    let server = TestServer::start();
    let admin = server.admin();
    for refused in ["identity", "br", "gzip;q=0"] {
        let answer = admin.request("GET", K).header("Accept-Encoding", refused).send().unwrap();
        assert!(!answer.headers().contains_key("content-encoding"), "{refused}");
    }
}

#[test]
fn what_holds_a_secret_is_never_compressed() {
    let server = TestServer::start();
    let admin = server.admin();
    let bare = |what: &str, answer: &Coded, status: u16, holds: &str| {
        assert_eq!((answer.status, &*answer.coding), (status, ""), "{what}");
        assert!(String::from_utf8_lossy(&answer.body).contains(holds), "{what}");
    };
    let made = post(&admin, K, &[("name", "ERP Sync Service"), ("submission", &admin.submission())]);
    bare("a new key", &made, 201, "id=\"new-key\"");
    let (id, _) = admin.create_key("Reporting Dashboard");
    let form = admin.get(&format!("{K}/{id}/rotate")).html().attribute("input[name=submission]", "value");
    let rotated = post(&admin, &format!("{K}/{id}/rotate"), &[("overlap", "1h"), ("submission", &form)]);
    bare("the new key of a rotation", &rotated, 201, "id=\"new-key\"");

    let person = [("name", "Jonas Bakke"), ("email", "jonas@brightwater.example"), ("role", "auditor")];
    bare("an invitation link", &post(&admin, U, &person), 201, "id=\"invitation-link\"");
    let invited = server.user_id("jonas@brightwater.example");
    let renewed = post(&admin, &format!("{U}/{invited}/invitation"), &[]);
    bare("a new invitation link", &renewed, 201, "id=\"invitation-link\"");
    let link = admin.renew_invitation(&invited);
    let invitation = get(&server.anonymous(), &server.path_of(&link));
    bare("an invitation", &invitation, 200, "/invitation?token=");
    let refused = post(&server.anonymous(), &server.path_of(&link), &[("password", "short")]);
    bare("an invitation, refused", &refused, 422, "/invitation?token=");

    bare("a second factor's secret", &get(&admin, SECOND_FACTOR), 200, "id=\"second-factor-secret\"");
    let wrong = post(&admin, SECOND_FACTOR, &[("code", "000000")]);
    bare("a second factor's secret, a code refused", &wrong, 422, "id=\"second-factor-secret\"");
    let app = Authenticator::typed_from(&admin.get(SECOND_FACTOR).html());
    let codes = post(&admin, SECOND_FACTOR, &[("code", &app.code(server.clock.now()))]);
    bare("recovery codes", &codes, 201, "id=\"recovery-codes\"");

    let empty = TestServer::empty();
    let setup = empty.path_of(empty.setup_link.as_ref().unwrap());
    bare("set-up", &get(&empty.anonymous(), &setup), 200, "/setup?token=");
}

#[test]
fn what_others_may_have_put_into_an_address_is_not_compressed_beside_what_they_would_guess() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.create_key("ERP Sync Service");
    let search = format!("{K}?q=sync");
    for (path, from, coding) in [
        (&*search, "cross-site", ""),
        (&*search, "same-site", ""),
        (&*search, "same-origin", "gzip"),
        (&*search, "none", "gzip"),
        (K, "cross-site", "gzip"),
    ] {
        assert_eq!(coded(admin.request("GET", path), from).coding, coding, "{path} {from}");
    }
    let unsaid = admin.request("GET", &search).header("Accept-Encoding", "gzip").send().unwrap();
    assert!(!unsaid.headers().contains_key("content-encoding"));
}

#[test]
fn machines_are_answered_without_compression() {
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync Service");
    let anonymous = server.anonymous();
    for path in ["/v1/whoami", "/v1/forward-auth", "/healthz", "/readyz", "/metrics", "/v1/openapi.json"] {
        let answer = coded(anonymous.request("GET", path).bearer_auth(&key), "none");
        assert_eq!((&*answer.coding, &*answer.vary), ("", ""), "{path}");
    }
}
