//! Names with diacritics: they are found without them, and sort by the Unicode collation on every page.

use keydesk::actions::NewUser;
use keydesk::actions::RequestContext;
use keydesk::domain::text::collation::sort_key;
use keydesk::domain::text::name::PersonName;
use keydesk::domain::user::email::EmailAddress;
use keydesk::domain::user::password::Password;
use keydesk::domain::user::profile::Role;

use crate::support::{API_KEYS, Browser, Html, PASSWORD, TestServer, USERS, browser, database};

fn found(browser: &Browser, q: &str) -> Vec<String> {
    let page = browser.request("GET", API_KEYS).query(&[("q", q), ("sort", "name")]);
    browser::send(page).expect(200).html().key_names()
}

/// The values that `read` finds on all pages of a list, from the first page to the last, and back.
fn both_ways(browser: &Browser, first: &str, read: impl Fn(&Html) -> Vec<String>) -> [Vec<String>; 2] {
    let mut page = browser.get(first).expect(200).html();
    let mut forwards = read(&page);
    while page.has("a[rel=next]") {
        page = browser.get(&page.attribute("a[rel=next]", "href")).expect(200).html();
        forwards.extend(read(&page));
    }
    let mut backwards = read(&page);
    while page.has("a[rel=prev]") {
        page = browser.get(&page.attribute("a[rel=prev]", "href")).expect(200).html();
        backwards.splice(0..0, read(&page));
    }
    [forwards, backwards]
}

#[test]
fn a_search_ignores_diacritics() {
    let server = TestServer::start();
    let admin = server.admin();
    for name in ["Café", "İstanbul", "Łódź sync", "Plain_name", "Plain name"] {
        admin.create_key(name);
    }
    for (q, expected) in [
        ("cafe", vec!["Café"]),
        ("CAFÉ", vec!["Café"]),
        ("cafe\u{301}", vec!["Café"]),
        ("istanbul", vec!["İstanbul"]),
        ("ıstanbul", vec!["İstanbul"]),
        ("lodz", vec!["Łódź sync"]),
        ("_", vec!["Plain_name"]),
        ("plain_", vec!["Plain_name"]),
        ("goa_", vec![]),
        ("…", vec![]),
        ("cafetière", vec![]),
    ] {
        assert_eq!(found(&admin, q), expected, "{q}");
    }
}

#[test]
fn names_that_differ_in_diacritics_are_two_accounts() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.create_key("Café");
    admin.create_key("Cafe");
    admin.add_key("cafe\u{301}").expect(422);
    assert_eq!(found(&admin, "café"), ["Cafe", "Café"]);
}

#[test]
fn keys_sort_by_the_collation_of_their_names() {
    let server = TestServer::start();
    let admin = server.admin();
    // Names that differ in accents or case only, in more than two pages.
    let words = ["Resume", "Résumé", "Åre", "Zoo", "œuvre", "ＥＲＰ", "Ωmega", "Яндекс", "報表", "_x", "été"];
    let mut names: Vec<String> = (0..10).flat_map(|n| words.map(|word| format!("{word} {n}"))).collect();
    for name in &names {
        admin.create_key(name);
    }
    names.sort_by_key(|name| sort_key(name));
    let latin: Vec<&String> = names.iter().filter(|name| name.ends_with('3')).collect();
    let expected = ["_x", "Åre", "ＥＲＰ", "été", "œuvre", "Resume", "Résumé", "Zoo", "Ωmega", "Яндекс", "報表"];
    assert_eq!(latin, expected.map(|word| format!("{word} 3")).iter().collect::<Vec<_>>());
    for (sort, reversed) in [("name", false), ("-name", true)] {
        let first = format!("{API_KEYS}?sort={sort}");
        for mut listed in both_ways(&admin, &first, |page| page.key_names()) {
            if reversed {
                listed.reverse();
            }
            assert_eq!(listed, names, "{sort}");
        }
    }
}

#[test]
fn a_renamed_account_moves_to_its_place() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("Zulu");
    admin.create_key("Mike");
    admin.edit(&id, "Élan", &server.user_id("maria@brightwater.example")).expect(303);
    assert_eq!(found(&admin, "").first().map(String::as_str), Some("Élan"));
    assert_eq!(found(&admin, "elan"), ["Élan"]);
    assert!(found(&admin, "zulu").is_empty());
}

#[test]
fn users_sort_by_the_collation_of_their_names() {
    let server = TestServer::start();
    let words = ["Zoe", "Åsa", "asa", "Émile", "emil", "Østen"];
    let mut names: Vec<String> = (0..10).flat_map(|n| words.map(|word| format!("{word} {n}"))).collect();
    let password_hash = server.actions.passwords.hash(&Password::presented(PASSWORD)).unwrap();
    let context = RequestContext::command_line(server.company("Brightwater"));
    for (number, name) in names.iter().enumerate() {
        let name = PersonName::parse(name).unwrap();
        let email = EmailAddress::parse(&format!("user{number}@brightwater.example")).unwrap();
        let user = NewUser { role: Role::Auditor, name: &name, email: &email };
        server.actions.add_user(&context, &user, &password_hash).unwrap();
    }
    names.push("Maria Lindqvist".to_owned());
    names.sort_by_key(|name| sort_key(name));
    assert!(names[0].starts_with("asa") && names[1].starts_with("Åsa") && names[60].starts_with("Zoe"), "{names:?}");
    for listed in both_ways(&server.admin(), USERS, |page| page.texts("tr[data-user-id] th bdi")) {
        assert_eq!(listed, names);
    }
}

#[test]
fn names_of_an_older_database_are_found_and_sorted_after_the_start() {
    let server = TestServer::start();
    let admin = server.admin();
    for name in ["Zoo", "Café", "Éclair"] {
        admin.create_key(name);
    }
    server.add_person("Åsa", "asa@brightwater.example", Role::Auditor);
    // Both trees have the same statements.
    let revert = include_str!("../../../migrations/sqlite/2026-11-29-120000_name_search_and_order/down.sql");
    let forget = "DELETE FROM __diesel_schema_migrations WHERE version = '20261129120000'";
    database::tamper(&server.database_url, &format!("{revert} {forget}"));
    let upgraded = server.second_server();
    let admin = upgraded.admin();
    assert_eq!(found(&admin, "cafe"), ["Café"]);
    assert_eq!(found(&admin, ""), ["Café", "Éclair", "Zoo"]);
    assert_eq!(admin.get(USERS).html().texts("tr[data-user-id] th bdi"), ["Åsa", "Maria Lindqvist"]);
    // A program with other rules computes the keys again.
    let old = "UPDATE service_accounts SET name_search = 'old', name_sort_key = name_sort_key || name_sort_key";
    let old = format!("{old}; UPDATE name_keys SET version = 'older'");
    database::tamper(&server.database_url, &old);
    assert_eq!(found(&upgraded.second_server().admin(), "cafe"), ["Café"]);
}
