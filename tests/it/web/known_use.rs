//! What is known of a key's use: before it ends, on its page, for its account, and right after its creation.

use std::time::Duration;

use keydesk::domain::user::profile::Role;

use crate::support::server::NOW;
use crate::support::{API_KEYS, Browser, TestServer, USERS, database};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const CURL: &str = "curl/8.5";

fn warning(admin: &Browser, path: &str) -> String {
    admin.get(path).expect(200).html().texts("dialog #in-use").concat()
}

#[test]
fn every_dialog_that_revokes_says_that_a_key_is_in_use() {
    let server = TestServer::start();
    let jonas = server.add_person("Jonas Bakke", "jonas@brightwater.example", Role::Admin);
    let owner = server.signed_in_as("jonas@brightwater.example");
    let keys = ["Idle", "Rare", "Busy"].map(|name| owner.create_key(name));
    owner.rotate(&keys[2].0, "24h").expect(201);
    server.present(&keys[1].1, CURL);
    server.advance(DAY * 2);
    let (admin, owner) = (server.admin(), server.signed_in_as("jonas@brightwater.example"));
    admin.rotate(&keys[0].0, "7d").expect(201);
    let (busy, busy_key) = owner.create_key("Busier");
    server.present(&busy_key, CURL);
    server.record_usage();
    server.advance(Duration::from_mins(4));
    let one = "This key is in use. Last request 4 minutes ago 1 request in the last 24 hours, from 1 address 127.0.0.1 \
               (curl/8.5) Usage as of 09:00:00.";
    for form in ["revoke", "rotate"] {
        assert_eq!(warning(&admin, &format!("{API_KEYS}/{busy}/{form}")), one, "{form}");
    }
    admin.rotate(&busy, "24h").expect(201);
    assert_eq!(warning(&admin, &format!("{API_KEYS}/{busy}/end")), one);
    let several = format!("{API_KEYS}/revoke?key={}&key={}&key={busy}", keys[0].0, keys[1].0);
    let page = admin.get(&several).expect(200).html();
    let heading = "2 of these 3 keys are in use.";
    assert!(page.text("#in-use").starts_with(heading), "{}", page.text("#in-use"));
    let in_use: Vec<_> = page.all("#in-use li").iter().map(|key| key.attr("data-key-id").unwrap()).collect();
    assert_eq!(in_use, [&busy, &keys[1].0], "the latest use comes first");
    assert!(page.text("#in-use").contains("last request 4 minutes ago from 127.0.0.1, 1 request in the last 24 hours"));
    assert_eq!(page.texts(".named-keys bdi"), ["Idle"]);
    let named: Vec<_> = page.all("dialog input[name=key]").iter().map(|key| key.attr("value").unwrap()).collect();
    assert_eq!(named, [&keys[0].0, &keys[1].0, &busy]);
    let page = admin.get(&format!("{USERS}/{jonas}/delete")).expect(200).html();
    assert!(page.text("#in-use").starts_with("2 of these 6 keys are in use."), "{}", page.text("#in-use"));
    server.advance(DAY * 8);
    let admin = server.admin();
    for path in [&several, &format!("{USERS}/{jonas}/delete")] {
        assert_eq!(warning(&admin, path), "", "{path}");
    }
}

