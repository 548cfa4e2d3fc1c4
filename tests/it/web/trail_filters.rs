//! The Audit Trail page: actors, presets, the total, and the ways from one event to the next.

use std::time::Duration;

use super::trail_page::events;
use crate::support::history::Events;
use crate::support::{AUDIT_TRAIL, TestServer, browser};

#[test]
fn events_can_be_filtered_by_actors_that_are_not_users() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let revocation = server.anonymous().request("POST", "/v1/revoke").form(&[("token", &key)]);
    browser::send(revocation).expect(200);
    let (expiring, _) = admin.create_key_for("Reporting", "2026-11-24");
    server.advance(Duration::from_hours(72));
    server.actions.record_ended_keys().unwrap();
    let admin = server.admin();
    let of = |word: &str| events(&admin, &format!("?user={word}"));
    assert_eq!(of("key_holder"), ["api_key.revoked"]);
    assert_eq!(of("system"), ["api_key.expired"]);
    assert_eq!(events(&admin, "?user=system&action=user.added"), [""; 0]);
    assert!(of("command_line").iter().all(|action| action.starts_with("user.") || action == "company.created"));
    assert_eq!(events(&admin, &format!("?user=key_holder&key={id}")), ["api_key.revoked"]);
    assert_eq!(events(&admin, &format!("?user=system&key={expiring}")), ["api_key.expired"]);
    assert_eq!(admin.get(&format!("{AUDIT_TRAIL}?user=system")).html().text("#user [selected]"), "Keydesk");
    let exported = admin.get(&format!("{AUDIT_TRAIL}/export.csv?user=command_line")).expect(200);
    assert!(
        exported.body.contains(",command_line,,Command line,") && !exported.body.contains("Maria Lindqvist,goa_"),
        "{}",
        exported.body
    );
    let (_, after) = server.trail("Brightwater").pop().unwrap();
    assert_eq!(after, r#"{"format":"csv","user":"command_line"}"#);
}

#[test]
fn presets_are_links_in_the_zone_of_the_page() {
    let server = TestServer::start();
    let hrefs = |zone: &str| {
        let admin = server.admin();
        admin.set_time_zone(zone);
        let page = admin.get(&format!("{AUDIT_TRAIL}?action=user.added")).expect(200).html();
        let links = page.all(".presets a").into_iter().map(|link| link.attr("href").unwrap().to_owned());
        links.collect::<Vec<_>>()
    };
    let query = |from: &str, to: &str| format!("{AUDIT_TRAIL}?from={from}&to={to}&action=user.added");
    let [today, week, month, quarter, clear] = &hrefs("UTC")[..] else { panic!("four presets, and a link to clear") };
    assert_eq!(*today, query("2026-11-23", "2026-11-23"));
    assert_eq!(*week, query("2026-11-17", "2026-11-23"));
    assert_eq!(*month, query("2026-10-25", "2026-11-23"));
    assert_eq!(*quarter, query("2026-10-01", "2026-11-23"));
    assert_eq!(clear, AUDIT_TRAIL);
    server.advance(Duration::from_hours(7));
    assert_eq!(hrefs("Asia/Tokyo")[0], query("2026-11-24", "2026-11-24"));
    let week = hrefs("Asia/Tokyo")[1].clone();
    let admin = server.admin();
    admin.set_time_zone("Asia/Tokyo");
    let page = admin.get(&week).expect(200).html();
    assert_eq!(page.texts(".presets [aria-current]"), ["7 days"]);
}

#[test]
fn the_total_of_matching_events_is_counted_up_to_a_limit() {
    let server = TestServer::start();
    let admin = server.admin();
    let company = server.company("Brightwater");
    Events { action: "'user.unlocked'", ..Events::plain(1_100) }.append(&server, company);
    let summary =
        |query: &str| admin.get(&format!("{AUDIT_TRAIL}{query}")).expect(200).html().texts(".list-foot p")[0].clone();
    assert_eq!(summary(""), format!("50 of {} events", with_thousands(server.trail("Brightwater").len())));
    assert_eq!(summary("?action=user.unlocked"), "50 of more than 1,000 events");
    assert_eq!(summary("?action=company.created"), "1 event");
    assert_eq!(summary("?action=user.added"), "1 event");
}

fn with_thousands(count: usize) -> String {
    assert!((1_000..10_000).contains(&count));
    format!("{},{:03}", count / 1_000, count % 1_000)
}

#[test]
fn previews_filter_by_key_whether_filtered_or_not() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    for query in [String::new(), format!("?key={id}"), "?action=api_key.created".to_owned()] {
        let page = admin.get(&format!("{AUDIT_TRAIL}{query}")).expect(200).html();
        let row = format!("tr[data-key-id='{id}'] td a");
        assert!(page.attribute(&row, "href").ends_with(&format!("key={id}")), "{query}");
        assert!(page.attribute(&row, "aria-label").starts_with("Filter by key goa_"), "{query}");
    }
}

#[test]
fn a_revocation_shows_its_reason_in_the_sentence() {
    let server = TestServer::start();
    let admin = server.admin();
    let (first, _) = admin.create_key("ERP Sync");
    let (second, _) = admin.create_key("Reporting");
    admin.revoke(&first, "no-longer-used", "").expect(303);
    admin.revoke(&second, "unspecified", "").expect(303);
    let page = admin.get(&format!("{AUDIT_TRAIL}?action=api_key.revoked")).expect(200).html();
    let sentences = page.texts("tr[data-event-id] th");
    assert_eq!(sentences, ["revoked Reporting", "revoked ERP Sync (No longer used)"]);
}

#[test]
fn the_event_drawer_leads_to_its_neighbours() {
    let server = TestServer::start();
    let admin = server.admin();
    let company = server.company("Brightwater");
    Events { action: "'user.unlocked'", ..Events::plain(60) }.append(&server, company);
    let list = admin.get(&format!("{AUDIT_TRAIL}?action=user.unlocked")).expect(200).html();
    let rows: Vec<_> =
        list.all("tr[data-event-id] th a").iter().map(|link| link.attr("href").unwrap().to_owned()).collect();
    let neighbours = |href: &str| {
        let page = admin.get(href).expect(200).html();
        let links = page.all(".drawer-foot a").into_iter();
        links.map(|link| (browser::words(&link), link.attr("href").unwrap().to_owned())).collect::<Vec<_>>()
    };
    let (newer, older) = ("Newer event".to_owned(), "Older event".to_owned());
    assert_eq!(neighbours(&rows[0]), [(older.clone(), rows[1].clone())]);
    assert_eq!(neighbours(&rows[1]), [(newer, rows[0].clone()), (older, rows[2].clone())]);
    // At the end of a page, the page behind the drawer changes.
    let (_, next) = neighbours(&rows[49]).pop().unwrap();
    assert!(next.contains("action=user.unlocked&cursor="), "{next}");
    let page = admin.get(&next).expect(200).html();
    let id = page.attribute("dialog [data-event-id]", "data-event-id");
    assert_eq!(page.all("tr[data-event-id]")[0].attr("data-event-id"), Some(id.as_str()));
}
