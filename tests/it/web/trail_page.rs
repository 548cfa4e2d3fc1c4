//! The Audit Trail page: events, filters, paging and the event dialog.

use std::time::Duration;

use crate::support::history::Events;
use crate::support::{API_KEYS, AUDIT_TRAIL, Browser, Html, TestServer, USERS, browser, database};

fn actions(page: &Html) -> Vec<String> {
    page.all("tr[data-event-id]").iter().map(|row| row.attr("data-action").unwrap().to_owned()).collect()
}

pub(super) fn events(browser: &Browser, query: &str) -> Vec<String> {
    actions(&browser.get(&format!("{AUDIT_TRAIL}{query}")).expect(200).html())
}

fn sequences(browser: &Browser, page: &Html) -> Vec<i64> {
    let links = page.all("tr[data-event-id] th a");
    let href = |place: usize| links[place].attr("href").unwrap().to_owned();
    let number = |place: usize| {
        let detail = browser.get(&href(place)).expect(200).html().text("dialog");
        detail.split("Event ").last().unwrap().split_whitespace().next().unwrap().parse().unwrap()
    };
    [0, links.len() - 1].into_iter().map(number).collect()
}

#[test]
fn admins_and_auditors_see_every_event_newest_first() {
    let server = TestServer::start();
    let (admin, auditor) = (server.admin(), server.auditor());
    let (id, key) = admin.create_key("ERP Sync");
    admin.revoke(&id, "compromised", "Leaked.").expect(303);
    for browser in [admin, auditor] {
        let page = browser.get(AUDIT_TRAIL).expect(200).html();
        assert_eq!(
            actions(&page),
            [
                "api_key.revoked",
                "api_key.created",
                "user.signed_in",
                "user.added",
                "user.signed_in",
                "user.added",
                "company.created"
            ]
        );
        let row = browser::words(&page.all("tr[data-event-id]")[0]);
        let preview = format!("{}…{}", &key[..8], &key[38..]);
        for part in ["23 Nov 2026, 09:00:00", "Maria Lindqvist", "revoked ERP Sync", &preview, "127.0.0.1"] {
            assert!(row.contains(part), "{part}: {row}");
        }
        assert_eq!(page.all("tr[data-event-id]")[0].attr("data-key-id"), Some(id.as_str()));
        assert_eq!(page.text("title"), "Audit Trail – Company Settings – Brightwater");
        assert_eq!(page.text(".rail [aria-current=page]"), "Audit Trail");
        assert!(page.text(".list-foot").contains("7 events") && page.text(".list-foot").contains("Times in UTC"));
    }
}

#[test]
fn filters_combine_and_stay_in_the_form_and_links() {
    let server = TestServer::start();
    let admin = server.admin();
    let (first, _) = admin.create_key("ERP Sync");
    server.advance(Duration::from_hours(48));
    let admin = server.admin();
    admin.create_key("Reporting");
    admin.revoke(&first, "superseded", "").expect(303);
    let (auditor, maria) = (server.auditor(), server.user("maria@brightwater.example").id);
    assert_eq!(events(&auditor, "?action=api_key.created&action=api_key.revoked").len(), 3);
    assert_eq!(events(&auditor, &format!("?key={first}")), ["api_key.revoked", "api_key.created"]);
    assert_eq!(events(&auditor, &format!("?key={first}&from=2026-11-25")), ["api_key.revoked"]);
    assert_eq!(events(&auditor, "?to=2026-11-23&action=user.signed_in").len(), 1);
    assert_eq!(events(&auditor, &format!("?user={maria}&from=2026-11-24&action=")).len(), 3);
    let query = format!(
        "?from=2026-11-25&to=2026-11-25&user={maria}&action=api_key.created&action=api_key.revoked&key={first}"
    );
    let page = auditor.get(&format!("{AUDIT_TRAIL}{query}")).expect(200).html();
    assert_eq!(actions(&page), ["api_key.revoked"]);
    assert_eq!(
        (page.attribute("#from", "value"), page.attribute("#to", "value")),
        ("2026-11-25".into(), "2026-11-25".into())
    );
    assert_eq!(page.text("#user [selected]"), "Maria Lindqvist");
    assert_eq!(page.all("input[name=action][checked]").len(), 2);
    assert_eq!(page.attribute(".filters input[name=key]", "value"), first);
    assert_eq!(page.text(".several summary"), "Action: 2 actions");
    assert_eq!(page.all(".filtered-key a")[0].attr("href").unwrap(), format!("{API_KEYS}/{first}"));
    let show_all = page.all(".filtered-key a")[1].attr("href").unwrap().to_owned();
    assert!(!show_all.contains("key=") && show_all.contains("action=api_key.created"), "{show_all}");
}

