//! The page of a key, and edits of its name and owner.

use std::time::Duration;

use keydesk::domain::user::profile::Role;

use crate::support::server::NOW;
use crate::support::{API_KEYS, Browser, TestServer, database};

const MISSING: &str = "01940000-0000-7000-8000-000000000000";
const JONAS: &str = "jonas@brightwater.example";

fn owner(server: &TestServer, id: &str) -> String {
    database::column(&server.database_url, "owner", &format!("FROM api_keys WHERE id = '{id}'")).remove(0).unwrap()
}

fn banner(admin: &Browser, location: &str) -> String {
    admin.get(location).expect(200).html().texts(".banner p").concat()
}

#[test]
fn a_rename_covers_all_keys_of_the_account_and_frees_the_name() {
    let server = TestServer::start();
    let admin = server.admin();
    let first = admin.create_key("ERP Sync");
    let second = admin.rotate(&first.0, "24h").shown_key();
    let form = admin.get(&format!("{API_KEYS}/{}/edit", second.0)).expect(200).html();
    assert_eq!(form.attribute("dialog input[name=name]", "value"), "ERP Sync");
    assert_eq!(form.text("dialog select[name=owner] option[selected]"), "Maria Lindqvist");
    let done = admin.edit(&second.0, "  Warehouse  Sync ", "").expect(303).header("location").to_owned();
    assert!(done.starts_with(&format!("{API_KEYS}/{}?done=", second.0)), "{done}");
    assert_eq!(banner(&admin, &done), "Renamed ERP Sync to Warehouse Sync.");
    assert_eq!(banner(&server.auditor(), &done), "");
    assert_eq!(banner(&admin, &done.replace(&second.0, &first.0)), "", "the event is about another key");
    let names = admin.tab("active").key_names();
    assert!(names.len() == 2 && names.iter().all(|name| name == "Warehouse  Sync"), "{names:?}");
    for key in [&first, &second] {
        let whoami = server.anonymous().bearer("/v1/whoami", &key.1).expect(200).body;
        assert!(whoami.contains(r#""name":"Warehouse  Sync""#), "{whoami}");
    }
    assert_eq!(server.history(&second.0), ["api_key.created", "api_key.renamed"]);
    assert_eq!(server.last_event(&second.0, "before_json"), r#"{"name":"ERP Sync"}"#);
    assert_eq!(server.last_event(&second.0, "after_json"), r#"{"name":"Warehouse  Sync"}"#);
    let event = admin.key_page(&second.0).text("[data-action='api_key.renamed']");
    assert!(event.contains("renamed ERP Sync to Warehouse Sync"), "{event}");
    admin.create_key("ERP Sync");
    assert_eq!(database::count(&server.database_url, "service_accounts", "TRUE"), 2);
    server.advance(Duration::from_mins(10));
    assert_eq!(banner(&admin, &done), "");
}

#[test]
fn a_name_of_another_account_is_refused_in_any_spelling() {
    let server = TestServer::start();
    let admin = server.admin();
    server.other_company_admin().create_key("Elsewhere");
    let (id, _) = admin.create_key("Café Sync");
    let (other, _) = admin.create_key("Reporting");
    admin.revoke(&other, "unspecified", "").expect(303);
    for (name, sentence) in [
        (" rePORTing ", "A service account named “Reporting” already exists. Choose another name."),
        ("", "Enter a name for the service account"),
        (&"x".repeat(65), "Name must be 64 characters or fewer"),
        ("a\u{202E}b", "The name contains a character that cannot be seen (U+202E). Remove it."),
    ] {
        let page = admin.edit(&id, name, "").expect(422).html();
        assert!(page.text("#name-error").ends_with(sentence), "{}", page.text("#name-error"));
        assert_eq!(page.attribute("dialog input[name=name]", "value"), name);
        assert!(page.text("title").starts_with("Error: Edit Café Sync"));
    }
    assert_eq!((admin.tab("active").key_names(), server.event_count("api_key.renamed")), (vec!["Café Sync".into()], 0));
    for name in ["cafe\u{301}  SYNC", "CAFÉ sync", "Elsewhere"] {
        admin.edit(&id, name, "").expect(303);
        assert_eq!(admin.tab("active").key_names(), [name]);
    }
    assert_eq!(server.event_count("api_key.renamed"), 3);
}

#[test]
fn an_edit_records_an_event_only_for_what_changed() {
    let server = TestServer::start();
    let admin = server.admin();
    let jonas = server.add_person("Jonas Bakke", JONAS, Role::Auditor);
    let maria = server.user_id("maria@brightwater.example");
    let (id, key) = admin.create_key("ERP Sync");
    for same in ["", &maria] {
        admin.edit(&id, "ERP Sync", same).expect_redirect(&format!("{API_KEYS}/{id}"));
    }
    assert_eq!(server.history(&id), ["api_key.created"]);
    let done = admin.edit(&id, "ERP Sync", &jonas).expect(303).header("location").to_owned();
    assert_eq!(banner(&admin, &done), "Jonas Bakke now owns ERP Sync.");
    assert_eq!((owner(&server, &id), server.whoami(&key)), (jonas.clone(), 200));
    let [before, after] = [&maria, &jonas].map(|owner| format!(r#"{{"name":"ERP Sync","owner":"{owner}"}}"#));
    assert_eq!(server.last_event(&id, "before_json"), before);
    assert_eq!(server.last_event(&id, "after_json"), after);
    admin.edit(&id, "Warehouse", &maria).expect(303);
    let history = ["api_key.created", "api_key.handed_over", "api_key.renamed", "api_key.handed_over"];
    assert_eq!((owner(&server, &id), server.history(&id)), (maria.clone(), history.map(str::to_owned).to_vec()));
    admin.edit(&id, "Warehouse", &jonas).expect(303);
    let facts = admin.key_page(&id).text(".key-facts");
    assert!(facts.contains("Jonas Bakke") && !facts.contains("Maria Lindqvist"), "{facts}");
    admin.delete_user(&jonas, &[("new_owner", &maria)]).expect(303);
    assert_eq!(owner(&server, &id), maria);
}

#[test]
fn an_unknown_owner_is_a_404_and_changes_nothing() {
    let server = TestServer::start();
    let admin = server.admin();
    server.other_company_admin();
    let foreign = server.user_id("ada@northwind.example");
    let deleted = server.add_person("Jonas Bakke", JONAS, Role::Auditor);
    admin.delete_user(&deleted, &[]).expect(303);
    let (id, _) = admin.create_key("ERP Sync");
    admin.create_key("Reporting");
    let mut bodies = Vec::new();
    for owner in [MISSING, &foreign, &deleted, "nonsense", &foreign.to_uppercase(), "%00"] {
        for name in ["ERP Sync", "Warehouse", "", "Reporting"] {
            let answer = admin.edit(&id, name, owner);
            assert_eq!(answer.status, 404, "{owner} with the name {name:?}");
            bodies.push(answer.without_reference());
        }
    }
    assert!(bodies[0].contains("This user does not exist.") && bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(server.history(&id), ["api_key.created"]);
    assert_eq!(owner(&server, &id), server.user_id("maria@brightwater.example"));
}

#[test]
fn a_key_of_a_deleted_owner_can_be_renamed() {
    let server = TestServer::start();
    let admin = server.admin();
    let jonas = server.add_person("Jonas Bakke", JONAS, Role::Admin);
    let (id, _) = server.signed_in_as(JONAS).create_key_for("ERP Sync", "30d");
    server.set_clock(NOW + Duration::from_hours(30 * 24));
    admin.delete_user(&jonas, &[]).expect(303);
    let form = admin.get(&format!("{API_KEYS}/{id}/edit")).expect(200).html();
    assert_eq!(form.attribute("select[name=owner] option[selected]", "value"), jonas);
    assert_eq!(form.text("select[name=owner] option[selected]"), "Deleted user");
    admin.edit(&id, "Warehouse", &jonas).expect(303);
    assert_eq!(server.history(&id), ["api_key.created", "api_key.renamed"]);
    assert!(admin.key_page(&id).text(".key-facts").contains("Deleted user"));
}

#[test]
fn an_expired_key_can_be_edited_and_a_revoked_one_cannot() {
    let server = TestServer::start();
    let admin = server.admin();
    let revoked = admin.create_key("Revoked");
    admin.revoke(&revoked.0, "unspecified", "").expect(303);
    let replaced = admin.create_key("Replaced");
    admin.rotate(&replaced.0, "1h").expect(201);
    let expired = admin.create_key_for("Expired", "30d");
    server.set_clock(NOW + Duration::from_hours(30 * 24));
    for (id, _) in [&revoked, &replaced] {
        for answer in [admin.edit(id, "Other", ""), admin.edit(id, "", ""), admin.get(&format!("{API_KEYS}/{id}/edit"))]
        {
            let page = answer.expect(409).html();
            assert!(page.text("main").contains("This API key is revoked and can no longer be changed."));
            assert!(page.has(&format!("a[href='{API_KEYS}/{id}']")));
        }
        assert!(!server.history(id).contains(&"api_key.renamed".to_owned()));
    }
    admin.edit(&expired.0, "Other", "").expect(303);
    assert_eq!(server.state_of(&admin, &expired), "expired");
}

#[test]
fn the_key_page_shows_history_and_no_buttons_to_auditors() {
    let server = TestServer::start();
    let (admin, auditor) = (server.admin(), server.auditor());
    let (id, key) = admin.create_key_for("ERP Sync", "365d");
    let (other, _) = admin.create_key("Other");
    admin.edit(&id, "Warehouse", "").expect(303);
    for browser in [&admin, &auditor] {
        let page = browser.key_page(&id);
        assert_eq!(
            (page.text("h1"), page.text(".key-facts code")),
            ("Warehouse".into(), format!("{}…{}", &key[..8], &key[38..]))
        );
        for fact in ["Owner", "Maria Lindqvist", "23 Nov 2027"] {
            assert!(page.text(".key-facts").contains(fact), "{fact}");
        }
        assert!(page.text(".page-head").contains("Created by Maria Lindqvist on 23 Nov 2026"));
        assert_eq!(page.text("#key-id"), id);
        let actions: Vec<_> =
            page.all("[data-event-id]").iter().map(|event| event.attr("data-action").unwrap()).collect();
        assert_eq!(actions, ["api_key.renamed", "api_key.created"]);
        assert!(page.all("[data-event-id]").iter().all(|event| event.attr("data-key-id") == Some(&id)));
        assert!(!browser.get(&format!("{API_KEYS}/{id}")).body.contains(&other));
        assert_eq!(browser.get(API_KEYS).html().all(&format!("th[scope=row] a[href='{API_KEYS}/{id}']")).len(), 1);
    }
    for form in ["edit", "rotate", "revoke"] {
        let link = format!("a[href='{API_KEYS}/{id}/{form}']");
        assert!(admin.key_page(&id).has(&link) && !auditor.key_page(&id).has(&link), "{form}");
    }
    admin.revoke(&id, "compromised", "In a\nticket").expect(303);
    let page = auditor.key_page(&id).text("section[aria-labelledby=revocation]");
    assert!(page.contains("Compromised") && page.contains("In a ticket") && page.contains("Maria Lindqvist"), "{page}");
}
