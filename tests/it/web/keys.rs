//! Adding keys.

use std::time::Duration;

use crate::support::{API_KEYS, TestServer, browser, database};

#[test]
fn a_new_key_is_shown_once_and_works_at_once() {
    let server = TestServer::start();
    let admin = server.admin();
    let answer = admin.add_key("ERP Sync Service").expect(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    let page = answer.html();
    let (id, key) = (page.attribute("#new-key", "data-key-id"), page.text("#new-key"));
    assert!(key.starts_with("goa_") && key.len() == 42, "{key}");
    assert_eq!(answer.body.matches(&key).count(), 1);
    assert_eq!(server.whoami(&key), 200);
    let list = admin.get(API_KEYS).expect(200);
    assert!(!list.body.contains(&key));
    let row = list.html();
    assert_eq!(row.key_names(), ["ERP Sync Service"]);
    assert_eq!(row.attribute("tr[data-key-id]", "id"), format!("key-{id}"));
    assert_eq!(row.attribute("tr[data-key-id]", "data-status"), "active");
    assert_eq!(row.text("tr[data-key-id] code"), format!("{}…{}", &key[..8], &key[38..]));
    assert!(row.text("tr[data-key-id]").contains("Maria Lindqvist"));
}

#[test]
fn a_form_sent_twice_creates_one_key() {
    let server = TestServer::start();
    let admin = server.admin();
    let submission = admin.submission();
    let fields = [("name", "ERP Sync"), ("submission", submission.as_str())];
    admin.post(API_KEYS, &fields).expect(201);
    for name in ["ERP Sync", "Another", ""] {
        let again = admin.post(API_KEYS, &[("name", name), ("submission", &submission)]).expect(409);
        assert!(again.body.contains("This key was already shown. If you didn’t save it, rotate it to get a new key."));
        assert!(!again.html().has("#new-key"));
    }
    assert_eq!(admin.get(API_KEYS).html().key_names(), ["ERP Sync"]);
}

#[test]
fn a_form_sent_twice_concurrently_creates_one_key() {
    let server = TestServer::start();
    let admin = server.admin();
    let submission = admin.submission();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let send = || admin.post(API_KEYS, &[("name", "ERP Sync"), ("submission", &submission)]).status;
        let threads = [(); 4].map(|()| scope.spawn(send));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 3, "{statuses:?}");
}

#[test]
fn an_invalid_submission_creates_nothing_and_keeps_the_name() {
    let server = TestServer::start();
    let (admin, other) = (server.admin(), server.admin());
    for submission in ["", "nonsense", &other.submission()] {
        let page = admin.post(API_KEYS, &[("name", "ERP Sync"), ("submission", submission)]).expect(422).html();
        assert_eq!(page.attribute("input[name=name]", "value"), "ERP Sync");
        assert!(!page.has("#new-key"));
        let new = page.attribute("input[name=submission]", "value");
        assert_ne!(new, submission);
    }
    assert!(admin.get(API_KEYS).html().key_names().is_empty());
}

#[test]
fn a_submission_is_still_valid_after_a_refused_name() {
    let server = TestServer::start();
    let admin = server.admin();
    let submission = admin.submission();
    admin.post(API_KEYS, &[("name", ""), ("submission", &submission)]).expect(422);
    admin.post(API_KEYS, &[("name", "ERP Sync"), ("submission", &submission)]).expect(201);
}

#[test]
fn an_invalid_name_is_refused_with_a_sentence_and_kept() {
    let server = TestServer::start();
    let admin = server.admin();
    let long = "x".repeat(65);
    for (name, sentence) in [
        ("", "Enter a name for the service account"),
        ("   ", "Enter a name for the service account"),
        (long.as_str(), "Name must be 64 characters or fewer"),
        ("ERP\u{202E}Sync", "The name contains a character that cannot be seen (U+202E). Remove it."),
        ("ERP\0Sync", "The name contains a character that cannot be seen (U+0000). Remove it."),
        ("ERP\u{200B}Sync", "The name contains a character that cannot be seen (U+200B). Remove it."),
    ] {
        let answer = admin.add_key(name).expect(422);
        assert!(answer.body.contains(sentence), "{name:?}");
        let page = answer.html();
        assert_eq!(page.attribute("input[name=name]", "aria-invalid"), "true");
        assert!(page.text("title").starts_with("Error: Add API Key"));
    }
    let page_of_long_name = admin.add_key(&long).html();
    assert_eq!(page_of_long_name.attribute("input[name=name]", "value"), long);
}