#[test]
fn days_follow_the_zone_of_the_reader_across_clock_changes() {
    let server = TestServer::start();
    let company = server.company("Brightwater");
    // 25 October 2026 has 25 hours in Oslo: from 22:00 UTC the day before to 23:00 UTC.
    let at = "CASE n WHEN 1 THEN 1792879199999999 WHEN 2 THEN 1792879200000000 WHEN 3 THEN 1792969199999999 ELSE 1792969200000000 END";
    let action = "CASE n WHEN 1 THEN 'user.unlocked' WHEN 2 THEN 'user.invited' WHEN 3 THEN 'user.added' ELSE 'user.deleted' END";
    Events { at, action, ..Events::plain(4) }.append(&server, company);
    let admin = server.admin();
    admin.set_time_zone("Europe/Oslo");
    assert_eq!(events(&admin, "?from=2026-10-25&to=2026-10-25"), ["user.added", "user.invited"]);
    admin.set_time_zone("UTC");
    assert_eq!(events(&admin, "?from=2026-10-25&to=2026-10-25").len(), 2);
}

#[test]
fn invalid_dates_come_back_with_an_error() {
    let server = TestServer::start();
    let admin = server.admin();
    let before = server.trail("Brightwater").len();
    for (query, field, sentence) in [
        ("?from=23.11.2026&action=user.added", "from", "Enter a date as YYYY-MM-DD"),
        ("?to=2026-02-30", "to", "Enter a date as YYYY-MM-DD"),
        ("?from=2026-11-23&to=2026-11-22", "to", "on or after the start date"),
    ] {
        for path in [AUDIT_TRAIL, &format!("{AUDIT_TRAIL}/export.csv")] {
            let page = admin.get(&format!("{path}{query}")).expect(422).html();
            assert!(page.text(&format!("#{field}-error")).contains(sentence), "{query}");
            let typed = query.split(&format!("{field}=")).nth(1).unwrap().split('&').next().unwrap();
            assert_eq!(page.attribute(&format!("#{field}"), "value"), typed);
            assert_eq!(page.attribute(&format!("#{field}"), "aria-invalid"), "true");
            // A date field of a browser would drop an invalid value.
            let kind = if sentence.starts_with("Enter") { "text" } else { "date" };
            assert_eq!(page.attribute(&format!("#{field}"), "type"), kind);
            assert!(page.text("title").starts_with("Error: ") && actions(&page).is_empty());
            // The error is below the row of fields, which stays where it is, and the exports keep their place.
            assert!(!page.has(".filters .field-error") && page.all(".page-actions a").len() == 3);
        }
    }
    assert_eq!(server.trail("Brightwater").len(), before, "no export was recorded");
}

#[test]
fn unknown_filter_values_are_not_found() {
    let server = TestServer::start();
    let admin = server.admin();
    let (foreign, _) = server.other_company_admin().create_key("Theirs");
    let ada = server.user("ada@northwind.example").id;
    let missing = "01940000-0000-7000-8000-000000000000";
    for query in [
        "?action=api_key.deleted",
        "?cursor=nonsense",
        &format!("?key={foreign}"),
        &format!("?key={missing}"),
        "?key=nonsense",
        &format!("?user={ada}"),
        &format!("?user={missing}"),
        "?user=nonsense",
        "?user=user",
        "?user=System",
        &format!("?user={ada}&from=nonsense"),
    ] {
        for path in [AUDIT_TRAIL, &format!("{AUDIT_TRAIL}/export.csv")] {
            if !query.contains("cursor") || path == AUDIT_TRAIL {
                admin.get(&format!("{path}{query}")).expect(404);
            }
        }
    }
    admin.get(&format!("{AUDIT_TRAIL}?user=&key=&from=&to=&action=&whatever=1")).expect(200);
    admin.get(&format!("{AUDIT_TRAIL}?key=a&key=b")).expect(400);
}

#[test]
fn events_can_be_filtered_by_a_deleted_user() {
    let server = TestServer::start();
    let (admin, auditor) = (server.admin(), server.auditor());
    auditor.get(&format!("{AUDIT_TRAIL}/export.csv")).expect(200);
    let id = server.user("jonas@brightwater.example").id;
    admin.post(&format!("{USERS}/{id}/delete"), &[]).expect(303);
    let page = admin.get(&format!("{AUDIT_TRAIL}?user={id}")).expect(200).html();
    assert_eq!(actions(&page), ["audit_trail.exported", "user.signed_in"]);
    assert_eq!(page.text("#user [selected]"), "Deleted user, 23 Nov 2026");
    assert_eq!(page.text("#user optgroup[label='Deleted users']"), "Deleted user, 23 Nov 2026");
    assert!(page.texts("tr[data-event-id] .gone").iter().all(|name| name == "Deleted user"));
    assert!(!admin.get(AUDIT_TRAIL).body.contains("Jonas"));
}

