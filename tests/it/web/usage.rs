//! Usage of keys in the list and on the page of a key.

use std::time::Duration;

use crate::support::server::NOW;
use crate::support::{API_KEYS, Browser, TestServer, database};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const PYTHON: &str = "python-requests/2.32";
const CURL: &str = "curl/8.5";

fn usage(admin: &Browser, id: &str) -> String {
    admin.key_page(id).section("usage")
}

#[test]
fn the_list_shows_when_each_key_was_last_used() {
    let server = TestServer::start();
    let admin = server.admin();
    let (used, key) = admin.create_key("ERP Sync");
    let (unused, _) = admin.create_key("Reporting");
    server.present(&key, PYTHON);
    server.record_usage();
    let last_used = |after: Duration| {
        server.set_clock(NOW + after);
        let list = admin.get(API_KEYS).expect(200).html();
        let cell = |id: &str| list.text(&format!("tr[data-key-id='{id}'] td[data-label='Last used']"));
        assert_eq!(cell(&unused), "Never used");
        let time = format!("tr[data-key-id='{used}'] td[data-label='Last used'] time");
        assert_eq!(list.attribute(&time, "datetime"), "2026-11-23T09:00:00Z");
        assert_eq!(list.attribute(&time, "title"), "23 Nov 2026, 09:00:00, UTC");
        cell(&used)
    };
    assert_eq!(last_used(Duration::from_micros(59_999_999)), "Just now");
    assert_eq!(last_used(MINUTE * 4), "4 minutes ago");
    assert_eq!(last_used(HOUR * 2), "2 hours ago");
    assert_eq!(last_used(DAY), "Yesterday");
    assert_eq!(last_used(DAY * 5), "5 days ago");
    assert_eq!(last_used(DAY * 160), "5 months ago");
}

#[test]
fn keys_sorted_by_last_use_are_paged_both_ways() {
    let server = TestServer::start();
    let admin = server.admin();
    let keys: Vec<_> = (0..56).map(|number| admin.create_key(&format!("Service {number:02}"))).collect();
    // Fifty-two keys are used in reverse order, four keys never.
    for (_, key) in keys[..52].iter().rev() {
        server.advance(Duration::from_secs(1));
        server.present(key, CURL);
    }
    server.record_usage();
    let all_pages = |sort: &str| {
        let first = admin.get(&format!("{API_KEYS}?sort={sort}")).expect(200).html();
        let second = admin.get(&first.attribute("a[rel=next]", "href")).expect(200).html();
        assert!(!second.has("a[rel=next]"));
        let back = admin.get(&second.attribute("a[rel=prev]", "href")).expect(200).html();
        assert_eq!(back.key_names(), first.key_names(), "{sort}");
        assert!(second.text("main").contains("51–56 of 56 active keys"));
        [first.key_names(), second.key_names()].concat()
    };
    let mut down = all_pages("-last-used");
    let expected: Vec<String> = (0..52).map(|number| format!("Service {number:02}")).collect();
    assert_eq!(down[..52], expected);
    let mut up = all_pages("last-used");
    up.reverse();
    assert_eq!(up, down);
    down[52..].sort();
    assert_eq!(down[52..], ["Service 52", "Service 53", "Service 54", "Service 55"]);
    let list = admin.get(&format!("{API_KEYS}?sort=-last-used")).html();
    assert!(list.text("th[aria-sort=descending]").contains("Last used"));
    assert!(list.text("caption").contains("most recently used first"));
}

