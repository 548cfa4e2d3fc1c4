//! The policy for lifetimes of keys: default and maximum expiry, rotation period, and keys that violate it.

use std::time::Duration;

use crate::support::server::NOW;
use crate::support::{API_KEYS, Answer, Browser, TestServer};

const POLICY: &str = "/administration/company-settings/key-policy";
const DAY: Duration = Duration::from_hours(24);
const TOO_LONG: &str = "Your company allows keys to live up to 90 days. Choose an earlier date.";

fn save(admin: &Browser, default: &str, longest: &str, rotation: &str) -> Answer {
    let periods = [("default_expiry", default), ("maximum_lifetime", longest), ("rotation_period", rotation)];
    admin.save(POLICY, &[&[("company_name", "Brightwater")], &periods[..]].concat())
}

fn chosen(page: &crate::support::Html, field: &str) -> String {
    page.attribute(&format!("select[name={field}] option[selected]"), "value")
}

fn whoami_expiry(server: &TestServer, key: &str) -> String {
    let body = server.anonymous().bearer("/v1/whoami", key).expect(200).body;
    let whoami_expiry: serde_json::Value = serde_json::from_str(&body).unwrap();
    whoami_expiry["expires_at"].as_str().unwrap_or("never").to_owned()
}

#[test]
fn a_policy_is_saved_and_recorded_with_the_old_values() {
    let server = TestServer::start();
    let (admin, auditor) = (server.admin(), server.auditor());
    let done = save(&admin, "30", "90", "45").expect(303).header("location").to_owned();
    let page = admin.get(&done).expect(200).html();
    assert!(page.has(".banner.ok"));
    let fields = ["default_expiry", "maximum_lifetime", "rotation_period"];
    assert_eq!(fields.map(|field| chosen(&page, field)), ["30", "90", "45"]);
    let facts = auditor.get(POLICY).expect(200).html().text("dl.facts");
    for fact in ["Default expiry 30 days", "Maximum lifetime 90 days", "Rotation reminder 45 days"] {
        assert!(facts.contains(fact), "{facts}");
    }
    save(&auditor, "none", "none", "none").expect(403);
    save(&admin, "30", "90", "45").expect_redirect(POLICY);
    assert_eq!(server.event_count("company.changed"), 1);
    save(&admin, "none", "none", "").expect(303);
    let changes = "FROM events WHERE action = 'company.changed' ORDER BY sequence";
    let column = |column: &str| crate::support::database::column(&server.database_url, column, changes);
    let (before, after) = (column("before_json"), column("after_json"));
    let says = |event: &Option<String>, days: &str| event.as_deref().unwrap().contains(days);
    assert_eq!(before[1], after[0], "the new values of the first event are the old values of the second");
    assert!(["30", "90", "45"].iter().all(|days| says(&after[0], days)), "{after:?}");
    assert!(["30", "90", "45"].iter().all(|days| !says(&before[0], days) && !says(&after[1], days)), "{after:?}");
    assert_eq!(server.event_count("company.changed"), 2);
}

#[test]
fn an_invalid_period_is_refused_and_the_fields_are_kept() {
    let server = TestServer::start();
    let admin = server.admin();
    for wrong in ["0", "-1", "3651", "1.5", "soon", "99999999999", "4294967326"] {
        let fields = [("default_expiry", wrong), ("maximum_lifetime", "180"), ("rotation_period", wrong)];
        let typed = [&[("company_name", "Renamed"), ("require_second_factor", "yes")], &fields[..]].concat();
        let page = admin.save(POLICY, &typed).expect(422).html();
        assert!(page.text("title").starts_with("Error: Key Policy"));
        for field in ["default_expiry", "rotation_period"] {
            let error = page.text(&format!("#{field}-error"));
            assert!(error.ends_with("Enter 1 to 3,650 days, or choose no limit"), "{wrong}: {error}");
        }
        assert!(!page.has("#maximum_lifetime-error"));
        assert_eq!(chosen(&page, "maximum_lifetime"), "180");
        assert_eq!(page.attribute("input[name=company_name]", "value"), "Renamed");
        assert!(page.has("input[name=require_second_factor][checked]"));
    }
    assert_eq!(server.event_count("company.changed"), 0);
    save(&admin, "1", "3650", "3650").expect(303);
}

#[test]
fn the_default_expiry_applies_when_none_is_requested() {
    let server = TestServer::start();
    let admin = server.admin();
    save(&admin, "30", "none", "none").expect(303);
    let form = admin.get(&format!("{API_KEYS}/new")).html();
    assert_eq!(chosen(&form, "expires"), "30d");
    let (id, key) = admin.create_key("By default");
    assert_eq!(whoami_expiry(&server, &key), "2026-12-23T09:00:00Z");
    let new = admin.rotate(&id, "24h").shown_key();
    assert_eq!(whoami_expiry(&server, &new.1), "2026-12-23T09:00:00Z");
    assert_eq!(whoami_expiry(&server, &admin.create_key_for("For ever", "none").1), "never");
    save(&admin, "45", "none", "none").expect(303);
    assert_eq!(chosen(&admin.get(&format!("{API_KEYS}/new")).html(), "expires"), "", "none of the periods on offer");
    assert_eq!(whoami_expiry(&server, &admin.create_key("Of 45 days").1), "2027-01-07T09:00:00Z");
    save(&admin, "365", "90", "none").expect(303);
    assert_eq!(whoami_expiry(&server, &admin.create_key("Cut").1), "2027-02-21T09:00:00Z");
    save(&admin, "none", "90", "none").expect(303);
    assert_eq!(whoami_expiry(&server, &admin.create_key("Longest").1), "2027-02-21T09:00:00Z");
}

