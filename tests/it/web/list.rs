//! The list of keys: tabs, search, order and paging.

use std::time::Duration;

use crate::support::keys::copy_keys;
use crate::support::{API_KEYS, Browser, Html, TestServer};

fn many(server: &TestServer, admin: &Browser, count: usize) {
    for number in 0..count {
        admin.create_key(&format!("Service {number:03}"));
        server.advance(Duration::from_secs(1));
    }
}

fn list(admin: &Browser, query: &str) -> Html {
    admin.get(&format!("{API_KEYS}{query}")).expect(200).html()
}

fn link(page: &Html, rel: &str) -> String {
    page.attribute(&format!("a[rel={rel}]"), "href")
}

#[test]
fn each_empty_tab_has_a_text_of_its_own() {
    let server = TestServer::start();
    let admin = server.admin();
    let active = list(&admin, "");
    assert_eq!(active.text(".card h2"), "No API keys yet");
    assert!(active.has(".card a[href$='/new']"));
    assert!(!server.auditor().get(API_KEYS).html().has(".card a"));
    let revoked = list(&admin, "?tab=revoked");
    assert_eq!(revoked.text(".card h2"), "No revoked keys");
    assert!(revoked.text("title").starts_with("Revoked – API Keys – Company Settings – Brightwater"));
    let (id, _) = admin.create_key("ERP Sync");
    admin.revoke(&id, "unspecified", "").expect(303);
    assert_eq!(list(&admin, "").counters(), ["Active Keys 0 keys", "Revoked Keys 1 key"]);
    assert_eq!(list(&admin, "?tab=revoked").key_names(), ["ERP Sync"]);
}

#[test]
fn pages_of_fifty_lead_both_ways_without_losing_a_key() {
    let server = TestServer::start();
    let admin = server.admin();
    many(&server, &admin, 103);
    for (sort, reversed) in [("", true), ("?sort=created", false), ("?sort=name", false), ("?sort=-name", true)] {
        let first = list(&admin, sort);
        assert!(first.text("main").contains("1–50 of 103 active keys"));
        assert!(!first.has("a[rel=prev]"));
        let second = admin.get(&link(&first, "next")).expect(200).html();
        assert!(second.text("main").contains("51–100 of 103 active keys"));
        let third = admin.get(&link(&second, "next")).expect(200).html();
        assert!(third.text("main").contains("101–103 of 103 active keys"));
        assert!(!third.has("a[rel=next]"));
        let mut names = [first.key_names(), second.key_names(), third.key_names()].concat();
        if reversed {
            names.reverse();
        }
        let expected: Vec<String> = (0..103).map(|number| format!("Service {number:03}")).collect();
        assert_eq!(names, expected, "{sort}");
        let back = admin.get(&link(&third, "prev")).expect(200).html();
        assert_eq!(back.key_names(), second.key_names());
        let start = admin.get(&link(&back, "prev")).expect(200).html();
        assert_eq!(start.key_names(), first.key_names());
        assert!(!start.has("a[rel=prev]"));
    }
}

#[test]
fn a_list_beyond_the_limit_of_inline_reads_is_complete() {
    let server = TestServer::start();
    let admin = server.admin();
    let (oldest, _) = admin.create_key("ERP Sync");
    copy_keys(&server, 20_001);
    server.advance(Duration::from_secs(1));
    let first = list(&admin, "");
    assert_eq!(first.counters()[0], "Active Keys 20,002 keys");
    assert!(first.text("main").contains("1–50 of 20,002 active keys"));
    assert_eq!(first.key_names()[..2], ["Copy 20001", "Copy 20000"]);
    assert_eq!(first.key_names().len(), 50);
    assert_eq!(list(&admin, "?sort=created").key_names()[..2], ["ERP Sync", "Copy 1"]);
    admin.revoke(&oldest, "unspecified", "").expect(303);
    assert_eq!(list(&admin, "?tab=revoked").counters(), ["Active Keys 20,001 keys", "Revoked Keys 1 key"]);
}

#[test]
fn going_back_after_new_keys_shows_a_full_first_page() {
    let server = TestServer::start();
    let admin = server.admin();
    many(&server, &admin, 60);
    let second = admin.get(&link(&list(&admin, ""), "next")).html();
    let (id, _) = admin.create_key("Newest");
    let back = admin.get(&link(&second, "prev")).html();
    assert_eq!(back.key_names().len(), 50);
    admin.revoke(&id, "unspecified", "");
}

