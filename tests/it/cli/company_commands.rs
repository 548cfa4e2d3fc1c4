//! Commands for companies, and for the roles and the deletion of users.

use super::{run, text};
use crate::support::companies::{add_brightwater, add_company, add_user};
use crate::support::{API_KEYS, TestServer, database};
use keydesk::domain::user::profile::Role;

const MARIA: &str = "maria@brightwater.example";
const JONAS: &str = "jonas@brightwater.example";

/// The exit code, the output and the error of a command.
fn command(server: &TestServer, words: &[&str]) -> (Option<i32>, String, String) {
    let output = run(server.folder.path(), &server.database_url, words, "");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn two_admins() -> TestServer {
    TestServer::with(&[], |actions| {
        add_brightwater(actions);
        let company = actions.store.query(|db| db.companies().all()).unwrap()[0].id;
        add_user(actions, company, "Jonas Bakke", JONAS, Role::Admin);
    })
}

#[test]
fn companies_are_listed_and_renamed() {
    let server = TestServer::with(&[], |actions| {
        add_brightwater(actions);
        add_company(actions, "Northwind");
    });
    let (brightwater, northwind) = (server.company("Brightwater"), server.company("Northwind"));
    let (code, output, _) = command(&server, &["company", "list"]);
    assert_eq!((code, output), (Some(0), format!("{brightwater}\tBrightwater\n{northwind}\tNorthwind\n")));
    let rename = |name| command(&server, &["company", "rename", "--company", "brightwater", "--name", name]);
    let (code, _, sentence) = rename("NORTHWIND");
    assert_eq!(code, Some(1));
    assert!(sentence.contains("already exists"), "{sentence}");
    assert_eq!(rename("Brightwater Nordic").1, "Renamed: Brightwater Nordic\n");
    assert_eq!(server.company("Brightwater Nordic"), brightwater);
    let (action, after) = server.trail("Brightwater Nordic").pop().unwrap();
    assert_eq!(action, "company.changed");
    assert!(after.contains(r#""name":"Brightwater Nordic""#) && after.contains("require_second_factor"), "{after}");
    assert!(command(&server, &["audit", "verify"]).0 == Some(0));
}

#[test]
fn a_missing_company_is_found_or_asked_for() {
    let server = TestServer::with(&[], |_| {});
    let (code, _, sentence) = command(&server, &["key", "list"]);
    assert_eq!(code, Some(1));
    assert!(sentence.contains("no company yet") && sentence.contains("keydesk company add"), "{sentence}");
    add_brightwater(&server.actions);
    assert_eq!(command(&server, &["key", "list"]).0, Some(0));
    add_company(&server.actions, "Northwind");
    for words in [&["key", "list"][..], &["user", "list"], &["key", "create", "--name", "ERP"]] {
        let (code, _, sentence) = command(&server, words);
        assert_eq!(code, Some(1));
        assert_eq!(sentence, "There are 2 companies: “Brightwater”, “Northwind”. Name one with --company.\n");
    }
    let (_, _, sentence) = command(&server, &["key", "list", "--company", "x”. All is well. “"]);
    assert!(sentence.starts_with(r"There is no company “x\u{201d}. All is well. \u{201c}”."), "{sentence}");
}

#[test]
fn users_are_listed_with_role_state_and_last_sign_in() {
    let server = TestServer::start();
    server.signed_in_as(MARIA);
    let words = ["user", "add", "--name", "Nina Dahl", "--email", "nina@brightwater.example", "--role", "auditor"];
    assert_eq!(command(&server, &words).0, Some(0));
    let (maria, nina) = (server.user(MARIA), server.user("nina@brightwater.example"));
    let signed_in = maria.last_signed_in_at.unwrap().to_rfc_3339().unwrap();
    let expected = format!(
        "{}\t{MARIA}\tadmin\tactive\t{signed_in}\tMaria Lindqvist\n{}\tnina@brightwater.example\tauditor\tinvited\t-\tNina Dahl\n",
        maria.id, nina.id
    );
    assert_eq!(command(&server, &["user", "list"]), (Some(0), expected, String::new()));
}

#[test]
fn a_role_is_set_as_the_page_sets_it() {
    let server = two_admins();
    let jonas = server.signed_in_as(JONAS);
    let set = |email, role| command(&server, &["user", "set-role", "--email", email, "--role", role]);
    assert_eq!(set(JONAS, "auditor").1, format!("Role set: {JONAS} is auditor\n"));
    jonas.get(API_KEYS).expect(303);
    assert_eq!(set(JONAS, "auditor").0, Some(1));
    let (code, _, sentence) = set(MARIA, "auditor");
    assert_eq!(code, Some(1));
    assert!(sentence.contains("only administrator"), "{sentence}");
    assert_eq!(set(MARIA, "owner").0, Some(2));
    let changed = server.trail("Brightwater").into_iter().filter(|(action, _)| action == "user.role_changed");
    assert_eq!(changed.count(), 1);
}

#[test]
fn a_deleted_user_hands_over_or_loses_their_keys() {
    let server = two_admins();
    let (jonas, maria) = (server.signed_in_as(JONAS), server.admin());
    let (id, key) = jonas.create_key("ERP Sync");
    let delete =
        |email: &str, words: &[&str]| command(&server, &[&["user", "delete", "--email", email], words].concat());
    let (code, _, sentence) = delete(JONAS, &[]);
    assert_eq!(code, Some(1));
    assert!(sentence.contains("owns active keys: 1") && sentence.contains("--new-owner"), "{sentence}");
    assert_eq!(delete(JONAS, &["--new-owner", JONAS]).0, Some(1));
    assert_eq!(delete(JONAS, &["--new-owner", MARIA, "--revoke-keys"]).0, Some(2));
    assert_eq!(delete(JONAS, &["--new-owner", MARIA]).1, format!("Deleted: {JONAS}\n"));
    jonas.get(API_KEYS).expect(303);
    assert_eq!(server.whoami(&key), 200);
    assert!(server.history(&id).contains(&"api_key.handed_over".to_owned()));
    let (code, _, sentence) = delete(MARIA, &["--revoke-keys"]);
    assert_eq!(code, Some(1));
    assert!(sentence.contains("only administrator"), "{sentence}");
    assert_eq!(server.whoami(&key), 200);
    let company = server.company("Brightwater");
    add_user(&server.actions, company, "Nina Dahl", "nina@brightwater.example", Role::Admin);
    assert_eq!(delete(MARIA, &["--revoke-keys"]).0, Some(0));
    assert_eq!(server.whoami(&key), 401);
    maria.get(API_KEYS).expect(303);
    assert!(command(&server, &["audit", "verify"]).0 == Some(0));
    assert_eq!(database::count(&server.database_url, "key_usage", "refused_since IS NOT NULL"), 1);
}
