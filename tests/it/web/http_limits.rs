//! What all pages share: methods, bodies, headers, cross-site requests and failures.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::{API_KEYS, TestServer, browser, database};

#[test]
fn an_unknown_path_gets_an_error_page() {
    let server = TestServer::start();
    for browser in [server.anonymous(), server.admin()] {
        for path in [
            "/nope",
            "/administration",
            &format!("{API_KEYS}/"),
            "/assets/keydesk.css",
            "/%2e%2e/etc/passwd",
            "//",
            "/sign-in/x",
        ] {
            let answer = browser.get(path);
            assert_eq!(answer.status, 404, "{path}");
            assert!(answer.body.contains("This page does not exist.") && answer.body.contains("</html>"), "{path}");
        }
        browser::send(browser.request("POST", "/nope")).expect(404);
    }
}

#[test]
fn a_wrong_method_is_answered_with_the_allowed_ones() {
    let server = TestServer::start();
    for (path, method, allowed) in [
        ("/sign-in", "PUT", "GET, HEAD, POST"),
        ("/sign-out", "GET", "POST"),
        ("/", "POST", "GET, HEAD"),
        (API_KEYS, "DELETE", "GET, HEAD, POST"),
        (API_KEYS, "OPTIONS", "GET, HEAD, POST"),
    ] {
        let answer = browser::send(server.anonymous().request(method, path)).expect(405);
        assert_eq!(answer.header("allow"), allowed);
        assert!(answer.body.contains("</html>"));
        let reference = format!("Reference: {}<", answer.header("x-request-id"));
        assert!(answer.body.contains(&reference), "{}", answer.body);
    }
}

#[test]
fn head_answers_like_get_without_the_body() {
    let server = TestServer::start();
    let admin = server.admin();
    for path in ["/sign-in", API_KEYS, "/nope"] {
        let (get, head) = (admin.get(path), admin.head(path));
        assert_eq!(get.status, head.status);
        assert_eq!(get.header("content-type"), head.header("content-type"));
        assert!(head.body.is_empty());
    }
}

#[test]
fn every_answer_has_the_security_headers() {
    let server = TestServer::start();
    let admin = server.admin();
    let bare = browser::send(admin.request("POST", API_KEYS));
    for answer in [
        admin.get(API_KEYS),
        admin.get("/nope"),
        admin.get("/"),
        server.anonymous().get(API_KEYS),
        bare,
        admin.get("/v1/whoami"),
        admin.get("/healthz"),
    ] {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header("x-request-id").len(), 16);
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        assert!(answer.header("strict-transport-security").is_empty());
    }
}

#[test]
fn the_stylesheet_is_cached_for_a_year_under_its_own_name() {
    let server = TestServer::start();
    let page = server.anonymous().get("/sign-in").html();
    let href = page.attribute("link[rel=stylesheet]", "href");
    let style = server.anonymous().get(&href).expect(200);
    assert_eq!(style.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    let icon = server.anonymous().get(&page.attribute("link[rel=icon]", "href")).expect(200);
    assert_eq!(icon.header("content-type"), "image/svg+xml");
}

#[test]
fn a_cross_site_change_is_refused() {
    let server = TestServer::start();
    let admin = server.admin();
    let submission = admin.submission();
    let form = [("name", "ERP Sync"), ("submission", submission.as_str())];
    let post = |headers: &[(&str, &str)]| {
        let request = headers
            .iter()
            .fold(admin.request("POST", API_KEYS), |request, (name, value)| request.header(*name, *value));
        browser::send(request.form(&form)).status
    };
    assert_eq!(post(&[]), 403);
    assert_eq!(post(&[("Sec-Fetch-Site", "cross-site")]), 403);
    assert_eq!(post(&[("Sec-Fetch-Site", "same-site"), ("Origin", &server.url(""))]), 403);
    assert_eq!(post(&[("Origin", "https://evil.example")]), 403);
    assert_eq!(post(&[("Origin", "null")]), 403);
    assert!(admin.get(API_KEYS).html().key_names().is_empty());
    assert_eq!(post(&[("Origin", &server.url(""))]), 201);
}

#[test]
fn a_body_that_is_not_a_form_gets_an_error_page() {
    let server = TestServer::start();
    let admin = server.admin();
    let post = |kind: &str, body: Vec<u8>| {
        let request =
            admin.request("POST", API_KEYS).header("Sec-Fetch-Site", "same-origin").header("Content-Type", kind);
        browser::send(request.body(body))
    };
    let form = "application/x-www-form-urlencoded";
    for (kind, body, status) in [
        ("application/json", b"{}".to_vec(), 415),
        ("multipart/form-data; boundary=x", b"--x--".to_vec(), 415),
        ("text/plain", b"name=a".to_vec(), 415),
        (form, b"name=%FF".to_vec(), 400),
        (form, b"name=%".to_vec(), 400),
        (form, vec![0xFF, 0xFE], 400),
        (form, b"name=a&name=b".to_vec(), 400),
        (form, vec![b'a'; 64 * 1024 + 1], 413),
        (form, vec![b'a'; 64 * 1024], 422),
        ("application/x-www-form-urlencoded; charset=utf-8", b"unknown=1".to_vec(), 422),
    ] {
        let answer = post(kind, body);
        assert_eq!(answer.status, status, "{kind}: {}", answer.body);
        assert!(answer.body.contains("</html>"));
        let reference = format!("Reference: {}<", answer.header("x-request-id"));
        assert_eq!(answer.body.contains(&reference), status != 422, "{kind}: {}", answer.body);
    }
}

#[test]
fn a_connection_with_an_unread_body_is_closed() {
    let server = TestServer::start();
    let mut stream = TcpStream::connect(server.address).unwrap();
    write!(
        stream,
        "POST {API_KEYS} HTTP/1.1\r\nHost: {}\r\nContent-Length: 100000\r\n\r\nGET /healthz HTTP/1.1\r\n",
        server.address
    )
    .unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
}

#[test]
fn pages_report_an_unavailable_database_and_recover() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let submission = admin.submission();
    let fields = [("name", "Another"), ("submission", submission.as_str())];
    database::tamper(&server.database_url, "ALTER TABLE api_keys RENAME TO hidden");
    for answer in [admin.get(API_KEYS), admin.get(&format!("{API_KEYS}/{id}/revoke")), admin.post(API_KEYS, &fields)] {
        let answer = answer.expect(503);
        assert_eq!(answer.header("retry-after"), "1");
        assert!(
            answer.body.contains(
                "The database is not responding, so changes cannot be saved right now. Try again in a moment."
            )
        );
    }
    let refused = server.anonymous().bearer("/v1/whoami", &key).expect(503);
    assert_eq!((refused.header("retry-after"), refused.header("content-type")), ("1", "application/problem+json"));
    database::tamper(&server.database_url, "ALTER TABLE hidden RENAME TO api_keys");
    assert_eq!(server.whoami(&key), 200);
    assert_eq!(admin.get(API_KEYS).html().key_names(), ["ERP Sync"]);
    database::tamper(&server.database_url, "ALTER TABLE sessions RENAME TO hidden");
    admin.get(API_KEYS).expect(503);
    let fields = [("email", "maria@brightwater.example"), ("password", crate::support::PASSWORD)];
    let page = server.anonymous().post("/sign-in", &fields).expect(503);
    assert!(page.body.contains("</html>"));
    database::tamper(&server.database_url, "ALTER TABLE hidden RENAME TO sessions");
    admin.get(API_KEYS).expect(200);
}