#[test]
fn ending_an_overlap_asks_first() {
    let server = TestServer::start();
    let (admin, auditor) = (server.admin(), server.auditor());
    let old = admin.create_key("ERP Sync");
    let path = format!("{API_KEYS}/{}/end", old.0);
    assert!(admin.get(&path).expect(409).body.contains("is not being replaced, or has already ended"));
    let new = admin.rotate(&old.0, "24h").shown_key();
    let link = format!("section[aria-labelledby=replacement] a[href='{path}']");
    assert!(admin.key_page(&old.0).has(&link) && !auditor.key_page(&old.0).has(&link));
    auditor.get(&path).expect(403);
    let dialog = admin.get(&path).expect(200).html();
    let text = dialog.text("dialog");
    for part in
        ["End the old key of ERP Sync now?", "This can’t be undone.", "Never used. Safe to end.", "24 Nov 2026, 09:00"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(dialog.attribute("dialog form", "action"), format!("{API_KEYS}/{}/overlap", old.0));
    assert_eq!(dialog.attribute("dialog input[name=end]", "value"), "now");
    assert!(dialog.has("dialog .button.danger"));
    admin.revoke(&new.0, "unspecified", "").expect(303);
    let text = admin.get(&path).expect(200).html().text("dialog");
    assert!(text.contains("no key of this service account will work") && !text.contains("Safe to end"), "{text}");
    admin.change_overlap(&old.0, "now").expect(303);
    admin.get(&path).expect(409);
}

#[test]
fn a_saved_key_leads_to_a_page_that_confirms_it() {
    let server = TestServer::start();
    let admin = server.admin();
    let created = admin.add_key_with("ERP Sync", &[]).expect(201);
    let saved = created.html().attribute("#saved", "href");
    let old = created.shown_key();
    assert!(saved.ends_with(&format!("#key-{}", old.0)), "{saved}");
    let list = admin.get(saved.split('#').next().unwrap()).expect(200).html();
    assert_eq!(list.text(".banner[role=status] p"), "The key for ERP Sync is ready to use.");
    let rotated = admin.rotate(&old.0, "24h").expect(201);
    let saved = rotated.html().attribute("#saved", "href");
    let new = rotated.shown_key();
    assert!(saved.starts_with(&format!("{API_KEYS}/{}?done=", new.0)), "{saved}");
    let page = admin.get(&saved).expect(200).html();
    let preview = format!("{}…{}", &old.1[..8], &old.1[38..]);
    let sentence =
        format!("This is the new key of ERP Sync. The old key {preview} keeps working until 24 Nov 2026, 09:00.");
    assert_eq!(page.text(".banner[role=status] p"), sentence);
    assert_eq!(page.text(".key-name .hint"), "New key");
    assert_eq!(admin.key_page(&old.0).text(".key-name .hint"), "Old key");
}

#[test]
fn the_page_of_a_new_key_has_snippets_without_it_and_waits_for_a_request() {
    let server = TestServer::behind_proxy();
    let admin = server.admin();
    let answer = admin.add_key_with("ERP Sync", &[]).expect(201);
    let page = answer.html();
    let (id, key) = answer.shown_key();
    let snippets = page.texts("dialog pre");
    assert_eq!(snippets.len(), 5);
    assert!(snippets.iter().all(|snippet| !snippet.contains(&key[4..])), "{snippets:?}");
    for id in page.all("dialog pre").iter().map(|snippet| snippet.attr("id").unwrap()) {
        assert!(page.has(&format!("dialog template[data-copies='{id}']")), "{id}");
    }
    assert!(snippets[2].contains("${{ secrets.API_KEY }}"), "{}", snippets[2]);
    let path = page.attribute("[data-poll]", "data-poll");
    assert_eq!(path, format!("{API_KEYS}/{id}/first-request"));
    assert_eq!(admin.get(&path).expect(204).body, "");
    server.present_from(&key, CURL, "203.0.113.9");
    server.record_usage();
    assert_eq!(admin.get(&path).expect(200).body, "First request received from 203.0.113.9.");
}

#[test]
fn usage_is_downloaded_by_hour() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let path = format!("{API_KEYS}/{id}/usage.csv");
    assert!(admin.key_page(&id).has(&format!("a[href='{path}']")));
    assert_eq!(admin.get(&path).expect(200).body, "hour,accepted,refused\r\n");
    server.present(&key, CURL);
    server.present(&key, CURL);
    server.record_usage();
    server.set_clock(NOW + HOUR * 3);
    admin.revoke(&id, "unspecified", "").expect(303);
    server.present(&key, CURL);
    server.record_usage();
    let answer = server.auditor().get(&path).expect(200);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    let name = format!("attachment; filename=\"usage-{id}.csv\"");
    assert_eq!(answer.header("content-disposition"), name);
    let rows = ["hour,accepted,refused", "2026-11-23T09:00:00Z,2,0", "2026-11-23T12:00:00Z,0,1", ""];
    assert_eq!(answer.body, rows.join("\r\n"));
}

#[test]
fn an_account_shows_all_of_its_keys_and_pages_them() {
    let server = TestServer::start();
    let admin = server.admin();
    let (first, _) = admin.add_key_with("ERP Sync", &[("purpose", "Copies orders")]).shown_key();
    admin.create_key("Other");
    server.advance(Duration::from_mins(1));
    let (second, _) = admin.rotate(&first, "none").shown_key();
    server.advance(Duration::from_mins(1));
    let (third, _) = admin.rotate(&second, "24h").shown_key();
    let auditor = server.auditor();
    let key_page = auditor.key_page(&first);
    let account = key_page.text("#service-account-id");
    let path = format!("/administration/company-settings/service-accounts/{account}");
    assert!(key_page.has(&format!("a[href='{path}']")));
    let page = auditor.get(&path).expect(200).html();
    assert_eq!((page.text("h1"), page.text("#service-account-id")), ("ERP Sync".to_owned(), account));
    assert!(page.text("main").contains("Copies orders"));
    let rows: Vec<_> =
        page.all("tr[data-key-id]").iter().map(|row| row.attr("data-key-id").unwrap().to_owned()).collect();
    assert_eq!(rows, [third, second, first.clone()]);
    let row = page.row(&first);
    assert!(row.contains("Revoked") && row.contains("Replaced by another key"), "{row}");
    // More keys than a page has.
    let numbers = database::numbers(55);
    let digest = if database::postgres().is_some() { "decode(md5(CAST(n AS TEXT)), 'hex')" } else { "randomblob(32)" };
    let columns = "company_id, service_account_id, pepper_id, preview, preview_folded, created_at, created_by, owner";
    let sql = format!(
        "INSERT INTO api_keys (id, digest, {columns}) \
         SELECT '01940000-0000-7000-8000-' || CAST(100000000000 + n AS TEXT), {digest}, {columns} \
         FROM ({numbers}) AS numbers, api_keys WHERE id = '{first}'"
    );
    database::tamper(&server.database_url, &sql);
    let page = auditor.get(&path).expect(200).html();
    assert_eq!(page.all("tr[data-key-id]").len(), 50);
    let older = auditor.get(&page.attribute("a[rel=next]", "href")).expect(200).html();
    assert_eq!(older.all("tr[data-key-id]").len(), 8);
    assert!(!older.has("a[rel=next]"));
    let newer = auditor.get(&older.attribute("a[rel=prev]", "href")).expect(200).html();
    assert_eq!(newer.all("tr[data-key-id]").len(), 50);
    auditor.get(&format!("{path}?cursor=x")).expect(404);
}
