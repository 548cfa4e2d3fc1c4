//! Usage around the end of a key: what a revocation will break, and the refusals after it.

use std::time::Duration;

use crate::support::server::NOW;
use crate::support::{API_KEYS, Browser, TestServer, database};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const PYTHON: &str = "python-requests/2.32";
const CURL: &str = "curl/8.5";

fn warning(server: &TestServer, admin: &Browser, id: &str) -> String {
    server.record_usage();
    admin.get(&format!("{API_KEYS}/{id}/revoke")).expect(200).html().texts("dialog .banner.warn").concat()
}

#[test]
fn the_revoke_dialog_says_what_will_break() {
    let server = TestServer::behind_proxy();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    server.record_usage();
    let dialog =
        |admin: &Browser| admin.get(&format!("{API_KEYS}/{id}/revoke")).expect(200).html().text("dialog .facts");
    assert_eq!(warning(&server, &admin, &id), "");
    assert!(dialog(&admin).ends_with("Last used Never used"), "{}", dialog(&admin));
    for _ in 0..3 {
        server.present_from(&key, CURL, "198.51.100.4");
    }
    server.advance(MINUTE);
    server.present_from(&key, PYTHON, "203.0.113.9");
    server.advance(MINUTE * 4);
    assert_eq!(
        warning(&server, &admin, &id),
        "This key is in use. Last request 4 minutes ago 4 requests in the last 24 hours, from 2 addresses \
         203.0.113.9 (python-requests/2.32) 198.51.100.4 (curl/8.5) Usage as of 09:05:00."
    );
    assert!(dialog(&admin).ends_with("Last used 23 Nov 2026, 09:01"), "{}", dialog(&admin));
    let refused = admin.revoke(&id, "bored", "").expect(422).html();
    assert!(refused.text("dialog .banner.warn").contains("4 requests in the last 24 hours"));
}

#[test]
fn the_warning_counts_24_hours_and_ends_after_a_week() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    server.present(&key, CURL);
    server.record_usage();
    let warned_at = |after: Duration| {
        server.set_clock(NOW + after);
        warning(&server, &admin, &id)
    };
    let micro = Duration::from_micros(1);
    assert!(
        warned_at(Duration::from_secs(86_399))
            .contains("1 request in the last 24 hours, from 1 address 127.0.0.1 (curl/8.5)")
    );
    let later = warned_at(DAY);
    let expected = "This key is in use. Last request yesterday from 127.0.0.1 (curl/8.5) Usage as of 09:00:00.";
    assert_eq!(later, expected);
    assert!(warned_at(DAY * 7).starts_with("This key is in use. Last request 7 days ago"));
    assert_eq!(warned_at(DAY * 7 + micro), "");
}

#[test]
fn the_warning_counts_clients_beyond_the_known_ones() {
    let server = TestServer::behind_proxy();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    for last in 1..=20 {
        server.advance(Duration::from_secs(1));
        server.present_from(&key, CURL, &format!("192.0.2.{last}"));
    }
    for program in ["a", "b", "c"] {
        server.advance(Duration::from_secs(1));
        server.present_from(&key, program, "192.0.2.20");
    }
    let warning = warning(&server, &admin, &id);
    let expected = "23 requests in the last 24 hours, from at least 13 addresses 192.0.2.20 (c, b and 2 more) \
                    192.0.2.19 (curl/8.5) 192.0.2.18 (curl/8.5) 192.0.2.17 (curl/8.5) at least 9 more";
    assert!(warning.contains(expected), "{warning}");
    assert!(admin.key_page(&id).section("usage").contains("Older entries are not kept."));
}

#[test]
fn revoking_several_shows_when_each_key_was_last_used() {
    let server = TestServer::start();
    let admin = server.admin();
    let ((used, key), (unused, _)) = (admin.create_key("ERP Sync"), admin.create_key("Reporting"));
    server.present(&key, CURL);
    server.record_usage();
    server.set_clock(NOW + HOUR * 3);
    let dialog = admin.get(&format!("{API_KEYS}/revoke?key={used}&key={unused}")).expect(200).html();
    let of_key = |id: &str| dialog.text(&format!("dialog li[data-key-id='{id}']"));
    assert!(of_key(&used).contains("last request 3 hours ago"), "{}", of_key(&used));
    assert!(of_key(&unused).ends_with("Never used"), "{}", of_key(&unused));
}

