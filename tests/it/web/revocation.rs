//! Revoking a key.

use std::time::Duration;

use crate::support::{API_KEYS, TestServer};

#[test]
fn a_revoked_key_is_refused_once_the_page_confirms_it() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let (_, other) = admin.create_key("Reporting");
    let form = admin.get(&format!("{API_KEYS}/{id}/revoke")).expect(200).html();
    assert!(form.text("dialog").contains("Revoke ERP Sync?"));
    assert_eq!(form.attribute("select[name=reason] option[selected]", "value"), "unspecified");
    let answer = admin.revoke(&id, "compromised", "Pasted into a ticket.\nSorry.").expect(303);
    assert_eq!(server.whoami(&key), 401);
    assert_eq!(server.whoami(&other), 200);
    let list = admin.get(answer.header("location")).expect(200).html();
    assert_eq!(list.text(".banner[role=status] p"), "ERP Sync was revoked. Requests that use it are now rejected.");
    assert_eq!(list.counters(), ["Active Keys 1 key", "Revoked Keys 1 key"]);
    let revoked = admin.get(&format!("{API_KEYS}?tab=revoked")).expect(200).html();
    assert_eq!(revoked.attribute("tr[data-key-id]", "data-status"), "revoked");
    let row = revoked.text("tr[data-key-id]");
    for part in ["ERP Sync", "Maria Lindqvist", "23 Nov 2026", "Compromised", "Pasted into a ticket."] {
        assert!(row.contains(part), "{row}");
    }
}

#[test]
fn missing_fields_of_a_revocation_are_optional() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    admin.post(&format!("{API_KEYS}/{id}/revoke"), &[]).expect(303);
    assert!(admin.get(&format!("{API_KEYS}?tab=revoked")).html().text("tr[data-key-id]").contains("Not given"));
}

#[test]
fn a_second_revocation_says_who_was_first() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    admin.revoke(&id, "compromised", "first").expect(303);
    for answer in [admin.revoke(&id, "superseded", "second"), admin.get(&format!("{API_KEYS}/{id}/revoke"))] {
        let answer = answer.expect_redirect(&format!("{API_KEYS}?tab=revoked&already={id}"));
        let page = admin.get(answer.header("location")).html();
        assert_eq!(page.text(".banner p"), "ERP Sync was already revoked by Maria Lindqvist on 23 Nov 2026.");
        assert!(page.text("tr[data-key-id]").contains("first"));
    }
}

#[test]
fn two_concurrent_revocations_are_one() {
    let server = TestServer::start();
    let (one, two) = (server.admin(), server.admin());
    let (id, _) = one.create_key("ERP Sync");
    let locations: Vec<String> = std::thread::scope(|scope| {
        let threads = [&one, &two]
            .map(|admin| scope.spawn(|| admin.revoke(&id, "unspecified", "").header("location").to_owned()));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(locations.iter().filter(|location| location.contains("?done=")).count(), 1, "{locations:?}");
    assert_eq!(locations.iter().filter(|location| location.contains("already=")).count(), 1, "{locations:?}");
    let drawer = one.get(&format!("{API_KEYS}?audit=open")).html();
    assert_eq!(drawer.all("[data-action='api_key.revoked']").len(), 1);
}

#[test]
fn a_banner_is_shown_to_its_actor_for_ten_minutes() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    let done = admin.revoke(&id, "unspecified", "").header("location").to_owned();
    assert!(admin.get(&done).html().has(".banner"));
    assert!(!server.auditor().get(&done).html().has(".banner"));
    assert!(!server.other_company_admin().get(&done).html().has(".banner"));
    assert!(!admin.get(&format!("{API_KEYS}?done={id}")).html().has(".banner"));
    assert!(!admin.get(&format!("{API_KEYS}?done=nonsense")).expect(200).html().has(".banner"));
    server.advance(Duration::from_mins(10));
    assert!(!admin.get(&done).html().has(".banner"));
}

#[test]
fn an_invalid_reason_or_comment_shows_the_form_again() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let long = "é".repeat(501);
    let answer = admin.revoke(&id, "compromised", &long).expect(422);
    assert!(answer.body.contains("Comment must be 500 characters or fewer"));
    let page = answer.html();
    assert_eq!(page.text("textarea[name=comment]"), long);
    assert_eq!(page.attribute("select[name=reason] option[selected]", "value"), "compromised");
    admin.revoke(&id, "bored", "").expect(422);
    admin.revoke(&id, "compromised", "a\u{202E}b").expect(422);
    assert_eq!(server.whoami(&key), 200);
    admin.revoke(&id, "compromised", &"é".repeat(500)).expect(303);
}

#[test]
fn a_long_comment_is_cut_in_the_list_but_not_in_the_trail() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    let comment = "👩 leaked & revoked ".repeat(20);
    admin.revoke(&id, "compromised", &comment).expect(303);
    let row = admin.get(&format!("{API_KEYS}?tab=revoked")).html().text("tr[data-key-id] .comment");
    assert!(row.ends_with('…') && row.chars().count() <= 81, "{row}");
    assert!(
        admin
            .get(&format!("{API_KEYS}?audit=open"))
            .html()
            .text("[data-action='api_key.revoked']")
            .contains(comment.trim())
    );
}
