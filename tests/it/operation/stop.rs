//! Signals: what ends a server, and what becomes of its requests.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::cli::{Serving, keydesk};
use crate::support::figures::{self, seconds};
use crate::support::relay::Relay;
use crate::support::{API_KEYS, Browser, PASSWORD, TestServer, database};
use crate::web::trail_export::{add_long_history, begin_as};

/// A stop takes no longer than this, see docs/operating.md.
const STOP: Duration = Duration::from_secs(35);
/// A stop without requests in progress, on a busy machine.
const QUICK_STOP: Duration = Duration::from_secs(20);

/// The program on the database of a test server, and a browser in which its admin has signed in.
fn serve(installation: &TestServer, flags: &[&str]) -> (Serving, SocketAddr, Browser) {
    let mut command = keydesk(installation.folder.path());
    command.args(["--database-url", &installation.database_url]).args(flags);
    let serving = Serving::start(command, 1);
    let address = serving.line("Listening on http://").parse().unwrap();
    let browser = Browser::new(address);
    browser
        .post("/sign-in", &[("email", "maria@brightwater.example"), ("password", PASSWORD)])
        .expect_redirect(API_KEYS);
    (serving, address, browser)
}

/// A request in progress: its handler waits for a body that is never complete.
fn begin_request(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = "POST /v1/revoke HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_read_timeout(Some(STOP)).unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(go_on, *b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"token=").unwrap();
    stream
}

/// What a client gets until its connection ends.
fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn wait_until_refused(address: SocketAddr) {
    let deadline = Instant::now() + QUICK_STOP;
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < deadline, "connections are still accepted");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_hangup_reopens_nothing_and_ends_nothing() {
    let installation = TestServer::start();
    let (mut serving, address, browser) = serve(&installation, &[]);
    let open = begin_request(address);
    for _ in 0..3 {
        serving.signal("-HUP");
    }
    browser.get(API_KEYS).expect(200);
    browser.get("/readyz").expect(200);
    drop(open);
    serving.signal("-TERM");
    assert_eq!(serving.wait_for_end(STOP), 0);
}

#[test]
fn a_second_sigterm_ends_requests_at_once() {
    let installation = TestServer::start();
    for flags in [&[][..], &["--drain", "1h"]] {
        let (mut serving, address, _) = serve(&installation, flags);
        let open = begin_request(address);
        serving.signal("-TERM");
        if flags.is_empty() {
            wait_until_refused(address);
        } else {
            serving.wait_for_log("draining before the stop", 1);
        }
        open.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let waits = (&open).read(&mut [0]).unwrap_err();
        assert!(matches!(waits.kind(), std::io::ErrorKind::WouldBlock), "the request goes on: {waits}");
        open.set_read_timeout(Some(STOP)).unwrap();
        serving.signal("-TERM");
        assert_eq!(serving.wait_for_end(QUICK_STOP), 0);
        assert_eq!(rest(open), "", "the request was ended without an answer");
        assert!(serving.written_log().trim_end().ends_with("server stopped"), "{}", serving.written_log());
    }
}

#[test]
fn a_start_that_waits_is_stopped_and_survives_a_hangup() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = keydesk(folder.path());
    command.args(["--database-url", "postgres://keydesk@127.0.0.1:9/keydesk"]);
    let mut serving = Serving::spawn(command);
    serving.wait_for_log("waiting for the database", 1);
    serving.signal("-HUP");
    let before = serving.written_log().matches("waiting for the database").count();
    serving.wait_for_log("waiting for the database", before + 1);
    serving.signal("-TERM");
    assert_eq!(serving.wait_for_end(QUICK_STOP), 0);
    assert!(serving.written_log().contains("stopped before the start was complete"), "{}", serving.written_log());
}

#[test]
fn a_long_export_ends_incomplete_at_the_stop() {
    let installation = TestServer::start();
    add_long_history(&installation);
    let (mut serving, address, browser) = serve(&installation, &[]);
    let mut exports = ["export.csv", "export.jsonl"].map(|file| begin_as(&browser, address, file, Some(8_192)));
    for export in &mut exports {
        let mut begin = [0; 1_024];
        export.read_exact(&mut begin).unwrap();
        assert!(begin.starts_with(b"HTTP/1.1 200"));
    }
    let started = Instant::now();
    serving.signal("-TERM");
    // Both clients read on: what was sent before the signal arrives.
    let [csv, json_lines] = exports.map(|export| std::thread::spawn(move || rest(export)));
    assert_eq!(serving.wait_for_end(QUICK_STOP), 0);
    println!("stopped {:?} after the signal, with two exports in progress", started.elapsed());
    for export in [csv, json_lines] {
        let received = export.join().unwrap();
        assert!(!received.ends_with("\r\n0\r\n\r\n"), "the transfer is cut");
    }
}

