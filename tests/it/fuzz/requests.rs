//! Parts of requests: keys, forms, cookies, filters, cursors and headers.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::fuzz;
use crate::cli::{run, text};
use crate::support::{API_KEYS, AUDIT_TRAIL, TestServer, USERS};

/// Sends a request and checks that the server answers, and not with an error of its own.
fn expect_answer(server: &TestServer, start: &str, fuzzed: &[u8], end: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(&[start.as_bytes(), fuzzed, end].concat());
    let (mut answer, mut part) = (Vec::new(), [0; 8_192]);
    // The server closes a connection whose request it did not read to the end only after a while.
    while !is_complete(&answer) {
        match stream.read(&mut part) {
            Ok(length) if length > 0 => answer.extend_from_slice(&part[..length]),
            _ => break,
        }
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
    assert!(status.is_some_and(|status| (200..500).contains(&status)), "{answer}");
    answer
}

fn is_complete(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|part| part == b"\r\n\r\n") else { return false };
    let lines = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
    let length = lines.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    length.map_or(answer.ends_with(b"\r\n0\r\n\r\n"), |length| answer.len() >= head + 4 + length)
}

/// Header values cannot contain these bytes: they would end the header.
fn without_line_breaks(input: &[u8]) -> Vec<u8> {
    input.iter().copied().filter(|byte| !b"\r\n\0".contains(byte)).collect()
}

fn percent_encoded(input: &[u8]) -> Vec<u8> {
    input.iter().flat_map(|byte| format!("%{byte:02x}").into_bytes()).collect()
}

fn percent_decoded(input: &[u8]) -> String {
    percent_encoding::percent_decode(input).decode_utf8_lossy().into_owned()
}

fn session(server: &TestServer) -> String {
    let email = "maria@brightwater.example";
    let signed_in = server.anonymous().post("/sign-in", &[("email", email), ("password", crate::support::PASSWORD)]);
    format!("Cookie: {}\r\n", signed_in.expect(303).cookie(&server.cookie_name()))
}

#[test]
fn any_presented_key_is_accepted_or_refused() {
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync");
    let inputs = vec![format!("Bearer {key}").into_bytes(), key.clone().into_bytes()];
    let start = "GET /v1/whoami HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: ";
    fuzz("authorization", inputs, |input| {
        let header = without_line_breaks(input);
        let answer = expect_answer(&server, start, &header, b"\r\n\r\n");
        let is_accepted = answer.starts_with("HTTP/1.1 200");
        let has_key = String::from_utf8_lossy(&header).contains(&key);
        assert!(has_key || !is_accepted, "{answer}");
    });
}

#[test]
fn any_form_is_answered() {
    let server = TestServer::start();
    let cookie = session(&server);
    let output = run(server.folder.path(), &server.database_url, &["gateway", "add", "Edge"], "");
    let gateway = format!("Authorization: Bearer {}\r\n", text(&output.stdout).trim());
    let (id, _) = server.admin().create_key("ERP Sync");
    let paths = [
        (API_KEYS.to_owned(), &cookie),
        (format!("{API_KEYS}/{id}/edit"), &cookie),
        (format!("{API_KEYS}/revoke"), &cookie),
        (format!("{API_KEYS}/identify"), &cookie),
        ("/administration/company-settings/key-policy".to_owned(), &cookie),
        (USERS.to_owned(), &cookie),
        ("/account".to_owned(), &cookie),
        ("/sign-in".to_owned(), &cookie),
        ("/v1/introspect".to_owned(), &gateway),
        ("/v1/revoke".to_owned(), &gateway),
    ];
    let mut next = 0;
    fuzz("form", vec![], |input| {
        let (path, credential) = &paths[next % paths.len()];
        next += 1;
        let start = format!(
            "POST {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n{credential}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            input.len()
        );
        expect_answer(&server, &start, input, b"");
    });
}

#[test]
fn any_cookie_is_answered() {
    let server = TestServer::start();
    let cookie = session(&server);
    let session = cookie.trim_start_matches("Cookie: ").split(';').next().unwrap().trim_end();
    let decoded = percent_decoded(session.as_bytes());
    let start = format!("GET {API_KEYS} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nCookie: ");
    fuzz("cookie", vec![session.as_bytes().to_vec()], |input| {
        let header = without_line_breaks(input);
        let answer = expect_answer(&server, &start, &header, b"\r\n\r\n");
        let has_session = percent_decoded(&header).contains(&decoded);
        assert!(has_session || !answer.starts_with("HTTP/1.1 200"), "{answer}");
    });
}

#[test]
fn any_query_is_answered() {
    let server = TestServer::start();
    let cookie = session(&server);
    for number in 0..3 {
        server.admin().create_key(&format!("Service {number}"));
    }
    let end = format!(" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{cookie}\r\n");
    let pages = [API_KEYS, AUDIT_TRAIL, "/administration/company-settings/audit-trail/export.csv", USERS];
    let mut next = 0;
    fuzz("query", vec![], |input| {
        // A space or a control character would end the address.
        let query: Vec<u8> = input.iter().copied().filter(u8::is_ascii_graphic).filter(|byte| *byte != b'#').collect();
        let page = pages[next % pages.len()];
        next += 1;
        expect_answer(&server, &format!("GET {page}?"), &query, end.as_bytes());
    });
}

#[test]
fn any_cursor_is_answered() {
    let server = TestServer::start();
    let admin = server.admin();
    for number in 0..51 {
        admin.create_key(&format!("Service {number}"));
    }
    let next = admin.get(API_KEYS).html().attribute("a[rel=next]", "href");
    let cursor = next.split("cursor=").nth(1).unwrap().split('&').next().unwrap().as_bytes().to_vec();
    let cookie = session(&server);
    let end = format!(" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{cookie}\r\n");
    let addresses = [
        format!("GET {API_KEYS}?cursor="),
        format!("GET {API_KEYS}?sort=name&cursor="),
        format!("GET {API_KEYS}?audit=open&audit_cursor="),
        format!("GET {AUDIT_TRAIL}?cursor="),
    ];
    let mut turn = 0;
    fuzz("cursor", vec![cursor], |input| {
        let address = &addresses[turn % addresses.len()];
        turn += 1;
        expect_answer(&server, address, &percent_encoded(input), end.as_bytes());
    });
}

#[test]
fn any_forwarded_address_is_answered() {
    let server = TestServer::behind_proxy();
    let start = "POST /sign-in HTTP/1.1\r\nHost: h\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\nX-Forwarded-For: ";
    fuzz("forwarded", vec![], |input| {
        expect_answer(&server, start, &without_line_breaks(input), b"\r\n\r\n");
    });
}
