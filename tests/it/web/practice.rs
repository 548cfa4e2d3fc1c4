//! Good practice: findings, the panel and the filters of the list, its export, and the Practice page.

use std::time::Duration;

use keydesk::domain::practice::finding::Practice;
use keydesk::domain::user::profile::Role;

use crate::store::captured_sql::fill;
use crate::support::companies::add_user;
use crate::support::{API_KEYS, Answer, Browser, TestServer, browser, database};

const DAY: Duration = Duration::from_hours(24);
const POLICY: &str = "/administration/company-settings/key-policy";
const PRACTICE: &str = "/administration/company-settings/practice";

/// The names of the keys with a finding.
fn found(browser: &Browser, practice: Practice) -> Vec<String> {
    browser.get(&format!("{API_KEYS}?practice={}", practice.as_str())).expect(200).html().key_names()
}

/// The words of the findings of each key, from the export.
fn exported(browser: &Browser, query: &str) -> Vec<(String, String)> {
    let csv = export(browser, query).expect(200).body;
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let cells = |row: csv::StringRecord| (row[1].to_owned(), row[18].to_owned());
    rows.records().map(|row| cells(row.unwrap())).collect()
}

fn export(browser: &Browser, query: &str) -> Answer {
    browser::send(
        browser.request("GET", &format!("{API_KEYS}/export.csv{query}")).header("Sec-Fetch-Site", "same-origin"),
    )
}

fn present(server: &TestServer, key: &str, client: &str) {
    let request = server.anonymous().request("GET", "/v1/whoami").bearer_auth(key);
    assert_eq!(browser::send(request.header("User-Agent", client)).status, 200);
}

/// The lines of the panel.
fn panel(browser: &Browser) -> Vec<String> {
    browser.get(API_KEYS).expect(200).html().texts(".practice li")
}

fn with_purpose(browser: &Browser, name: &str) -> (String, String) {
    browser.add_key_with(name, &[("purpose", "Copies orders")]).expect(201).shown_key()
}

/// Adds a colleague, and returns their id.
fn add_nina(server: &TestServer) -> String {
    let company = server.company("Brightwater");
    add_user(&server.actions, company, "Nina Falk", "nina@brightwater.example", Role::Admin);
    server.user("nina@brightwater.example").id.to_string()
}

#[test]
fn a_key_without_findings_is_praised() {
    let server = TestServer::start();
    let admin = server.admin();
    with_purpose(&admin, "ERP Sync");
    let page = admin.get(API_KEYS).expect(200).html();
    assert_eq!(page.text(".practice .praise"), "Your key follows your practice.");
    with_purpose(&admin, "Reporting");
    assert_eq!(admin.get(API_KEYS).html().text(".practice .praise"), "All 2 keys follow your practice.");
    for practice in Practice::ALL {
        assert!(found(&admin, practice).is_empty(), "{practice:?}");
    }
}

#[test]
fn changes_by_people_show_at_once() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    assert_eq!(panel(&admin), ["1 key has no purpose"]);
    assert_eq!(found(&admin, Practice::NoPurpose), ["ERP Sync"]);
    admin.save(&format!("{API_KEYS}/{id}/edit"), &[("name", "test"), ("purpose", "Copies orders")]).expect(303);
    assert_eq!(panel(&admin), ["1 key has a name that does not say which system uses it"]);
    admin.save(POLICY, &[("default_expiry", "90")]).expect(303);
    assert_eq!(found(&admin, Practice::NoExpiry), ["test"]);
    admin.save(&format!("{API_KEYS}/{id}/edit"), &[("name", "ERP Sync"), ("expires", "30d")]).expect(303);
    assert_eq!(panel(&admin), ["1 key expires within 30 days"]);
    admin.revoke(&id, "unspecified", "").expect(303);
    assert!(found(&admin, Practice::ExpiresSoon).is_empty());
    let findings = database::column(&server.database_url, "key_id", "FROM key_assessments");
    assert!(findings.is_empty(), "an ended key has no findings");
}

#[test]
fn findings_come_with_time_and_go_with_use() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.save(POLICY, &[("rotation_period", "30")]).expect(303);
    let (_, key) = with_purpose(&admin, "ERP Sync");
    let start = server.clock.now();
    let at = |days: u32| {
        server.set_clock(start + DAY * days);
        server.admin()
    };
    assert!(panel(&at(13)).is_empty());
    assert_eq!(panel(&at(15)), ["1 key has never been used"]);
    present(&server, &key, "Mozilla/5.0 (X11; Linux x86_64)");
    server.record_usage();
    assert_eq!(panel(&at(15)), ["1 key is used by a person, with a browser or an API tool"]);
    assert!(panel(&at(25)).is_empty(), "a week later");
    assert_eq!(panel(&at(31)), ["1 key is due for rotation"]);
    assert_eq!(panel(&at(110)), ["1 key is due for rotation", "1 key has not been used for 90 days"]);
    assert_eq!(exported(&at(110), ""), [("ERP Sync".to_owned(), "rotation-due unused".to_owned())]);
}

