//! Keys with an expiry: requested at creation, exact to the microsecond, in every time zone.

use std::time::Duration;

use crate::support::server::NOW;
use crate::support::{API_KEYS, TestServer, database};

const MICRO: Duration = Duration::from_micros(1);
const DAY: Duration = Duration::from_hours(24);

fn expires_at(server: &TestServer, id: &str) -> String {
    let rest = format!("FROM api_keys WHERE id = '{id}'");
    database::column(&server.database_url, "expires_at", &rest).remove(0).unwrap_or_default()
}

fn micros(rfc3339: &str) -> i64 {
    let format = &time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::parse(rfc3339, format).unwrap().unix_timestamp() * 1_000_000
}

fn whoami_expiry(server: &TestServer, key: &str) -> serde_json::Value {
    let body = server.anonymous().bearer("/v1/whoami", key).expect(200).body;
    serde_json::from_str::<serde_json::Value>(&body).unwrap()["expires_at"].clone()
}

#[test]
fn every_requested_expiry_is_kept_to_the_second() {
    let server = TestServer::start();
    let admin = server.admin();
    for (expires, on, end) in [
        ("none", "2027-01-01", None),
        ("", "", None),
        ("30d", "", Some("2026-12-23T09:00:00Z")),
        ("90d", "", Some("2027-02-21T09:00:00Z")),
        ("180d", "", Some("2027-05-22T09:00:00Z")),
        ("365d", "", Some("2027-11-23T09:00:00Z")),
        ("2026-11-23", "", Some("2026-11-23T23:59:59Z")),
        ("date", "2026-11-24", Some("2026-11-24T23:59:59Z")),
        ("date", "2028-02-29", Some("2028-02-29T23:59:59Z")),
        ("2036-11-22", "", Some("2036-11-22T23:59:59Z")),
    ] {
        let fields = [("expires", expires), ("expires_on", on)];
        let (id, key) = admin.add_key_with(&format!("{expires} {on} x"), &fields).shown_key();
        assert_eq!(whoami_expiry(&server, &key).as_str(), end, "{expires} {on}");
        let last_micro = if expires.ends_with('d') { 0 } else { 999_999 };
        let stored = end.map(|end| (micros(end) + last_micro).to_string()).unwrap_or_default();
        assert_eq!(expires_at(&server, &id), stored);
        let event = server.last_event(&id, "after_json");
        assert_eq!(event.contains(&format!(r#""expires_at":{stored}"#)), end.is_some(), "{event}");
    }
}

#[test]
fn a_key_works_until_the_microsecond_before_its_end() {
    let server = TestServer::start();
    let admin = server.admin();
    let key = admin.create_key_for("ERP Sync", "30d");
    let lasting = admin.create_key("Lasting");
    let end = NOW + DAY * 30;
    for (now, state, counters) in [
        (end - MICRO, "active", ["Active Keys 2 keys", "Revoked Keys 0 keys"]),
        (end, "expired", ["Active Keys 1 key", "Revoked Keys 1 key"]),
        (end + MICRO, "expired", ["Active Keys 1 key", "Revoked Keys 1 key"]),
    ] {
        server.set_clock(now);
        assert_eq!([&key, &lasting].map(|key| server.state_of(&admin, key)), [state, "active"]);
        for tab in ["active", "revoked"] {
            assert_eq!(admin.tab(tab).counters(), counters);
        }
    }
    assert_eq!(server.event_count("api_key.expired"), 0, "the expiry does not depend on the event");
    let row = admin.tab("revoked").row(&key.0);
    assert_eq!(row.matches("Expired").count(), 2, "{row}");
    assert!(row.contains("23 Dec 2026"), "{row}");
    let page = admin.key_page(&key.0);
    let expiry = page.section("expiry");
    assert!(expiry.starts_with("Expiry Expired on 23 Dec 2026, 09:00."), "{expiry}");
    assert!(!page.has(&format!("a[href='{API_KEYS}/{}/revoke']", key.0)));
    assert!(page.has(&format!("a[href='{API_KEYS}/{}/rotate']", key.0)));
    let already = admin.revoke(&key.0, "compromised", "").expect(303);
    let text = admin.get(already.header("location")).html().text(".banner p");
    assert_eq!(text, "ERP Sync expired on 23 Dec 2026. Requests that use it are already rejected.");
    assert_eq!(server.history(&key.0), ["api_key.created"]);
}

#[test]
fn an_expiry_is_recorded_once_under_concurrency() {
    let server = TestServer::start();
    let admin = server.admin();
    let key = admin.create_key_for("ERP Sync", "30d");
    let revoked = admin.create_key_for("Revoked", "30d");
    admin.revoke(&revoked.0, "unspecified", "").expect(303);
    let end = NOW + DAY * 30;
    server.set_clock(end - MICRO);
    server.actions.record_ended_keys().unwrap();
    assert_eq!(server.event_count("api_key.expired"), 0);
    server.set_clock(end + DAY);
    let other = server.second_server();
    std::thread::scope(|scope| {
        for actions in [&server.actions, &other.actions, &server.actions, &other.actions] {
            scope.spawn(|| actions.record_ended_keys().unwrap());
        }
    });
    assert_eq!(server.history(&key.0), ["api_key.created", "api_key.expired"]);
    assert_eq!(server.history(&revoked.0), ["api_key.created", "api_key.revoked unspecified"]);
    assert_eq!(server.last_event(&key.0, "actor_type"), "system");
    let after = format!(r#"{{"ended_at":{},"name":"ERP Sync","state":"expired"}}"#, end.as_micros());
    assert_eq!(server.last_event(&key.0, "after_json"), after);
    let event = admin.key_page(&key.0).text("[data-action='api_key.expired']");
    assert!(event.contains("ERP Sync expired"), "{event}");
    assert!(event.contains("expired on 23 Dec 2026"), "it was noticed later: {event}");
    assert_eq!(server.state_of(&admin, &key), "expired");
    server.actions.record_ended_keys().unwrap();
    assert_eq!(server.history(&key.0).len(), 2);
}

#[test]
fn a_recorded_expiry_holds_when_the_clock_goes_back() {
    let server = TestServer::start();
    let admin = server.admin();
    let expired = admin.create_key_for("ERP Sync", "30d");
    let replaced = admin.create_key("Reporting");
    admin.rotate(&replaced.0, "30d").expect(201);
    let unrecorded = admin.create_key_for("Nightly", "90d");
    let keys = [&expired, &replaced, &unrecorded];
    let states = || keys.map(|key| server.state_of(&admin, key));
    assert_eq!(states(), ["active", "active", "active"]);
    server.set_clock(NOW + DAY * 30);
    server.actions.record_ended_keys().unwrap();
    server.set_clock(NOW + DAY * 90);
    assert_eq!(states(), ["expired", "revoked", "expired"]);
    for now in [NOW, NOW - DAY * 400, NOW + DAY * 31] {
        server.set_clock(now);
        let admin = server.admin();
        assert_eq!(keys.map(|key| server.state_of(&admin, key)), ["expired", "revoked", "active"]);
        assert_eq!(admin.tab("active").counters(), ["Active Keys 2 keys", "Revoked Keys 2 keys"]);
        assert!(admin.tab("revoked").row(&expired.0).contains("Expired"));
        admin.change_overlap(&expired.0, "7d").expect(409);
    }
    server.actions.record_ended_keys().unwrap();
    assert_eq!(server.history(&expired.0), ["api_key.created", "api_key.expired"]);
}

#[test]
fn a_day_ends_in_the_zone_of_the_user_across_clock_changes() {
    let server = TestServer::start();
    let admin = server.admin();
    let mut number = 0;
    let mut end_of = |date: &str| {
        number += 1;
        let (id, _) = admin.create_key_for(&format!("Service {number}"), date);
        expires_at(&server, &id).parse::<i64>().unwrap() + 1
    };
    for (zone, date, next_day) in [
        ("Europe/Oslo", "2027-03-27", "2027-03-27T23:00:00Z"),
        ("Europe/Oslo", "2027-03-28", "2027-03-28T22:00:00Z"),
        ("Europe/Oslo", "2027-10-30", "2027-10-30T22:00:00Z"),
        ("Europe/Oslo", "2027-10-31", "2027-10-31T23:00:00Z"),
        ("America/New_York", "2026-12-31", "2027-01-01T05:00:00Z"),
        ("Pacific/Kiritimati", "2026-12-31", "2026-12-31T10:00:00Z"),
        ("Africa/Cairo", "2027-04-29", "2027-04-29T22:00:00Z"),
        ("Africa/Cairo", "2027-04-30", "2027-04-30T21:00:00Z"),
        ("Europe/Atlantis", "2026-12-31", "2027-01-01T00:00:00Z"),
    ] {
        admin.set_time_zone(zone);
        assert_eq!(end_of(date), micros(next_day), "{date} in {zone}");
    }
    let fields = [("name", "Maria Lindqvist"), ("time_zone", "Asia/Tokyo"), ("theme", "system")];
    admin.save("/account", &fields).expect(303);
    admin.set_time_zone("America/New_York");
    assert_eq!(end_of("2026-12-31"), micros("2026-12-31T15:00:00Z"), "the zone of the account takes precedence");
    // At 04:30 UTC on the 24th it is still the 23rd in New York, and already the 24th in Tokyo.
    server.set_clock(NOW + Duration::from_mins(19 * 60 + 30));
    let past = admin.add_key_with("Past", &[("expires", "2026-11-23")]).expect(422);
    assert!(past.body.contains("Choose a date in the future"));
    admin.save("/account", &[("name", "Maria Lindqvist"), ("time_zone", ""), ("theme", "system")]).expect(303);
    assert_eq!(end_of("2026-11-23"), micros("2026-11-24T05:00:00Z"));
}

#[test]
fn an_invalid_expiry_is_refused_and_the_fields_are_kept() {
    let server = TestServer::start();
    let admin = server.admin();
    let (past, far) = ("Choose a date in the future", "Choose a date within the next 10 years");
    let (malformed, unknown) = ("Choose a date", "Choose when the key expires");
    for (date, sentence) in [
        ("2026-11-22", past),
        ("1970-01-01", past),
        ("0000-01-01", past),
        ("2036-11-24", far),
        ("9999-12-31", far),
        ("4294967297-01-01", malformed),
        ("2147483648-01-01", malformed),
        ("2027-02-29", malformed),
        ("2027-1-1", malformed),
        ("31.12.2026", malformed),
        ("2026-12-31T00:00", malformed),
        ("", malformed),
    ] {
        let directly = [("expires", date), ("expires_on", "")];
        let by_field = [("expires", "date"), ("expires_on", date)];
        for fields in [by_field, directly].into_iter().filter(|fields| !fields[0].1.is_empty()) {
            let answer = admin.add_key_with("ERP Sync", &fields).expect(422);
            let page = answer.html();
            assert_eq!(page.attribute("input[name=name]", "value"), "ERP Sync");
            assert_eq!(page.attribute("select[name=expires] option[selected]", "value"), "date", "{date}");
            assert_eq!(page.attribute("input[name=expires_on]", "value"), date);
            assert!(page.text("#expires_on-error").ends_with(sentence), "{date}: {}", page.text("#expires_on-error"));
            assert!(page.text("title").starts_with("Error: Add API Key"));
        }
    }
    for word in ["31d", "-30d", "never", "None", "99999999999d", "4294967326d", "\u{663}0d"] {
        let fields = [("expires", word), ("expires_on", "2027-01-01")];
        let page = admin.add_key_with("ERP Sync", &fields).expect(422).html();
        assert!(page.text("#expires-error").ends_with(unknown), "{word}");
        assert_eq!(page.attribute("input[name=expires_on]", "value"), "2027-01-01");
    }
    for fields in [[("expires", "90d"), ("expires_on", "")], [("expires", "2027-01-01"), ("expires_on", "")]] {
        let page = admin.add_key_with("", &fields).expect(422).html();
        let selected = page.attribute("select[name=expires] option[selected]", "value");
        let on = page.attribute("input[name=expires_on]", "value");
        assert!(
            selected == fields[0].1 || (selected.as_str(), on.as_str()) == ("date", fields[0].1),
            "{selected} {on}"
        );
    }
    assert_eq!(server.key_count(), 0);
}

#[test]
fn an_expiry_is_marked_two_weeks_before() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key_for("ERP Sync", "30d");
    for (left, text) in [
        (DAY * 14, "23 Dec 2026"),
        ((DAY * 14).saturating_sub(MICRO), "in 14 days"),
        (DAY * 9 + MICRO, "in 9 days"),
        (Duration::from_hours(47), "in 47 hours"),
        (MICRO, "in 1 minute"),
    ] {
        server.set_clock(NOW + DAY * 30 - left);
        let page = admin.tab("active");
        assert_eq!(page.text("td[data-label=Expires]"), text);
        assert_eq!(page.has("td[data-label=Expires] .soon"), left < DAY * 14);
        assert!(admin.key_page(&id).text(".key-facts").contains(text));
    }
}

#[test]
fn keys_are_sorted_by_expiry_across_pages_with_none_last() {
    let server = TestServer::start();
    let admin = server.admin();
    let expiries = ["none", "365d", "30d", "180d", "90d"];
    for number in 0..60 {
        admin.create_key_for(&format!("{number}"), expiries[number % expiries.len()]);
    }
    let (first, _) = admin.create_key("Ends first");
    admin.rotate(&first, "1h").expect(201);
    let all = |sort: &str| {
        let first = admin.get(&format!("{API_KEYS}?sort={sort}")).expect(200).html();
        let second = admin.get(&first.attribute("a[rel=next]", "href")).expect(200).html();
        let back = admin.get(&second.attribute("a[rel=prev]", "href")).expect(200).html();
        assert_eq!((first.key_names().len(), back.key_names()), (50, first.key_names()));
        let ids = |page: &crate::support::Html| -> Vec<String> {
            page.all("tr[data-key-id]").iter().map(|row| row.attr("data-key-id").unwrap().to_owned()).collect()
        };
        [ids(&first), ids(&second)].concat()
    };
    let mut by_end = all("expires");
    let rest = "FROM api_keys ORDER BY ended_at, id";
    let expected: Vec<_> = database::column(&server.database_url, "id", rest).into_iter().flatten().collect();
    assert_eq!((by_end.len(), &by_end), (62, &expected));
    assert_eq!(by_end[0], first);
    by_end.reverse();
    assert_eq!(all("-expires"), by_end);
    admin.get(&format!("{API_KEYS}?tab=revoked&sort=expires")).expect(404);
}

#[test]
fn a_new_key_with_an_expired_keys_name_joins_its_account() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key_for("ERP Sync", "30d");
    server.set_clock(NOW + DAY * 30 - MICRO);
    admin.add_key("erp sync").expect(422);
    server.set_clock(NOW + DAY * 30);
    let new = admin.create_key("erp sync");
    assert_eq!([&old, &new].map(|key| server.state_of(&admin, key)), ["expired", "active"]);
    assert_eq!(database::count(&server.database_url, "service_accounts", "TRUE"), 1);
    assert_eq!(admin.tab("active").key_names(), ["ERP Sync"]);
}
