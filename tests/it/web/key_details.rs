//! Purpose, department and contact of a service account, and changes of a key's expiry.

use std::time::Duration;

use crate::support::server::NOW;
use crate::support::{API_KEYS, Browser, TestServer, database};

const DAY: Duration = Duration::from_hours(24);
const PURPOSE: &str = "Copies orders to the ERP system";

fn edit_path(id: &str) -> String {
    format!("{API_KEYS}/{id}/edit")
}

/// Saves these fields of the edit form, with the current name.
fn save(admin: &Browser, id: &str, fields: &[(&str, &str)]) -> crate::support::Answer {
    let name = admin.key_page(id).text("h1");
    admin.save(&edit_path(id), &[&[("name", name.as_str())], fields].concat())
}

fn banner(admin: &Browser, answer: crate::support::Answer) -> String {
    let location = answer.expect(303).header("location").to_owned();
    admin.get(&location).expect(200).html().texts(".banner p").concat()
}

fn stored(server: &TestServer, column: &str) -> String {
    database::column(&server.database_url, column, "FROM service_accounts").remove(0).unwrap()
}

fn expires_at(server: &TestServer, id: &str) -> Option<i64> {
    let rest = format!("FROM api_keys WHERE id = '{id}'");
    database::column(&server.database_url, "expires_at", &rest).remove(0).map(|at| at.parse().unwrap())
}

