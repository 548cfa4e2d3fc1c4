//! CSV exports of the audit trail: content, filters, permissions, and slow and broken connections.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use reqwest::cookie::CookieStore;

use crate::support::history::Events;
use crate::support::{AUDIT_TRAIL, Answer, Browser, TestServer, database};

const HEADER: &str = "sequence,event_id,time,action,actor_type,actor_id,actor_name,key_id,key_preview,target_type,target_id,\
    target_name,reason,comment,client_address,user_agent,request_id,before,after";

/// The cells of a CSV file (RFC 4180), with the header as the first row.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = csv.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted && letters.peek() == Some(&'\n') => {
                letters.next();
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    assert!(row.is_empty() && cell.is_empty(), "the last row has no line end");
    rows
}

fn export(browser: &Browser, query: &str) -> (Answer, Vec<Vec<String>>) {
    let answer = browser.get(&format!("{AUDIT_TRAIL}/export.csv{query}")).expect(200);
    let mut rows = rows(&answer.body);
    assert_eq!(rows.remove(0).join(","), HEADER);
    assert!(rows.iter().all(|row| row.len() == 19));
    (answer, rows)
}

fn column(rows: &[Vec<String>], name: &str) -> Vec<String> {
    let place = HEADER.split(',').position(|known| known == name).unwrap();
    rows.iter().map(|row| row[place].clone()).collect()
}

#[test]
fn an_export_holds_every_event_and_its_own_newest_first() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("=ERP, \"Sync\"");
    admin.revoke(&id, "compromised", "-Leaked,\nin a ticket.").expect(303);
    let (answer, rows) = export(&admin, "");
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    let name = "attachment; filename=\"audit-trail-brightwater-2026-11-23-6-events.csv\"";
    assert_eq!((answer.header("content-disposition"), answer.header("x-keydesk-events")), (name, "6"));
    assert_eq!(column(&rows, "sequence"), ["6", "5", "4", "3", "2", "1"]);
    let actions = column(&rows, "action");
    assert_eq!(actions[..3], ["audit_trail.exported", "api_key.revoked", "api_key.created"]);
    let revoked = &rows[1];
    let preview = format!("{}…{}", &key[..8], &key[38..]);
    for (name, expected) in [
        ("time", "2026-11-23T09:00:00.000000Z"),
        ("actor_type", "user"),
        ("actor_name", "Maria Lindqvist"),
        ("key_id", id.as_str()),
        ("key_preview", preview.as_str()),
        ("target_type", "api_key"),
        ("target_name", "'=ERP, \"Sync\""),
        ("reason", "compromised"),
        ("comment", "'-Leaked,\nin a ticket."),
        ("client_address", "127.0.0.1"),
    ] {
        assert_eq!(column(std::slice::from_ref(revoked), name), [expected], "{name}");
    }
    assert_eq!(column(&rows, "target_name")[0], "Brightwater");
    assert_eq!(column(&rows, "actor_name")[5], "Command line");
    let last = server.trail("Brightwater").pop().unwrap();
    assert_eq!(last, ("audit_trail.exported".to_owned(), "{\"format\":\"csv\"}".to_owned()));
}

#[test]
fn an_export_follows_the_filters_and_records_them() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    admin.create_key("Reporting");
    server.advance(Duration::from_hours(48));
    let later = server.admin();
    later.revoke(&id, "superseded", "").expect(303);
    let maria = server.user("maria@brightwater.example").id;
    let query =
        format!("?from=2026-11-25&to=2026-11-25&user={maria}&action=api_key.revoked&action=api_key.created&key={id}");
    let (answer, rows) = export(&later, &query);
    assert_eq!(column(&rows, "action"), ["api_key.revoked"]);
    assert!(answer.header("content-disposition").ends_with("-2026-11-25-1-event.csv\""));
    let (_, since) = server.trail("Brightwater").pop().unwrap();
    let since: serde_json::Value = serde_json::from_str(&since).unwrap();
    let day = 1_795_564_800_000_000_i64;
    let expected = serde_json::json!({
        "format": "csv", "from": day, "until": day + 86_400_000_000 - 1, "user": maria.to_string(), "key": id,
        "actions": ["api_key.created", "api_key.revoked"],
    });
    assert_eq!(since, expected);
    let (_, rows) = export(&later, "?action=audit_trail.exported");
    assert_eq!(rows.len(), 2);
}

#[test]
fn a_head_request_exports_and_records_nothing() {
    let server = TestServer::start();
    let admin = server.admin();
    let before = server.trail("Brightwater").len();
    let answer = admin.head(&format!("{AUDIT_TRAIL}/export.csv")).expect(200);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert!(!answer.headers.contains_key("content-length"), "the file is not empty");
    assert_eq!(server.trail("Brightwater").len(), before);
}

#[test]
fn another_site_cannot_trigger_an_export() {
    let server = TestServer::start();
    let admin = server.admin();
    for path in ["export.csv", "export.jsonl"] {
        let before = server.trail("Brightwater").len();
        let from = |site| {
            crate::support::browser::send(
                admin.request("GET", &format!("{AUDIT_TRAIL}/{path}")).header("sec-fetch-site", site),
            )
        };
        for site in ["cross-site", "same-site"] {
            from(site).expect(403);
        }
        assert_eq!(server.trail("Brightwater").len(), before);
        // By a link on this site, and by a typed address.
        for site in ["same-origin", "none"] {
            from(site).expect(200);
        }
    }
}