#[test]
fn a_user_beyond_the_filter_list_is_not_shown_as_deleted() {
    let server = TestServer::start();
    let (company, maria) = (server.company("Brightwater"), server.user("maria@brightwater.example").id);
    let person =
        |n: u32| format!("('01940000-0000-7000-8000-{n:012}', '{company}', 'auditor', 'A{n}', 'a{n}', 'a{n}', 0)");
    let people: Vec<String> = (0..1_000).map(person).collect();
    let columns = "id, company_id, role, name, email, email_folded, created_at";
    database::tamper(&server.database_url, &format!("INSERT INTO users ({columns}) VALUES {}", people.join(", ")));
    let page = server.admin().get(&format!("{AUDIT_TRAIL}?user={maria}")).expect(200).html();
    assert_eq!(page.text("#user [selected]"), "Maria Lindqvist");
    assert_eq!(actions(&page), ["user.signed_in"]);
}

#[test]
fn filters_without_matches_offer_to_clear_them() {
    let server = TestServer::start();
    let page = server.admin().get(&format!("{AUDIT_TRAIL}?action=company.changed")).expect(200).html();
    assert!(page.text(".empty").contains("No events match these filters"));
    assert_eq!(page.attribute(".empty a", "href"), AUDIT_TRAIL);
}

#[test]
fn ten_thousand_events_are_paged_both_ways() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    let (key, company) = (format!("'{id}'"), server.company("Brightwater"));
    Events { action: "'api_key.handed_over'", key: &key, ..Events::plain(10_000) }.append(&server, company);
    for query in ["", &format!("?key={id}"), "?action=api_key.handed_over&action=user.signed_in", "?from=2026-11-20"] {
        let newest = admin.get(&format!("{AUDIT_TRAIL}{query}")).expect(200).html();
        assert!(!newest.has("[rel=prev]"));
        let second = admin.get(&newest.attribute("[rel=next]", "href")).expect(200).html();
        let third = admin.get(&second.attribute("[rel=next]", "href")).expect(200).html();
        assert_eq!(sequences(&admin, &third), [9_904, 9_855], "{query}");
        let back = admin.get(&third.attribute("[rel=prev]", "href")).expect(200).html();
        assert_eq!(sequences(&admin, &back), sequences(&admin, &second), "{query}");
        let first = admin.get(&back.attribute("[rel=prev]", "href")).expect(200).html();
        assert!(!first.has("[rel=prev]"));
        assert_eq!(sequences(&admin, &first), [10_004, 9_955], "{query}");
    }
    let last = format!("{AUDIT_TRAIL}?cursor={}", cursor_before(10));
    let last = admin.get(&last).expect(200).html();
    assert_eq!((actions(&last).len(), last.has("[rel=next]")), (9, false));
}

/// The cursor of the page with the events before this sequence number.
fn cursor_before(sequence: i64) -> String {
    use base64::Engine;
    base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(format!("b{sequence}"))
}

#[test]
fn the_event_dialog_shows_before_and_after() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.set_time_zone("Europe/Oslo");
    let (id, _) = admin.create_key("ERP Sync");
    let maria = server.user("maria@brightwater.example").id.to_string();
    admin.save(&format!("{API_KEYS}/{id}/edit"), &[("name", "ERP Sync Service"), ("owner", &maria)]).expect(303);
    let list = admin.get(&format!("{AUDIT_TRAIL}?action=api_key.renamed&from=2026-11-01")).expect(200).html();
    let href = list.attribute("tr[data-event-id] th a", "href");
    let page = admin.get(&href).expect(200).html();
    assert!(page.has(".page[inert]") && page.has("dialog[open]"));
    let dialog = page.text("dialog");
    for part in [
        "Maria Lindqvist renamed ERP Sync to ERP Sync Service",
        "23 Nov 2026, 10:00:00, Oslo time (UTC+01:00)",
        "2026-11-23T09:00:00.000000Z",
        "127.0.0.1",
        "Event 5 of the trail",
        "Name ERP Sync ERP Sync Service",
    ] {
        assert!(dialog.contains(part), "{part}: {dialog}");
    }
    let back = format!("{AUDIT_TRAIL}?from=2026-11-01&action=api_key.renamed");
    assert_eq!((page.attribute("a.backdrop", "href"), page.attribute(".drawer-head a", "href")), (back.clone(), back));
    assert!(page.text("title").starts_with("Event 5 – Audit Trail – "));
    let created = admin.get(AUDIT_TRAIL).html();
    let created = created.all("tr[data-action='api_key.created'] th a")[0].attr("href").unwrap().to_owned();
    let dialog = admin.get(&created).expect(200).html().text("dialog");
    assert!(!dialog.contains('{') && dialog.contains("State –None Active"), "{dialog}");
}
