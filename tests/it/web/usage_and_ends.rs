//! What the use of keys says about their end: before it, what will break; after it, that it holds.

use std::time::Duration;

use crate::support::server::NOW;
use crate::support::{Browser, K, TestServer, database};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const PYTHON: &str = "python-requests/2.32";
const CURL: &str = "curl/8.5";

fn warning(server: &TestServer, admin: &Browser, id: &str) -> String {
    server.record_usage();
    admin.get(&format!("{K}/{id}/revoke")).expect(200).html().texts("dialog .banner.warn").concat()
}

#[test]
fn the_question_before_a_revocation_says_what_will_break() {
    let server = TestServer::behind_a_proxy();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    server.record_usage();
    let dialog = |admin: &Browser| admin.get(&format!("{K}/{id}/revoke")).expect(200).html().text("dialog .facts");
    assert_eq!(warning(&server, &admin, &id), "");
    assert!(dialog(&admin).ends_with("Last used Never used"), "{}", dialog(&admin));
    for _ in 0..3 {
        server.present_from(&key, CURL, "198.51.100.4");
    }
    server.wait(MINUTE);
    server.present_from(&key, PYTHON, "203.0.113.9");
    server.wait(MINUTE * 4);
    assert_eq!(
        warning(&server, &admin, &id),
        "This key is in use. Its last request was 4 minutes ago. 4 requests in 24 hours, from 2 addresses: \
         203.0.113.9 (python-requests/2.32), 198.51.100.4 (curl/8.5). Counted from 22 Nov 2026, 10:00, as of 09:05:00."
    );
    assert!(dialog(&admin).ends_with("Last used 23 Nov 2026, 09:01"), "{}", dialog(&admin));
    let refused = admin.revoke(&id, "bored", "").expect(422).html();
    assert!(refused.text("dialog .banner.warn").contains("4 requests in 24 hours"));
}

#[test]
fn hours_beyond_24_leave_the_question_and_after_a_week_so_does_the_warning() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    server.present(&key, CURL);
    server.record_usage();
    let warned_at = |after: Duration| {
        server.stand_at(NOW + after);
        warning(&server, &admin, &id)
    };
    let micro = Duration::from_micros(1);
    assert!(
        warned_at(Duration::from_secs(86_399)).contains("1 request in 24 hours, from 1 address: 127.0.0.1 (curl/8.5).")
    );
    let later = warned_at(DAY);
    let expected =
        "This key is in use. Its last request was yesterday, from 127.0.0.1 (curl/8.5). Counted as of 09:00:00.";
    assert_eq!(later, expected);
    assert!(warned_at(DAY * 7).starts_with("This key is in use. Its last request was 7 days ago"));
    assert_eq!(warned_at(DAY * 7 + micro), "");
}

#[test]
fn a_key_that_very_many_use_is_not_said_to_be_used_by_those_alone_that_are_known() {
    let server = TestServer::behind_a_proxy();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    for last in 1..=20 {
        server.wait(Duration::from_secs(1));
        server.present_from(&key, CURL, &format!("192.0.2.{last}"));
    }
    for program in ["a", "b", "c"] {
        server.wait(Duration::from_secs(1));
        server.present_from(&key, program, "192.0.2.20");
    }
    let warning = warning(&server, &admin, &id);
    let expected = "23 requests in 24 hours, from at least 13 addresses: 192.0.2.20 (c, b and 2 more), \
                    192.0.2.19 (curl/8.5), 192.0.2.18 (curl/8.5), 192.0.2.17 (curl/8.5) and at least 9 more.";
    assert!(warning.contains(expected), "{warning}");
    assert!(admin.key_page(&id).section("usage").contains("Earlier ones are not kept."));
}

#[test]
fn before_several_revocations_each_key_says_when_it_was_last_used() {
    let server = TestServer::start();
    let admin = server.admin();
    let ((used, key), (unused, _)) = (admin.create_key("ERP Sync"), admin.create_key("Reporting"));
    server.present(&key, CURL);
    server.record_usage();
    server.stand_at(NOW + HOUR * 3);
    let dialog = admin.get(&format!("{K}/revoke?key={used}&key={unused}")).expect(200).html();
    let said = |id: &str| dialog.text(&format!("dialog li[data-key-id='{id}'] p"));
    assert_eq!((said(&used), said(&unused)), ("Last used 3 hours ago".into(), "Never used".into()));
}