#[test]
fn the_key_page_shows_requests_by_day_and_their_clients() {
    let server = TestServer::behind_proxy();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    server.record_usage();
    let never = usage(&admin, &id);
    assert!(never.contains("Last used Never used") && never.contains("Last 24 hours 0"), "{never}");
    assert!(!admin.key_page(&id).has("svg.bars"));
    for (days, count) in [(0, 5), (3, 2), (9, 1)] {
        server.set_clock(NOW + DAY * days);
        for _ in 0..count {
            server.present_from(&key, CURL, "198.51.100.4");
        }
    }
    server.advance(Duration::from_secs(1));
    server.present_from(&key, PYTHON, "2001:db8::1");
    server.record_usage();
    let page = admin.key_page(&id);
    let section = page.section("usage");
    for part in [
        "Last used 2 Dec 2026, 09:00 (just now) from 2001:db8::1 (python-requests/2.32)",
        "Last 24 hours 2 since 1 Dec 2026, 10:00",
        "Last 7 days 4 since 25 Nov 2026, 10:00",
        "9 requests in the last 30 days. Busiest day: 23 Nov 2026, with 5.",
        "3 Nov 2026 2 Dec 2026",
        "2 Dec 2026 2 accepted 26 Nov 2026 2 accepted 23 Nov 2026 5 accepted",
        "2001:db8::1 python-requests/2.32 Just now 198.51.100.4 curl/8.5 Just now",
        "Usage as of 09:00:01.",
    ] {
        assert!(section.contains(part), "{part}: {section}");
    }
    assert_eq!(page.all("svg.bars rect").len(), 4, "three days and the line");
    assert_eq!(
        page.texts("svg.bars title"),
        ["23 Nov 2026: 5 accepted", "26 Nov 2026: 2 accepted", "2 Dec 2026: 2 accepted"]
    );
    assert_eq!(page.text(".bars-scale"), "5");
    assert_eq!(page.attribute("svg.bars", "aria-labelledby"), page.attribute("figcaption", "id"));
    server.set_clock(NOW + DAY * 32);
    assert!(usage(&admin, &id).contains("4 requests in the last 30 days"), "{}", usage(&admin, &id));
}

#[test]
fn days_follow_the_time_zone_of_the_reader() {
    let server = TestServer::start();
    server.clock.set(NOW + HOUR * 14 + MINUTE * 20);
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    server.present(&key, CURL);
    server.record_usage();
    assert!(usage(&admin, &id).contains("23 Nov 2026 1 accepted"));
    admin.set_time_zone("Europe/Oslo");
    assert!(usage(&admin, &id).contains("24 Nov 2026 1 accepted"));
}

#[test]
fn auditors_see_usage_and_other_companies_do_not() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    server.present(&key, CURL);
    server.record_usage();
    let auditor = server.auditor();
    assert!(usage(&auditor, &id).contains("from 127.0.0.1 (curl/8.5)"));
    assert!(auditor.get(API_KEYS).html().row(&id).contains("Just now"));
    let stranger = server.other_company_admin();
    stranger.get(&format!("{API_KEYS}/{id}")).expect(404);
    stranger.get(&format!("{API_KEYS}/{id}/revoke")).expect(404);
    stranger.get(&format!("{API_KEYS}/revoke?key={id}")).expect(404);
}

#[test]
fn a_user_agent_is_escaped_and_never_shows_a_key() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    server.present(&key, "<script>alert(1)</script>\"'");
    server.advance(MINUTE);
    server.present(&key, &format!("curl -H '{key}'"));
    server.record_usage();
    let shown = |path: &str| {
        let answer = admin.get(path).expect(200);
        assert!(!answer.body.contains("<script>alert") && !answer.body.contains(&key[4..30]), "{path}");
        answer.html().text("body")
    };
    let page = format!("{API_KEYS}/{id}");
    for path in [page.clone(), format!("{page}/revoke")] {
        let text = shown(&path);
        assert!(text.contains("<script>alert(1)</script>\"'"), "{text}");
    }
    admin.revoke(&id, "unspecified", "").expect(303);
    server.advance(MINUTE);
    server.present(&key, &format!("curl -H '{key}'"));
    server.record_usage();
    assert!(shown(&page).contains("was rejected because this key had been revoked"));
    let report = "action = 'api_key.refused_after_revocation'";
    assert_eq!(database::count(&server.database_url, "events", report), 1);
    for (table, column) in
        [("events", "user_agent"), ("key_clients", "client"), ("key_usage", "last_used_client || last_refused_client")]
    {
        let stored = database::column(&server.database_url, column, &format!("FROM {table}"));
        assert!(!stored.iter().flatten().any(|text| text.contains(&key[4..30])), "{table}");
    }
}

#[test]
fn pages_show_when_usage_was_last_recorded() {
    let server = TestServer::start();
    let admin = server.admin();
    server.record_usage();
    server.advance(MINUTE);
    admin.create_key("ERP Sync");
    assert!(admin.get(API_KEYS).html().text(".list-foot").contains("Usage as of 09:00:00."));
    server.set_clock(NOW + DAY);
    assert!(admin.get(API_KEYS).html().text(".list-foot").contains("Usage as of 23 Nov 2026, 09:00:00."));
}