#[test]
fn an_owner_who_stays_away_is_gone_until_the_next_sign_in() {
    let server = TestServer::start();
    let admin = server.admin();
    let nina = add_nina(&server);
    let (id, _) = with_purpose(&admin, "ERP Sync");
    admin.save(&format!("{API_KEYS}/{id}/edit"), &[("name", "ERP Sync"), ("owner", &nina)]).expect(303);
    server.advance(DAY * 91);
    let admin = server.admin();
    assert_eq!(found(&admin, Practice::OwnerGone), ["ERP Sync"]);
    server.signed_in_as("nina@brightwater.example");
    assert!(found(&admin, Practice::OwnerGone).is_empty());
}

#[test]
fn an_unclear_name_is_accepted_the_second_time() {
    let server = TestServer::start();
    let admin = server.admin();
    let refused = admin.add_key_with("key1", &[("purpose", "Copies orders")]).expect(422).html();
    assert!(refused.text("#name-error").contains("“key1” does not say which system uses the key"));
    assert_eq!(refused.attribute("#purpose", "value"), "Copies orders");
    assert_eq!(refused.attribute("input[name=unclear_name]", "value"), "key1");
    admin.add_key_with("key2", &[("unclear_name", "key1")]).expect(422);
    admin.add_key_with("key1", &[("unclear_name", "key1")]).expect(201);
    assert_eq!(found(&admin, Practice::TellsNothing), ["key1"]);
}

#[test]
fn filters_combine_and_each_chip_removes_its_own() {
    let server = TestServer::start();
    let admin = server.admin();
    let maria = server.user("maria@brightwater.example").id.to_string();
    let nina = add_nina(&server);
    admin.add_key_with("ERP Sync", &[("expires", "30d")]).expect(201);
    let (reporting, key) = admin.create_key("Reporting");
    admin.save(&format!("{API_KEYS}/{reporting}/edit"), &[("name", "Reporting"), ("owner", &nina)]).expect(303);
    present(&server, &key, "curl/8.5");
    server.record_usage();
    let names = |query: &str| admin.get(&format!("{API_KEYS}?{query}")).expect(200).html().key_names();
    for (query, expected) in [
        (format!("owner={nina}"), &["Reporting"][..]),
        (format!("owner={maria}&expires=soon"), &["ERP Sync"]),
        (format!("owner={nina}&expires=soon"), &[]),
        ("expires=never".to_owned(), &["Reporting"]),
        ("used=never".to_owned(), &["ERP Sync"]),
        ("used=idle".to_owned(), &[]),
        ("practice=no-purpose&q=erp".to_owned(), &["ERP Sync"]),
        ("owner=&practice=&expires=&used=&sort=name".to_owned(), &["ERP Sync", "Reporting"]),
        ("q=nina".to_owned(), &["Reporting"]),
    ] {
        assert_eq!(names(&query), expected, "{query}");
    }
    let page = admin.get(&format!("{API_KEYS}?practice=no-purpose&used=never")).html();
    assert_eq!(page.texts(".chip"), ["Remove Practice: No purpose", "Remove Last used: Never"]);
    assert_eq!(page.attribute("li:first-child > .chip", "href"), format!("{API_KEYS}?used=never"));
    server.advance(DAY * 91);
    assert_eq!(server.admin().get(&format!("{API_KEYS}?used=idle")).html().key_names(), ["Reporting"]);
}

#[test]
fn unknown_words_and_owners_are_not_found() {
    let server = TestServer::start();
    server.other_company_admin();
    let (admin, stranger) = (server.admin(), server.user("ada@northwind.example").id);
    for query in ["practice=x", "expires=x", "used=x", "owner=x", &format!("owner={stranger}")] {
        admin.get(&format!("{API_KEYS}?{query}")).expect(404);
        export(&admin, &format!("?{query}")).expect(404);
    }
}

#[test]
fn the_id_of_a_key_leads_to_its_page() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    admin.get(&format!("{API_KEYS}?q={id}")).expect_redirect(&format!("{API_KEYS}/{id}"));
    let (theirs, _) = server.other_company_admin().create_key("Theirs");
    assert!(admin.get(&format!("{API_KEYS}?q={theirs}")).expect(200).html().key_names().is_empty());
}