#[test]
fn names_in_every_script_are_kept_as_typed() {
    let server = TestServer::start();
    let admin = server.admin();
    let names = [
        "<script>alert(1)</script>",
        "O'Neil & Sons \"EDI\"",
        "سرویس می‌خواهم",
        "שירות דיווח",
        "报表服务",
        "👨‍👩‍👧 family",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿 flag",
        "e\u{301}t\u{e9}",
        "a  b",
        "'; DROP TABLE api_keys; --",
        "%00 100% _x_ \\",
        "{{ 7*7 }}",
    ];
    for name in names {
        admin.create_key(name);
        server.advance(Duration::from_secs(1));
    }
    let mut listed = admin.get(API_KEYS).html().key_names();
    listed.reverse();
    assert_eq!(listed, names);
    let spaced = "x".repeat(64);
    admin.create_key(&format!("  {spaced}\u{3000}"));
    assert_eq!(admin.get(API_KEYS).html().key_names()[0], spaced);
}

#[test]
fn a_name_with_an_active_key_is_refused_in_any_spelling() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.create_key("ERP Sync");
    for same in ["ERP Sync", " erp  SYNC ", "ＥＲＰ Sync"] {
        let answer = admin.add_key(same);
        if same.starts_with('Ｅ') {
            // Full-width letters are different letters: NFC does not merge them.
            assert_eq!(answer.status, 201);
        } else {
            assert!(answer.expect(422).body.contains("An active key named “ERP Sync” already exists."), "{same}");
        }
    }
    server.other_company_admin().create_key("ERP Sync");
}

#[test]
fn a_name_with_only_revoked_keys_keeps_its_spelling() {
    let server = TestServer::start();
    let admin = server.admin();
    let (first, _) = admin.create_key("ERP Sync");
    admin.revoke(&first, "superseded", "").expect(303);
    let (second, key) = admin.create_key("erp sync");
    assert_ne!(first, second);
    assert_eq!(admin.get(API_KEYS).html().key_names(), ["ERP Sync"]);
    assert_eq!(server.whoami(&key), 200);
}

#[test]
fn of_two_concurrent_creations_with_one_name_one_wins() {
    let server = TestServer::start();
    let browsers = [server.admin(), server.admin()];
    for round in 0..10 {
        let name = format!("Service {round}");
        let submissions = browsers.each_ref().map(|browser| browser.submission());
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let threads = browsers.iter().zip(&submissions).map(|(browser, submission)| {
                let fields = [("name", name.as_str()), ("submission", submission.as_str())];
                scope.spawn(move || browser.post(API_KEYS, &fields).status)
            });
            threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(statuses.contains(&201) && statuses.contains(&422), "{statuses:?}");
    }
}

#[test]
fn foreign_malformed_and_missing_ids_are_the_same_404() {
    let server = TestServer::start();
    let admin = server.admin();
    let (foreign, key) = server.other_company_admin().create_key("Theirs");
    let missing = "01940000-0000-7000-8000-000000000000";
    let bodies: Vec<String> = [foreign.as_str(), missing, "nonsense", &foreign.to_uppercase(), "%00", "..%2f"]
        .iter()
        .flat_map(|id| {
            [admin.get(&format!("{API_KEYS}/{id}/revoke")), admin.post(&format!("{API_KEYS}/{id}/revoke"), &[])]
        })
        .map(|answer| answer.expect(404).without_reference())
        .collect();
    assert!(bodies[0].contains("This API key does not exist."));
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(server.whoami(&key), 200);
    let drawer = |id: &str| admin.get(&format!("{API_KEYS}?audit=open&key={id}")).expect(404).without_reference();
    assert_eq!(drawer(&foreign), drawer(missing));
}