#[test]
fn details_are_saved_shown_and_recorded() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.add_key_with("ERP Sync", &[("purpose", &format!("  {PURPOSE} "))]).shown_key();
    let created = server.last_event(&id, "after_json");
    assert!(created.contains(&format!(r#""purpose":"{PURPOSE}","service_account_id""#)), "{created}");
    assert!(admin.key_page(&id).text(".key-facts").contains(PURPOSE));
    let done = save(&admin, &id, &[("department", "Logistics"), ("contact", "#logistics-it")]);
    assert_eq!(banner(&admin, done), "The details of ERP Sync were saved.");
    assert_eq!(server.history(&id), ["api_key.created", "api_key.details_changed"]);
    let json = |contact: &str, department: &str| {
        format!(r#"{{"contact":"{contact}","department":"{department}","name":"ERP Sync","purpose":"{PURPOSE}"}}"#)
    };
    assert_eq!(server.last_event(&id, "before_json"), json("", ""));
    assert_eq!(server.last_event(&id, "after_json"), json("#logistics-it", "Logistics"));
    let page = server.auditor().key_page(&id);
    for fact in [PURPOSE, "Logistics", "#logistics-it"] {
        assert!(page.text(".key-facts").contains(fact), "{fact}");
    }
    let event = page.text("[data-action='api_key.details_changed']");
    assert!(event.contains("changed the department and contact of ERP Sync"), "{event}");
    // The search finds it without accents and case.
    assert_eq!(stored(&server, "purpose_search"), "copies orders to the erp system");
    save(&admin, &id, &[("purpose", "")]).expect(303);
    assert_eq!((stored(&server, "purpose"), stored(&server, "contact")), (String::new(), "#logistics-it".to_owned()));
    assert!(!admin.key_page(&id).text(".key-facts").contains("Purpose"));
}

#[test]
fn an_edit_reports_and_records_all_of_its_changes() {
    let server = TestServer::start();
    let admin = server.admin();
    let nina =
        server.add_person("Nina Okafor", "nina@brightwater.example", keydesk::domain::user::profile::Role::Admin);
    let (id, _) = admin.create_key("ERP Sync");
    let fields = [("name", "Warehouse"), ("owner", &*nina), ("contact", "#it"), ("expires", "30d")];
    let done = admin.save(&edit_path(&id), &fields);
    assert_eq!(
        banner(&admin, done),
        "Renamed ERP Sync to Warehouse. Nina Okafor now owns Warehouse. The details of Warehouse were saved. \
         Warehouse now expires on 23 Dec 2026, 09:00."
    );
    let actions = ["created", "renamed", "handed_over", "details_changed", "expiry_changed"];
    assert_eq!(server.history(&id), actions.map(|action| format!("api_key.{action}")));
}

#[test]
fn details_that_do_not_fit_come_back_with_the_form() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    for (field, typed, sentence) in [
        ("purpose", &*"x".repeat(201), "Purpose must be 200 characters or fewer"),
        ("department", &"x".repeat(65), "Department must be 64 characters or fewer"),
        ("contact", &"x".repeat(121), "Contact must be 120 characters or fewer"),
        ("contact", "a\u{202E}b", "The text contains a character that cannot be seen (U+202E). Remove it."),
    ] {
        let page = save(&admin, &id, &[(field, typed), ("expires", "30d")]).expect(422).html();
        assert!(page.text(&format!("#{field}-error")).ends_with(sentence), "{field}");
        assert_eq!(page.attribute(&format!("dialog input[name={field}]"), "value"), typed);
        assert_eq!(page.attribute("dialog select[name=expires] option[selected]", "value"), "30d");
    }
    let page = save(&admin, &id, &[("purpose", &format!("key: {key}"))]).expect(422);
    assert!(!page.body.contains(&key) && page.html().text("#purpose-error").contains("looks like an API key"));
    let page = admin.add_key_with("Reporting", &[("purpose", &"x".repeat(201))]).expect(422).html();
    assert!(page.text("#purpose-error").ends_with("Purpose must be 200 characters or fewer"));
    assert_eq!(page.attribute("dialog input[name=name]", "value"), "Reporting");
    let longest = [("purpose", &*"é".repeat(200)), ("department", &"é".repeat(64)), ("contact", &"é".repeat(120))];
    save(&admin, &id, &longest).expect(303);
    assert_eq!((server.key_count(), server.history(&id).len()), (1, 2));
}

#[test]
fn a_missing_field_keeps_what_is_stored() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.add_key_with("ERP Sync", &[("purpose", PURPOSE), ("expires", "90d")]).shown_key();
    let before = expires_at(&server, &id);
    admin.edit(&id, "Warehouse", "").expect(303);
    assert_eq!((stored(&server, "purpose"), expires_at(&server, &id)), (PURPOSE.to_owned(), before));
    let unchanged = [("purpose", PURPOSE), ("department", ""), ("contact", " "), ("expires", "keep")];
    save(&admin, &id, &unchanged).expect_redirect(&format!("{API_KEYS}/{id}"));
    assert_eq!(server.history(&id), ["api_key.created", "api_key.renamed"]);
    // A new key of the account keeps the purpose, or brings a new one.
    admin.revoke(&id, "unspecified", "").expect(303);
    let (second, _) = admin.create_key("Warehouse");
    assert_eq!(stored(&server, "purpose"), PURPOSE);
    admin.revoke(&second, "unspecified", "").expect(303);
    admin.add_key_with("Warehouse", &[("purpose", "Prints labels")]).expect(201);
    assert_eq!(stored(&server, "purpose"), "Prints labels");
}

#[test]
fn details_changed_through_another_key_are_not_overwritten() {
    let server = TestServer::start();
    let admin = server.admin();
    let (old, _) = admin.create_key("ERP Sync");
    let (new, _) = admin.rotate(&old, "24h").shown_key();
    let stale = admin.form_version(&edit_path(&old));
    save(&admin, &new, &[("purpose", PURPOSE)]).expect(303);
    let typed = [("name", "ERP Sync"), ("purpose", ""), ("contact", "#it"), ("version", &*stale)];
    let page = admin.post(&edit_path(&old), &typed).expect(409).html();
    assert_eq!(page.attribute("dialog input[name=purpose]", "value"), PURPOSE, "nobody touched it here");
    assert_eq!(page.attribute("dialog input[name=contact]", "value"), "#it");
    assert_eq!((stored(&server, "purpose"), stored(&server, "contact")), (PURPOSE.to_owned(), String::new()));
}

#[test]
fn an_expiry_is_changed_and_removed() {
    let server = TestServer::start();
    let admin = server.admin();
    let key = admin.create_key("ERP Sync");
    let id = &key.0;
    let done = save(&admin, id, &[("expires", "date"), ("expires_on", "2026-12-01")]);
    assert_eq!(banner(&admin, done), "ERP Sync now expires on 1 Dec 2026, 23:59.");
    let at = expires_at(&server, id).unwrap();
    assert_eq!(server.last_event(id, "before_json"), r#"{"expires_at":null,"name":"ERP Sync"}"#);
    assert_eq!(server.last_event(id, "after_json"), format!(r#"{{"expires_at":{at},"name":"ERP Sync"}}"#));
    let page = admin.key_page(id);
    assert!(page.text("[data-action='api_key.expiry_changed']").contains("set ERP Sync to expire on 1 Dec 2026"));
    let form = admin.get(&edit_path(id)).expect(200).html();
    assert_eq!(form.text("select[name=expires] option[selected]"), "No change (1 Dec 2026)");
    let done = save(&admin, id, &[("expires", "none")]);
    assert_eq!(banner(&admin, done), "ERP Sync no longer expires.");
    assert_eq!(expires_at(&server, id), None);
    save(&admin, id, &[("expires", "30d")]).expect(303);
    server.set_clock(NOW + DAY * 30 - Duration::from_micros(1));
    assert_eq!(server.whoami(&key.1), 200);
    server.set_clock(NOW + DAY * 30);
    assert_eq!(server.state_of(&admin, &key), "expired");
    // An expired key stays expired.
    assert!(!admin.get(&edit_path(id)).expect(200).html().has("select[name=expires]"));
    let refused = save(&admin, id, &[("expires", "none")]).expect(409).html();
    assert!(refused.text("main").contains("This API key has expired. Rotate it to get a new one."));
    save(&admin, id, &[("purpose", PURPOSE)]).expect(303);
    assert_eq!(server.state_of(&admin, &key), "expired");
}

#[test]
fn a_changed_expiry_stays_within_the_policy() {
    let server = TestServer::start();
    let admin = server.admin();
    let (endless, _) = admin.create_key("Endless");
    let policy = "/administration/company-settings/key-policy";
    admin.save(policy, &[("company_name", "Brightwater"), ("maximum_lifetime", "90")]).expect(303);
    let (id, _) = admin.create_key("ERP Sync");
    server.set_clock(NOW + DAY * 60);
    let offered = admin.get(&edit_path(&id)).expect(200).html().texts("select[name=expires] option");
    assert_eq!(offered, ["No change (21 Feb 2027)", "In 30 days (21 Feb 2027)", "On a date"]);
    for (expires, on, field, sentence) in [
        ("90d", "", "expires", "Your company allows keys to live up to 90 days. Choose an earlier date."),
        ("none", "", "expires", "Your company allows keys to live up to 90 days. Choose an earlier date."),
        ("date", "2027-02-25", "expires_on", "Your company allows keys to live up to 90 days. Choose an earlier date."),
        ("date", "2026-12-01", "expires_on", "Choose a date in the future"),
        ("date", "", "expires_on", "Choose a date"),
        ("31d", "", "expires", "Choose when the key expires"),
    ] {
        let page = save(&admin, &id, &[("expires", expires), ("expires_on", on)]).expect(422).html();
        assert!(page.text(&format!("#{field}-error")).ends_with(sentence), "{expires} {on}");
    }
    assert_eq!(server.history(&id), ["api_key.created"]);
    // A key that was there before the limit gets an end, if a late one.
    save(&admin, &endless, &[("expires", "180d")]).expect(303);
    save(&admin, &endless, &[("expires", "365d")]).expect(422);
}

#[test]
fn an_expiry_within_the_overlap_ends_the_old_key_first() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    admin.rotate(&old.0, "30d").expect(201);
    save(&admin, &old.0, &[("expires", "date"), ("expires_on", "2026-11-24")]).expect(303);
    server.set_clock(NOW + DAY * 2);
    assert_eq!(server.state_of(&admin, &old), "expired");
}