#[test]
fn after_a_revocation_the_page_has_the_evidence_and_the_reason_of_each_refusal() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    server.present(&key, CURL);
    server.wait(MINUTE);
    admin.revoke(&id, "compromised", "Pasted.").expect(303);
    server.wait(MINUTE);
    server.record_usage();
    let evidence = || admin.key_page(&id).section("revocation");
    let none = "No request was accepted after it. None was presented since. Counted as of 09:02:00.";
    assert!(evidence().ends_with(none), "{}", evidence());
    assert_eq!(server.present(&key, PYTHON).0, 401);
    server.record_usage();
    server.wait(MINUTE * 2);
    let one = "No request was accepted after it. 1 was refused, 2 minutes ago.";
    assert!(evidence().contains(one), "{}", evidence());
    server.present(&key, CURL);
    server.present(&key, CURL);
    server.wait(Duration::from_secs(1));
    let (_, request) = server.present(&key, PYTHON);
    server.record_usage();
    server.wait(MINUTE * 3);
    let evidence = evidence();
    assert!(
        evidence.contains("No request was accepted after it. 4 were refused, the last 3 minutes ago."),
        "{evidence}"
    );
    let last = format!(
        "Request {request} of 23 Nov 2026, 09:04, from 127.0.0.1 (python-requests/2.32), was refused because this key \
         had been revoked."
    );
    assert!(evidence.ends_with(&last), "{evidence}");
    let row = admin.tab("revoked").row(&id);
    assert!(row.contains("Compromised 4 refused since Pasted."), "{row}");
    assert!(admin.key_page(&id).section("usage").contains("1 request accepted and 4 refused in 30 days."));
}

#[test]
fn after_its_expiry_a_key_has_its_evidence_too() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key_for("ERP Sync", "30d");
    server.stand_at(NOW + DAY * 30);
    let (status, request) = server.present(&key, CURL);
    assert_eq!(status, 401);
    server.record_usage();
    let expiry = admin.key_page(&id).section("expiry");
    assert!(expiry.contains("No request was accepted after it. 1 was refused, just now."), "{expiry}");
    assert!(expiry.contains(&request) && expiry.ends_with("was refused because this key had expired."), "{expiry}");
    assert!(admin.tab("revoked").row(&id).contains("Expired 1 refused since"));
}

#[test]
fn requests_that_were_accepted_after_the_end_are_not_kept_secret() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    admin.revoke(&id, "unspecified", "").expect(303);
    let sql = format!("UPDATE key_usage SET accepted_after_end = 3 WHERE key_id = '{id}'");
    database::tamper(&server.database_url, &sql);
    let page = admin.key_page(&id);
    assert_eq!(page.text("section[aria-labelledby=revocation] .alarm"), "3 requests were accepted after it.");
    assert!(!page.text("main").contains("No request was accepted"));
}

#[test]
fn while_a_key_is_being_replaced_its_page_says_whether_it_can_be_ended() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    admin.rotate(&id, "30d").expect(201);
    let advice = || admin.key_page(&id).section("replacement");
    assert!(advice().contains("Never used. It is safe to end it."), "{}", advice());
    server.present(&key, CURL);
    server.record_usage();
    server.wait(MINUTE * 3);
    let still = "Still used 3 minutes ago from 127.0.0.1. Do not end it yet.";
    assert!(advice().contains(still), "{}", advice());
    server.stand_at(NOW + DAY);
    assert!(advice().contains("Not used for 1 day. It is safe to end it."), "{}", advice());
    server.stand_at(NOW + DAY * 6 + HOUR);
    assert!(advice().contains("Not used for 6 days. It is safe to end it."), "{}", advice());
    // What comes once a week is not gone after six days.
    server.stand_at(NOW + DAY * 7);
    server.present(&key, CURL);
    server.record_usage();
    server.stand_at(NOW + DAY * 13);
    let idle = "Last used 6 days ago from 127.0.0.1, and idle about as long before. Do not end it yet.";
    assert!(advice().contains(idle), "{}", advice());
    server.stand_at(NOW + DAY * 15);
    assert!(advice().contains("Not used for 8 days. It is safe to end it."), "{}", advice());
}