#[test]
fn a_longer_expiry_is_refused_and_existing_keys_are_listed() {
    let server = TestServer::start();
    let admin = server.admin();
    let lasting = admin.create_key("Lasting");
    admin.create_key("Archive");
    server.advance(Duration::from_micros(1));
    let year = admin.create_key_for("A year", "365d");
    let short = admin.create_key_for("Short", "90d");
    let ended = admin.create_key("Ended");
    server.clock.set(NOW);
    admin.revoke(&ended.0, "unspecified", "").expect(303);
    assert!(!admin.get(POLICY).html().has("#beyond"));
    save(&admin, "none", "90", "none").expect(303);
    for path in [format!("{API_KEYS}/new"), format!("{API_KEYS}/{}/rotate", lasting.0)] {
        let offered = admin.get(&path).expect(200).html();
        let values: Vec<_> =
            offered.all("select[name=expires] option").iter().map(|it| it.attr("value").unwrap()).collect();
        assert_eq!(values, ["30d", "90d", "date"], "{path}");
    }
    let keys = server.key_count();
    let submission = admin.rotation(&lasting.0);
    // A key may expire at the end of the last allowed day, but not on the next day.
    let too_long = [("none", ""), ("180d", ""), ("365d", ""), ("date", "2027-02-22"), ("2027-02-22", "")];
    for (expires, on) in too_long.into_iter().chain([("date", "2027-02-21")]) {
        let created = admin.add_key_with("Newer", &[("expires", expires), ("expires_on", on)]);
        let fields = [("expires", expires), ("expires_on", on), ("submission", submission.as_str())];
        let rotated = admin.post(&format!("{API_KEYS}/{}/rotate", lasting.0), &fields);
        let is_within = on == "2027-02-21";
        for answer in [created, rotated] {
            assert_eq!(answer.status, if is_within { 201 } else { 422 }, "{expires} {on}");
            assert_eq!(answer.body.contains(TOO_LONG), !is_within, "{expires} {on}");
        }
        assert_eq!(server.key_count(), if is_within { keys + 2 } else { keys });
    }
    // The key without an expiry has been rotated and ends with its overlap.
    let page = admin.get(POLICY).html();
    assert_eq!(page.texts("section[aria-labelledby=beyond] li bdi"), ["Archive", "A year"]);
    let text = page.text("section[aria-labelledby=beyond]");
    assert!(text.contains("2 active keys live longer than the policy allows. Their expiry does not change."), "{text}");
    assert!(text.contains("Expires 23 Nov 2027"), "{text}");
    assert_eq!([&year, &short].map(|key| server.state_of(&admin, key)), ["active"; 2]);
    assert_eq!(whoami_expiry(&server, &year.1), "2027-11-23T09:00:00Z");
    assert!(server.auditor().get(POLICY).html().has(&format!("#beyond ~ * a[href='{API_KEYS}/{}']", year.0)));
}

#[test]
fn keys_older_than_the_period_are_due_for_rotation() {
    let server = TestServer::start();
    let admin = server.admin();
    let names: Vec<String> = (0..22).map(|number| format!("Service {number:02}")).collect();
    let mut first = None;
    for name in &names {
        let key = admin.create_key(name);
        first.get_or_insert(key);
        server.advance(Duration::from_secs(1));
    }
    let due = |browser: &Browser| browser.get(POLICY).expect(200).html().texts("section[aria-labelledby=due] li");
    save(&admin, "none", "none", "30").expect(303);
    server.set_clock(NOW + DAY * 30);
    assert!(due(&admin).is_empty(), "exactly so old is not older");
    server.set_clock(NOW + DAY * 30 + Duration::from_micros(1));
    assert_eq!(due(&admin).len(), 1);
    server.set_clock(NOW + DAY * 31);
    let listed = due(&admin);
    assert_eq!((listed.len(), listed[20].as_str()), (21, "and 2 more"));
    assert!(listed[0].starts_with("Service 00") && listed[0].ends_with("Created 23 Nov 2026"), "{}", listed[0]);
    let page = admin.get(POLICY).html().text("section[aria-labelledby=due] p");
    assert_eq!(page, "22 active keys are overdue for rotation.");
    let all = admin.get(POLICY).html();
    assert_eq!(all.text("section[aria-labelledby=due] .button"), "Show all 22");
    let href = format!("{API_KEYS}?practice=rotation-due");
    assert_eq!(all.attribute("section[aria-labelledby=due] .button", "href"), href);
    admin.rotate(&first.unwrap().0, "none").expect(201);
    assert_eq!((due(&admin).len(), due(&admin)[20].as_str()), (21, "and 1 more"));
}
