//! S2: hostile heads, headers and bodies. None crashes a handler or takes memory.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::cli::{Serving, keydesk};
use crate::support::figures::{self, count, memory_kib};
use crate::support::{API_KEYS, database};

const MAX_GROWTH_KIB: u64 = 64 * 1_024;

const HEADS: [&[u8]; 13] = [
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\nHost: h\n\n",
    b"G\0T / HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET http://other.example/ HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: h\r\n\r\n",
    b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
];

const FRAMINGS: [&str; 14] = [
    "Content-Length: 0\r\nContent-Length: 5",
    "Content-Length: -1",
    "Content-Length: +5",
    "Content-Length: 5, 5",
    "Content-Length: 99999999999999999999",
    "Content-Length: five",
    "Content-Length:",
    "Transfer-Encoding: chunked\r\nContent-Length: 5",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding: \"chunked\"",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
];

const PATHS: [&str; 15] = [
    "//",
    "/..",
    "/../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/%00",
    "/%ff",
    "/%",
    "/%zz",
    "/v1/whoami/../../setup",
    "/v1//whoami",
    "/V1/WHOAMI",
    "/;a=b",
    "/?q=%00&q=%ff",
    "/static/../keydesk.db",
    "/\u{7f}",
];

/// Sends bytes on a connection of their own. Returns the status; `None` if the connection is closed without one.
fn send(address: SocketAddr, bytes: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    // The server may close before all is sent.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let line = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
    line.split(' ').nth(1)?.parse().ok()
}

/// A header that is almost one with a key, or anything.
fn authorization(random: &mut StdRng, key: &str) -> Vec<u8> {
    let mut value = [b"Bearer ".as_slice(), key.as_bytes()].concat();
    for _ in 0..random.random_range(1..6) {
        let at = random.random_range(0..value.len());
        match random.random_range(0..5) {
            0 => value[at] = random.random(),
            1 => value.truncate(at.max(1)),
            2 => value.extend(vec![random.random::<u8>(); random.random_range(0..4_000)]),
            3 => value.insert(at, random.random()),
            _ => value.extend(value.clone()),
        }
        value.truncate(16_000);
    }
    value.retain(|byte| !b"\r\n".contains(byte));
    [b"GET /v1/whoami HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: ".as_slice(), &value, b"\r\n\r\n"]
        .concat()
}

#[test]
fn hostile_input_crashes_nothing_and_takes_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = keydesk(folder.path());
    command.args(["--database-url", &database::new_url(&folder)]);
    let serving = Serving::start(command, 2);
    let (_, key) = serving.set_up().create_key("ERP Sync");
    let address = serving.browser().address();
    let text = |text: String| text.into_bytes();
    let mut requests: Vec<Vec<u8>> = HEADS.iter().map(|head| head.to_vec()).collect();
    for path in ["/v1/revoke", "/sign-in", API_KEYS] {
        let of_framing = |lines: &&str| text(format!("POST {path} HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\nhello"));
        requests.extend(FRAMINGS.iter().map(of_framing));
    }
    requests
        .extend(PATHS.iter().map(|path| text(format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))));
    let mut random = StdRng::seed_from_u64(2);
    let good = send(
        address,
        format!("GET /v1/whoami HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\r\n")
            .as_bytes(),
    );
    assert_eq!(good, Some(200));
    let before = memory_kib(serving.id());
    let headers = count(500, 10_000);
    requests.extend((0..headers).map(|_| authorization(&mut random, &key)));
    let mut failed = Vec::new();
    for request in &requests {
        let status = send(address, request);
        if status.is_some_and(|status| status >= 500) {
            failed.push(format!("{status:?}: {}", String::from_utf8_lossy(request)));
        }
    }
    let growth = memory_kib(serving.id()).saturating_sub(before);
    let log = serving.stop_and_read_log();
    figures::print(
        "S2",
        format!(
            "{} of {} hostile requests got 5xx, memory +{} MiB (≤ 64 MiB)",
            failed.len(),
            requests.len(),
            growth / 1_024
        ),
    );
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(!log.contains("panic"), "{log}");
    assert!(growth <= MAX_GROWTH_KIB);
}
