//! Compression of pages, and what is never compressed: pages with secrets and API answers.

use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::blocking::RequestBuilder;

use crate::support::authenticator::Authenticator;
use crate::support::{API_KEYS, Browser, PASSWORD, TestServer, USERS};

const SECOND_FACTOR: &str = "/account/second-factor";

/// An answer with its coding, `Vary` and undecoded body.
struct Coded {
    status: u16,
    coding: String,
    vary: String,
    body: Vec<u8>,
}

/// Sends a request with the value `from` of `Sec-Fetch-Site`.
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
fn pages_and_assets_are_sent_as_gzip_with_the_same_content() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.create_key("ERP Sync Service");
    let page = admin.get(API_KEYS).html();
    let assets = [page.attribute("link[rel=stylesheet]", "href"), page.attribute("script[src]", "src")];
    for path in [API_KEYS, USERS, "/account", &assets[0], &assets[1]] {
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
fn a_client_that_does_not_accept_gzip_gets_none() {
    let server = TestServer::start();
    let admin = server.admin();
    for refused in ["identity", "br", "gzip;q=0"] {
        let answer = admin.request("GET", API_KEYS).header("Accept-Encoding", refused).send().unwrap();
        assert!(!answer.headers().contains_key("content-encoding"), "{refused}");
    }
}

#[test]
fn pages_that_hold_a_secret_are_not_compressed() {
    let server = TestServer::start();
    let admin = server.admin();
    let bare = |page: &str, answer: &Coded, status: u16, holds: &str| {
        assert_eq!((answer.status, &*answer.coding), (status, ""), "{page}");
        assert!(String::from_utf8_lossy(&answer.body).contains(holds), "{page}");
    };
    let created = post(&admin, API_KEYS, &[("name", "ERP Sync Service"), ("submission", &admin.submission())]);
    bare("a new key", &created, 201, "id=\"new-key\"");
    let (id, _) = admin.create_key("Reporting Dashboard");
    let form = admin.get(&format!("{API_KEYS}/{id}/rotate")).html().attribute("input[name=submission]", "value");
    let rotated = post(&admin, &format!("{API_KEYS}/{id}/rotate"), &[("overlap", "1h"), ("submission", &form)]);
    bare("the new key of a rotation", &rotated, 201, "id=\"new-key\"");

    let person = [("name", "Jonas Bakke"), ("email", "jonas@brightwater.example"), ("role", "auditor")];
    bare("an invitation link", &post(&admin, USERS, &person), 201, "id=\"invitation-link\"");
    let invited = server.user_id("jonas@brightwater.example");
    let renewed = post(&admin, &format!("{USERS}/{invited}/invitation"), &[]);
    bare("a new invitation link", &renewed, 201, "id=\"invitation-link\"");
    let link = admin.renew_invitation(&invited);
    let invitation = get(&server.anonymous(), &server.path_of(&link));
    bare("an invitation", &invitation, 200, "/invitation?token=");
    let refused = post(&server.anonymous(), &server.path_of(&link), &[("password", "short")]);
    bare("an invitation, refused", &refused, 422, "/invitation?token=");

    bare("a second factor's secret", &get(&admin, SECOND_FACTOR), 200, "id=\"second-factor-secret\"");
    let wrong = post(&admin, SECOND_FACTOR, &[("code", "000000"), ("current_password", PASSWORD)]);
    bare("a second factor's secret, a code refused", &wrong, 422, "id=\"second-factor-secret\"");
    let app = Authenticator::from_page(&admin.get(SECOND_FACTOR).html());
    let codes = post(&admin, SECOND_FACTOR, &[("code", &app.code(server.clock.now())), ("current_password", PASSWORD)]);
    bare("recovery codes", &codes, 201, "id=\"recovery-codes\"");

    let empty = TestServer::empty();
    let setup = empty.path_of(empty.setup_link.as_ref().unwrap());
    bare("set-up", &get(&empty.anonymous(), &setup), 200, "/setup?token=");
}

#[test]
fn addresses_with_a_query_from_other_sites_are_not_compressed() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.create_key("ERP Sync Service");
    let search = format!("{API_KEYS}?q=sync");
    for (path, from, coding) in [
        (&*search, "cross-site", ""),
        (&*search, "same-site", ""),
        (&*search, "same-origin", "gzip"),
        (&*search, "none", "gzip"),
        (API_KEYS, "cross-site", "gzip"),
    ] {
        assert_eq!(coded(admin.request("GET", path), from).coding, coding, "{path} {from}");
    }
    let without_metadata = admin.request("GET", &search).header("Accept-Encoding", "gzip").send().unwrap();
    assert!(!without_metadata.headers().contains_key("content-encoding"));
}

#[test]
fn api_answers_are_not_compressed() {
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync Service");
    let anonymous = server.anonymous();
    for path in ["/v1/whoami", "/v1/forward-auth", "/healthz", "/readyz", "/metrics", "/v1/openapi.json"] {
        let answer = coded(anonymous.request("GET", path).bearer_auth(&key), "none");
        assert_eq!((&*answer.coding, &*answer.vary), ("", ""), "{path}");
    }
}