#[test]
fn an_export_holds_what_the_filters_keep_and_is_recorded() {
    let server = TestServer::start();
    let admin = server.admin();
    with_purpose(&admin, "ERP Sync");
    admin.create_key("=cmd()");
    let csv = export(&admin, "").expect(200);
    assert!(csv.header("content-disposition").contains("active-keys-brightwater"));
    assert!(csv.body.contains(",'=cmd(),"), "{}", csv.body);
    assert_eq!(csv.body.lines().count(), 3);
    let no_purpose = exported(&server.auditor(), "?practice=no-purpose");
    assert_eq!(no_purpose, [("'=cmd()".to_owned(), "no-purpose".to_owned())]);
    assert!(exported(&admin, "?tab=revoked").is_empty());
    let recorded = database::column(
        &server.database_url,
        "after_json",
        "FROM events WHERE action = 'api_keys.exported' ORDER BY sequence",
    );
    let recorded: Vec<String> = recorded.into_iter().flatten().collect();
    assert_eq!(
        recorded,
        [r#"{"tab":"active"}"#, r#"{"practice":"no-purpose","tab":"active"}"#, r#"{"tab":"revoked"}"#]
    );
    admin.head(&format!("{API_KEYS}/export.csv")).expect(200);
    let foreign = admin.request("GET", &format!("{API_KEYS}/export.csv")).header("Sec-Fetch-Site", "cross-site");
    assert_eq!(browser::send(foreign).status, 403);
}

#[test]
fn a_long_list_is_exported_in_pieces() {
    let server = TestServer::start();
    let admin = server.admin();
    let company = server.company("Brightwater");
    let owner = server.user("maria@brightwater.example").id;
    fill(&server.database_url);
    let keys = database::count(
        &server.database_url,
        "api_keys",
        &format!(
            "company_id = '{company}' AND refused_from > {} AND owner = '{owner}'",
            server.clock.now().as_micros()
        ),
    );
    assert!(keys > 1_000, "{keys}");
    let rows = export(&admin, &format!("?owner={owner}")).expect(200).body.lines().count() as u64;
    assert_eq!(rows, keys + 1);
}

#[test]
fn the_counted_findings_are_those_of_the_keys() {
    let server = TestServer::start();
    let admin = server.admin();
    for number in 0..7 {
        let (id, _) = admin.create_key(&format!("Service {number}"));
        match number % 3 {
            0 => drop(admin.rotate(&id, "24h").expect(201)),
            1 => drop(admin.revoke(&id, "unspecified", "").expect(303)),
            _ => {}
        }
    }
    for days in [1, 19, 75] {
        server.advance(DAY * days);
        let admin = server.admin();
        let counted = panel(&admin);
        let words: Vec<String> = exported(&admin, "").into_iter().map(|(_, words)| words).collect();
        for practice in Practice::ALL {
            let keys = words.iter().filter(|words| words.split(' ').any(|word| word == practice.as_str())).count();
            assert_eq!(found(&admin, practice).len(), keys, "{practice:?}");
            let key_count = i64::try_from(keys).unwrap();
            let line = counted.iter().find(|line| line.ends_with(practice.predicate(key_count)));
            assert_eq!(line.is_some(), keys > 0, "{practice:?} {counted:?}");
        }
    }
}

#[test]
fn the_background_job_assesses_companies_that_nobody_looks_at() {
    let server = TestServer::start();
    server.admin().create_key("ERP Sync");
    server.other_company_admin().create_key("Theirs");
    server.actions.assess_due_keys().unwrap();
    assert_eq!(database::count(&server.database_url, "key_assessments", "findings <> 0"), 2);
    assert_eq!(database::count(&server.database_url, "assessment_queue", "1 = 1"), 0);
    assert_eq!(database::count(&server.database_url, "practice_days", "keys_with_findings = 1"), 2);
}

#[test]
fn the_practice_page_counts_keys_by_age_and_last_use() {
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync");
    server.advance(DAY * 40);
    let admin = server.admin();
    admin.create_key("Reporting");
    present(&server, &key, "curl/8.5");
    server.record_usage();
    let page = admin.get(PRACTICE).expect(200).html();
    assert_eq!(page.text(".page-head p"), "2 of 2 active keys have something to improve.");
    let numbers: Vec<String> = page.texts(".chart td");
    assert_eq!(numbers, ["1", "1", "0", "0", "0", "1", "0", "0", "0", "1"]);
    assert!(page.has(&format!(".findings a[href='{API_KEYS}?practice=no-purpose']")));
    server.auditor().get(PRACTICE).expect(200);
    let empty = server.other_company_admin().get(PRACTICE).expect(200).html();
    assert_eq!(empty.text(".page-head p"), "There are no active keys.");
}