#[test]
fn an_export_shows_no_name_of_a_deleted_user() {
    let server = TestServer::start();
    let auditor = server.auditor();
    let id = server.user("jonas@brightwater.example").id;
    export(&auditor, "");
    server.admin().post(&format!("{}/{id}/delete", crate::support::USERS), &[]).expect(303);
    let (_, rows) = export(&server.admin(), &format!("?user={id}"));
    assert!(column(&rows, "actor_name").iter().all(|name| name == "Deleted user") && !rows.is_empty());
    let (_, rows) = export(&server.admin(), "?action=user.deleted");
    assert_eq!(column(&rows, "target_name"), ["Deleted user"]);
}

#[test]
fn an_export_of_ten_thousand_events_is_complete_and_ordered() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    let key = format!("'{id}'");
    let action = "CASE WHEN n % 2 = 0 THEN 'api_key.refused_after_revocation' ELSE 'api_key.handed_over' END";
    let company = server.company("Brightwater");
    Events { action, key: &key, ..Events::plain(10_000) }.append(&server, company);
    for (query, count) in [
        (format!("?key={id}"), 10_001),
        (format!("?key={id}&action=api_key.handed_over"), 5_000),
        ("?action=api_key.handed_over&action=api_key.created".to_owned(), 5_001),
        ("?from=2026-11-01&to=2026-11-23&action=api_key.handed_over".to_owned(), 5_000),
        ("?to=2026-11-21".to_owned(), 0),
    ] {
        let (answer, rows) = export(&admin, &query);
        let places: Vec<i64> = column(&rows, "sequence").iter().map(|place| place.parse().unwrap()).collect();
        assert_eq!((places.len(), answer.header("x-keydesk-events")), (count, count.to_string().as_str()), "{query}");
        assert!(places.is_sorted_by(|newer, older| newer > older), "{query}");
    }
}

/// Appends events that are too long for any buffer on the way.
pub fn add_long_history(server: &TestServer) {
    let user_agent = if database::postgres().is_some() { "repeat('x', 2000)" } else { "printf('%.2000c', 'x')" };
    Events { user_agent, ..Events::plain(20_000) }.append(server, server.company("Brightwater"));
}

/// Requests an export without reading the answer.
fn begin(server: &TestServer, buffer: Option<u32>) -> TcpStream {
    begin_as(&server.admin(), server.address, "export.csv", buffer)
}

/// Like [`begin`], in a browser that is signed in.
pub fn begin_as(browser: &Browser, address: SocketAddr, file: &str, buffer: Option<u32>) -> TcpStream {
    let cookies = browser.cookies.cookies(&format!("http://{address}/").parse().unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        if let Some(bytes) = buffer {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        socket.connect(address).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(2))).unwrap();
    let cookies = cookies.to_str().unwrap();
    let request = format!("GET {AUDIT_TRAIL}/{file} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookies}\r\n\r\n");
    (&stream).write_all(request.as_bytes()).unwrap();
    stream
}

#[test]
fn an_export_cut_by_a_database_failure_has_no_proper_end() {
    let server = TestServer::start();
    add_long_history(&server);
    let complete = {
        let mut stream = begin(&server, None);
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n0\r\n\r\n") {
            let mut piece = [0; 8_192];
            let read = stream.read(&mut piece).unwrap();
            assert!(read > 0, "a complete export has an end");
            answer.extend_from_slice(&piece[..read]);
        }
        answer.len()
    };
    let mut stream = begin(&server, None);
    let mut answer = vec![0; 1_024];
    stream.read_exact(&mut answer).unwrap();
    database::tamper(&server.database_url, "ALTER TABLE events RENAME TO gone");
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.len() < complete, "the export ended before the database failed");
    assert!(!answer.ends_with(b"0\r\n\r\n"));
}

#[test]
fn an_export_ends_with_its_session() {
    let server = TestServer::start();
    add_long_history(&server);
    let mut stream = begin(&server, Some(8_192));
    let mut answer = vec![0; 1_024];
    stream.read_exact(&mut answer).unwrap();
    database::tamper(&server.database_url, "DELETE FROM sessions");
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.ends_with(b"0\r\n\r\n"), "the export ended before the session did");
}

#[test]
fn a_slow_reader_is_served_and_a_stalled_one_is_cut() {
    let timeout = Duration::from_secs(10);
    let server = TestServer::with_idle_timeout(timeout);
    add_long_history(&server);
    let (mut slow, stalled) = (begin(&server, Some(8_192)), begin(&server, Some(8_192)));
    let mut piece = [0; 1_024];
    let started = Instant::now();
    while started.elapsed() < timeout * 3 {
        slow.read_exact(&mut piece).unwrap();
        std::thread::sleep(Duration::from_millis(250));
    }
    let is_complete = |mut stream: TcpStream| {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer.ends_with(b"0\r\n\r\n")
    };
    assert!(!is_complete(stalled), "a stalled reader is cut");
    // The slow connection is still open and continues.
    slow.set_read_timeout(Some(timeout * 6)).unwrap();
    let mut after = 0;
    while after < 8_000_000 {
        let read = slow.read(&mut [0; 8_192]).unwrap();
        assert!(read > 0, "a slow reader is not cut");
        after += read;
    }
}