#[test]
fn an_auditor_sees_everything_and_changes_nothing() {
    let server = TestServer::start();
    let (id, key) = server.admin().create_key("ERP Sync");
    let auditor = server.auditor();
    let list = auditor.get(API_KEYS).expect(200).html();
    assert_eq!(list.key_names(), ["ERP Sync"]);
    assert!(!list.has("a[href$='/new']") && !list.has("a[href$='/revoke']"));
    auditor.get(&format!("{API_KEYS}?audit=open")).expect(200);
    let bad = [("name", ""), ("submission", "")];
    for answer in [
        auditor.get(&format!("{API_KEYS}/new")),
        auditor.post(API_KEYS, &bad),
        auditor.get(&format!("{API_KEYS}/{id}/revoke")),
        auditor.post(&format!("{API_KEYS}/{id}/revoke"), &[]),
        auditor.post(&format!("{API_KEYS}/nonsense/revoke"), &[]),
    ] {
        assert!(answer.expect(403).body.contains("You need to be an administrator to do this."));
    }
    assert_eq!(server.whoami(&key), 200);
    auditor.post("/sign-out", &[]).expect_redirect("/sign-in");
}

#[test]
fn a_change_of_role_takes_effect_at_the_next_request() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.get(&format!("{API_KEYS}/new")).expect(200);
    database::tamper(&server.database_url, "UPDATE users SET role = 'auditor'");
    admin.get(&format!("{API_KEYS}/new")).expect(403);
    database::tamper(
        &server.database_url,
        "UPDATE users SET deleted_at = 1, name = NULL, email = NULL, email_folded = NULL",
    );
    admin.get(API_KEYS).expect(303);
}

#[test]
fn an_expired_key_is_listed_on_the_revoked_tab() {
    let server = TestServer::start();
    let admin = server.admin();
    let (_, key) = admin.create_key("ERP Sync");
    let end = server.clock.now() + Duration::from_mins(5);
    database::tamper(&server.database_url, &format!("UPDATE api_keys SET expires_at = {}", end.as_micros()));
    server.clock.set(end - Duration::from_micros(1));
    assert_eq!((server.whoami(&key), admin.get(API_KEYS).html().key_names().len()), (200, 1));
    server.clock.set(end);
    assert_eq!((server.whoami(&key), admin.get(API_KEYS).html().key_names().len()), (401, 0));
    let page = admin.get(&format!("{API_KEYS}?tab=revoked")).html();
    assert_eq!(page.attribute("tr[data-key-id]", "data-status"), "expired");
    assert!(page.text("tr[data-key-id]").contains("Expired"));
}

#[test]
fn reloading_the_page_of_a_new_key_shows_the_list() {
    let server = TestServer::start();
    let admin = server.admin();
    let page = admin.add_key("ERP Sync").html();
    let id = page.attribute("#new-key", "data-key-id");
    let on = page.attribute("dialog .dialog-foot a", "href");
    assert_eq!(on, format!("{API_KEYS}?tab=active#key-{id}"));
    assert!(page.has(".page[inert]") && page.has("dialog[open]") && !page.has("a.backdrop"));
    let bare = browser::send(admin.request("POST", API_KEYS).header("Sec-Fetch-Site", "same-origin")).status;
    assert_eq!(bare, 422);
}

#[test]
fn a_key_in_a_name_or_comment_is_refused_and_not_repeated() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    for answer in [admin.add_key(&key), admin.revoke(&id, "compromised", &format!("It was {key}."))] {
        let answer = answer.expect(422);
        assert!(!answer.body.contains(&key[4..38]));
        assert!(answer.html().has("[aria-invalid=true]"));
    }
    assert_eq!(server.whoami(&key), 200);
}