#[test]
fn the_page_of_a_revoked_key_shows_refusals_as_evidence() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    server.present(&key, CURL);
    server.advance(MINUTE);
    admin.revoke(&id, "compromised", "Pasted.").expect(303);
    server.advance(MINUTE);
    server.record_usage();
    let evidence = || admin.key_page(&id).section("revocation");
    let none = "No request has used this key since.";
    assert!(evidence().ends_with(none), "{}", evidence());
    assert_eq!(server.present(&key, PYTHON).0, 401);
    server.record_usage();
    server.advance(MINUTE * 2);
    let one = "No request has been accepted since. 1 was rejected, 2 minutes ago.";
    assert!(evidence().contains(one), "{}", evidence());
    server.present(&key, CURL);
    server.present(&key, CURL);
    server.advance(Duration::from_secs(1));
    let (_, request) = server.present(&key, PYTHON);
    server.record_usage();
    server.advance(MINUTE * 3);
    let evidence = evidence();
    assert!(
        evidence.contains("No request has been accepted since. 4 were rejected, the last one 3 minutes ago."),
        "{evidence}"
    );
    let last = format!(
        "Request {request} of 23 Nov 2026, 09:04, from 127.0.0.1 (python-requests/2.32), was rejected because this key \
         had been revoked."
    );
    assert!(evidence.ends_with(&last), "{evidence}");
    let row = admin.tab("revoked").row(&id);
    assert!(row.contains("Compromised 4 rejected since Pasted."), "{row}");
    assert!(admin.key_page(&id).section("usage").contains("1 request accepted and 4 rejected in the last 30 days."));
}

#[test]
fn the_page_of_an_expired_key_shows_refusals_too() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key_for("ERP Sync", "30d");
    server.set_clock(NOW + DAY * 30);
    let (status, request) = server.present(&key, CURL);
    assert_eq!(status, 401);
    server.record_usage();
    let expiry = admin.key_page(&id).section("expiry");
    assert!(expiry.contains("No request has been accepted since. 1 was rejected, just now."), "{expiry}");
    assert!(expiry.contains(&request) && expiry.ends_with("was rejected because this key had expired."), "{expiry}");
    assert!(admin.tab("revoked").row(&id).contains("Expired 1 rejected since"));
}

#[test]
fn the_page_reports_requests_accepted_after_the_end() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    admin.revoke(&id, "unspecified", "").expect(303);
    let sql = format!("UPDATE key_usage SET accepted_after_end = 3 WHERE key_id = '{id}'");
    database::tamper(&server.database_url, &sql);
    let page = admin.key_page(&id);
    assert_eq!(page.text("section[aria-labelledby=revocation] .alarm"), "3 requests have been accepted since.");
    assert!(!page.text("main").contains("No request has"));
}

#[test]
fn the_page_says_whether_a_replaced_key_can_be_ended() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    admin.rotate(&id, "30d").expect(201);
    let advice = || admin.key_page(&id).section("replacement");
    assert!(advice().contains("Never used. Safe to end."), "{}", advice());
    server.present(&key, CURL);
    server.record_usage();
    server.advance(MINUTE * 3);
    let still = "Last used 3 minutes ago from 127.0.0.1. Do not end it yet.";
    assert!(advice().contains(still), "{}", advice());
    server.set_clock(NOW + DAY);
    assert!(advice().contains("Not used for 1 day. Safe to end."), "{}", advice());
    server.set_clock(NOW + DAY * 6 + HOUR);
    assert!(advice().contains("Not used for 6 days. Safe to end."), "{}", advice());
    // A weekly client is still active after six days.
    server.set_clock(NOW + DAY * 7);
    server.present(&key, CURL);
    server.record_usage();
    server.set_clock(NOW + DAY * 13);
    let idle = "Last used 6 days ago from 127.0.0.1, and was idle about as long before that. Wait before you end it.";
    assert!(advice().contains(idle), "{}", advice());
    server.set_clock(NOW + DAY * 15);
    assert!(advice().contains("Not used for 8 days. Safe to end."), "{}", advice());
}