#[test]
fn a_drain_lets_an_export_go_on() {
    let installation = TestServer::start();
    add_long_history(&installation);
    let (mut serving, address, browser) = serve(&installation, &["--drain", "1h"]);
    let export = begin_as(&browser, address, "export.csv", Some(8_192));
    (&export).read_exact(&mut [0; 1_024]).unwrap();
    serving.signal("-TERM");
    serving.wait_for_log("draining before the stop", 1);
    assert!(rest(export).ends_with("\r\n0\r\n\r\n"), "the export is complete");
    serving.signal("-TERM");
    assert_eq!(serving.wait_for_end(QUICK_STOP), 0);
}

/// Sends a request on a connection of its own. Returns the answer; `None` if nothing came back.
fn ask(address: SocketAddr, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(STOP)).unwrap();
    stream.write_all(request.as_bytes()).ok()?;
    Some(rest(stream)).filter(|answer| !answer.is_empty())
}

/// Whether a response has all of its body.
fn is_complete(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.map_or_else(|| body.ends_with("0\r\n\r\n"), |length| body.len() == length.parse::<usize>().unwrap())
}

#[test]
fn a_stop_under_load_cuts_no_answer() {
    let installation = TestServer::start();
    let (_, key) = installation.admin().create_key("ERP Sync");
    let (mut serving, address, browser) = serve(&installation, &[]);
    let cookies =
        reqwest::cookie::CookieStore::cookies(&*browser.cookies, &format!("http://{address}/").parse().unwrap());
    let cookies = cookies.unwrap().to_str().unwrap().to_owned();
    let requests = [
        format!("GET /v1/whoami HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\r\n"),
        format!("GET {API_KEYS} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nCookie: {cookies}\r\n\r\n"),
        format!(
            "POST {API_KEYS}/identify HTTP/1.1\r\nHost: h\r\nConnection: close\r\nCookie: {cookies}\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\nkey={key}",
            key.len() + 4
        ),
    ];
    // A client that keeps its connection open and is idle.
    let idle = TcpStream::connect(address).unwrap();
    (&idle).write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let (complete, cut, has_ended) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let stopped = std::thread::scope(|scope| {
        for client in 0..12 {
            let (request, complete, cut, has_ended) = (&requests[client % requests.len()], &complete, &cut, &has_ended);
            scope.spawn(move || {
                while !has_ended.load(Ordering::Relaxed) {
                    match ask(address, request) {
                        Some(answer) if is_complete(&answer) => complete.fetch_add(1, Ordering::Relaxed),
                        Some(_) => cut.fetch_add(1, Ordering::Relaxed),
                        None => continue,
                    };
                }
            });
        }
        let deadline = Instant::now() + Duration::from_mins(1);
        while complete.load(Ordering::Relaxed) < 300 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let started = Instant::now();
        serving.signal("-TERM");
        let code = serving.wait_for_end(STOP);
        has_ended.store(true, Ordering::Relaxed);
        (code, started.elapsed())
    });
    let (complete, cut) = (complete.into_inner(), cut.into_inner());
    let (code, time) = (stopped.0, seconds(stopped.1));
    figures::print("R6", format!("{cut} of {} answers cut, exit {code} after {time} (≤ 35 s)", complete + cut));
    assert!(complete >= 300 && cut == 0 && stopped.0 == 0);
}

#[test]
fn a_database_that_hangs_does_not_delay_the_end() {
    if database::postgres().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let relay = Relay::start(&database::new_url(&folder));
    let mut command = keydesk(folder.path());
    command.args(["--database-url", &relay.url]);
    let mut serving = Serving::start(command, 2);
    let (_, key) = serving.set_up().create_key("ERP Sync");
    serving.browser().bearer("/v1/whoami", &key).expect(200);
    relay.freeze();
    serving.signal("-TERM");
    let started = Instant::now();
    assert_eq!(serving.wait_for_end(STOP), 0);
    println!("stopped after {:?} with a frozen database", started.elapsed());
}