#[test]
fn keys_are_found_by_name_or_preview_in_any_case() {
    let server = TestServer::start();
    let admin = server.admin();
    let (_, key) = admin.create_key("ERP Sync Ünïcode");
    let (old, _) = admin.create_key("Legacy 100% _done_");
    admin.create_key("Reporting");
    admin.revoke(&old, "unspecified", "");
    let found = |q: &str| {
        let page = admin.request("GET", API_KEYS).query(&[("q", q)]);
        crate::support::browser::send(page).expect(200).html()
    };
    for q in
        ["erp", "SYNC  üNÏ", "  sync ", &key[4..8], &format!("{}…{}", &key[..8], &key[38..]), &key[38..].to_lowercase()]
    {
        assert_eq!(found(q).key_names(), ["ERP Sync Ünïcode"], "{q}");
    }
    let without_match = found("legacy");
    assert!(without_match.key_names().is_empty());
    assert!(without_match.text(".card").contains("No active keys match “legacy”."));
    assert!(without_match.text(".card").contains("1 revoked key matches."));
    let other = without_match.attribute(".card a[href*='tab=revoked']", "href");
    assert_eq!(admin.get(&other).html().key_names(), ["Legacy 100% _done_"]);
    for wildcard in ["%", "\\", "100%_", "_done_"] {
        assert!(!found(wildcard).key_names().iter().any(|name| name == "Reporting"), "{wildcard}");
    }
    assert!(found("no\0thing").key_names().is_empty());
    assert!(found(&"a".repeat(60_000)).key_names().is_empty());
    assert_eq!(found("").key_names().len(), 2);
}

#[test]
fn a_search_stays_in_its_company() {
    let server = TestServer::start();
    server.other_company_admin().create_key("Secret project");
    let admin = server.admin();
    assert!(list(&admin, "?q=secret").key_names().is_empty());
    assert!(list(&admin, "").key_names().is_empty());
}

#[test]
fn a_key_pasted_into_the_search_finds_and_shows_nothing() {
    let server = TestServer::start();
    let admin = server.admin();
    let (_, key) = admin.create_key("ERP Sync");
    admin.create_key("Odd\u{FFFF}name");
    for pasted in [key.clone(), format!("Bearer {key}"), key[..30].to_owned()] {
        let encoded = pasted.replace(' ', "+");
        let answer = admin.get(&format!("{API_KEYS}?q={encoded}")).expect(200);
        assert!(answer.html().text(".card").contains("You pasted a complete key."));
        assert!(!answer.body.contains(&key[10..30]));
        let signed_out = server.anonymous().get(&format!("{API_KEYS}?q={encoded}")).expect(303);
        assert!(!signed_out.header("location").contains(&key[10..30]));
        let in_the_path = server.anonymous().get(&format!("{API_KEYS}/{encoded}/revoke")).expect(303);
        assert!(!in_the_path.header("location").contains(&key[10..30]));
    }
}

#[test]
fn invalid_query_parameters_are_not_found() {
    let server = TestServer::start();
    let admin = server.admin();
    for query in [
        "?tab=deleted",
        "?tab=",
        "?sort=size",
        "?sort=revoked",
        "?cursor=",
        "?cursor=nonsense",
        "?audit=closed",
        "?audit=open&audit_cursor=x",
    ] {
        admin.get(&format!("{API_KEYS}{query}")).expect(404);
    }
    admin.get(&format!("{API_KEYS}?unknown=1")).expect(200);
    admin.get(&format!("{API_KEYS}?tab=active&tab=revoked")).expect(400);
    admin.get(&format!("{API_KEYS}?q=%FF")).expect(400);
    admin.get(&format!("{API_KEYS}?tab=revoked&sort=revoked")).expect(200);
}

#[test]
fn a_cursor_is_valid_only_for_its_sort_order() {
    let server = TestServer::start();
    let admin = server.admin();
    many(&server, &admin, 51);
    let next = link(&list(&admin, "?sort=name"), "next");
    admin.get(&next).expect(200);
    admin.get(&next.replace("sort=name", "sort=created")).expect(404);
}

#[test]
fn times_are_shown_in_the_zone_of_the_cookie() {
    let server = TestServer::start();
    let admin = server.admin();
    server.clock.set(keydesk::domain::timestamp::Timestamp::from_micros(1_795_476_600_000_000));
    admin.get(API_KEYS).expect(303);
    let admin = server.admin();
    admin.create_key("ERP Sync");
    assert!(list(&admin, "").text("main").contains("Times in UTC"));
    let url = server.url("/").parse().unwrap();
    admin.cookies.add_cookie_str("tz=Europe/Oslo", &url);
    let page = list(&admin, "");
    assert!(page.text("main").contains("Times in Oslo time (UTC+01:00)"));
    assert_eq!(page.text("tr[data-key-id] time"), "24 Nov 2026");
    assert_eq!(page.attribute("tr[data-key-id] time", "datetime"), "2026-11-23T23:30:00Z");
    admin.cookies.add_cookie_str("tz=Mars/Olympus", &url);
    assert!(list(&admin, "").text("main").contains("Times in UTC"));
}
