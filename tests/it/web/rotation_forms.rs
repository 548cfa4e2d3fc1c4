//! The rotation form: repeated, expired and invalid submissions, and rotation of keys with an expiry.

use std::time::Duration;

use crate::support::server::NOW;
use crate::support::{API_KEYS, Answer, Browser, TestServer};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

fn send(admin: &Browser, id: &str, fields: &[(&str, &str)]) -> Answer {
    admin.post(&format!("{API_KEYS}/{id}/rotate"), fields)
}

#[test]
fn a_form_that_is_sent_again_creates_nothing() {
    let server = TestServer::start();
    let admin = server.admin();
    let (old, other) = (admin.create_key("ERP Sync"), admin.create_key("Other"));
    let submission = admin.rotation(&old.0);
    send(&admin, &old.0, &[("overlap", "none"), ("submission", &submission)]).expect(201);
    let keys = server.key_count();
    for (id, overlap) in [(&old.0, "none"), (&old.0, "24h"), (&other.0, "24h"), (&other.0, "bad")] {
        let again = send(&admin, id, &[("overlap", overlap), ("submission", &submission)]).expect(409);
        assert!(again.body.contains("This key was already shown. If you didn’t save it, rotate it to get a new key."));
        assert!(!again.html().has("#new-key"));
    }
    assert_eq!((server.key_count(), server.whoami(&other.1)), (keys, 200));
}

#[test]
fn an_invalid_submission_creates_nothing_and_keeps_the_fields() {
    let server = TestServer::start();
    let (admin, other) = (server.admin(), server.admin());
    let old = admin.create_key("ERP Sync");
    let (keys, foreign, too_old) = (server.key_count(), other.rotation(&old.0), admin.rotation(&old.0));
    server.set_clock(NOW + DAY + Duration::from_micros(1));
    for submission in ["", "nonsense", &foreign, &too_old, &admin.submission()] {
        let typed = [("overlap", "7d"), ("expires", "date"), ("expires_on", "2027-03-01"), ("submission", submission)];
        let page = send(&admin, &old.0, &typed).expect(422).html();
        assert!(page.text("title").starts_with("Error: Rotate "));
        assert!(page.text("dialog").contains("This form has expired. Check your choices and select Rotate key again."));
        assert_eq!(page.attribute("input[name=overlap][checked]", "value"), "7d");
        assert_eq!(page.attribute("select[name=expires] option[selected]", "value"), "date");
        assert_eq!(page.attribute("input[name=expires_on]", "value"), "2027-03-01");
        assert_ne!(page.attribute("dialog input[name=submission]", "value"), submission);
    }
    assert_eq!(server.key_count(), keys);
    let for_rotation = admin.rotation(&old.0);
    admin.post(API_KEYS, &[("name", "New"), ("submission", &for_rotation)]).expect(422);
    assert_eq!(server.key_count(), keys);
    send(&admin, &old.0, &[("submission", &for_rotation)]).expect(201);
}

#[test]
fn a_submission_is_valid_for_a_day_and_after_a_refusal() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    let submission = admin.rotation(&old.0);
    let keys = server.key_count();
    server.set_clock(NOW + DAY - Duration::from_secs(1));
    for (overlap, expires, on, sentence) in [
        ("2h", "none", "", "Choose how long the old key keeps working"),
        ("1H", "none", "", "Choose how long the old key keeps working"),
        ("7d", "31d", "", "Choose when the key expires"),
        ("7d", "date", "2026-11-23", "Choose a date in the future"),
        ("7d", "date", "soon", "Choose a date"),
    ] {
        let typed = [("overlap", overlap), ("expires", expires), ("expires_on", on), ("submission", &submission)];
        let answer = send(&admin, &old.0, &typed).expect(422);
        assert!(answer.body.contains(sentence), "{sentence}: {}", answer.body);
        let page = answer.html();
        assert_eq!(page.attribute("input[name=expires_on]", "value"), on);
        if overlap == "7d" {
            assert_eq!(page.attribute("input[name=overlap][checked]", "value"), overlap);
        }
    }
    assert_eq!(server.key_count(), keys);
    let typed = [("overlap", "1h"), ("expires", "date"), ("expires_on", "2026-12-01"), ("submission", &submission)];
    let new = send(&admin, &old.0, &typed).shown_key();
    let whoami = server.anonymous().bearer("/v1/whoami", &new.1).expect(200).body;
    assert!(whoami.contains(r#""expires_at":"2026-12-01T23:59:59Z""#), "{whoami}");
}

#[test]
fn an_expired_key_is_rotated_once_and_stays_expired() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key_for("ERP Sync", "30d");
    server.set_clock(NOW + DAY * 30);
    server.actions.record_ended_keys().unwrap();
    let form = admin.get(&format!("{API_KEYS}/{}/rotate", old.0)).expect(200).html();
    assert!(form.text("dialog").contains("A new key takes over from the one that expired."));
    assert!(!form.has("input[name=overlap]"));
    let answer = admin.rotate(&old.0, "30d").expect(201);
    assert!(answer.html().text("dialog").contains("no longer works."), "an overlap would revive it");
    let new = answer.shown_key();
    for now in [NOW + DAY * 30, NOW + DAY * 70] {
        server.set_clock(now);
        server.actions.record_ended_keys().unwrap();
        assert_eq!([&old, &new].map(|key| server.state_of(&admin, key)), ["expired", "active"]);
    }
    assert_eq!(server.history(&old.0), ["api_key.created", "api_key.expired", "api_key.rotated"]);
    let (keys, again) = (server.key_count(), admin.get(&format!("{API_KEYS}/{}/rotate", old.0)).expect(409));
    assert!(again.body.contains("This API key is already being replaced."));
    let submission = admin.rotation(&new.0);
    send(&admin, &old.0, &[("submission", &submission)]).expect(409);
    assert_eq!(server.key_count(), keys);
}

#[test]
fn an_expired_key_whose_account_has_a_newer_key_is_not_rotated() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key_for("ERP Sync", "30d");
    server.set_clock(NOW + DAY * 30);
    let newer = admin.create_key("ERP Sync");
    let keys = server.key_count();
    let refused = admin.rotate(&old.0, "24h").expect(409).html();
    let sentence = "The service account of this expired key has a newer key. Rotate that one.";
    assert_eq!(refused.text("dialog .banner[role=alert] p"), sentence);
    assert_eq!((server.key_count(), server.history(&old.0)), (keys, vec!["api_key.created".to_owned()]));
    admin.revoke(&newer.0, "unspecified", "").expect(303);
    admin.rotate(&old.0, "24h").expect(201);
}

#[test]
fn a_key_that_expires_during_its_overlap_ends_at_its_expiry() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key_for("ERP Sync", "30d");
    server.set_clock(NOW + DAY * 29);
    let answer = admin.rotate(&old.0, "7d").expect(201);
    assert!(answer.html().text("dialog").contains("keeps working until 23 Dec 2026, 09:00."));
    let rotated = admin.key_page(&old.0).text("[data-action='api_key.rotated']");
    assert!(rotated.contains("overlap until 23 Dec 2026, 09:00"), "{rotated}");
    assert!(!admin.key_page(&old.0).has("input[name=end][value='7d']"));
    let refused = admin.change_overlap(&old.0, "7d").expect(409);
    assert!(refused.body.contains("The old key expires before that date."));
    server.set_clock(NOW + DAY * 30 - Duration::from_micros(1));
    assert_eq!(server.state_of(&admin, &old), "active");
    server.set_clock(NOW + DAY * 30);
    assert_eq!(server.state_of(&admin, &old), "expired");
    server.set_clock(NOW + DAY * 60);
    server.actions.record_ended_keys().unwrap();
    assert_eq!(server.state_of(&admin, &old), "expired");
    assert_eq!(server.history(&old.0).last().unwrap(), "api_key.expired");
}

#[test]
fn an_overlap_is_extended_up_to_the_expiry() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key_for("ERP Sync", "30d");
    server.set_clock(NOW + DAY * 27);
    admin.rotate(&old.0, "24h").expect(201);
    let extended = admin.change_overlap(&old.0, "7d").expect(303);
    let page = admin.get(extended.header("location")).html();
    assert_eq!(page.text(".banner p"), "The old key keeps working until 23 Dec 2026, 09:00.");
    let event = page.text("[data-action='api_key.expiry_changed']");
    assert!(event.contains("extended ERP Sync until 23 Dec 2026, 09:00"), "{event}");
    server.set_clock(NOW + DAY * 30);
    assert_eq!(server.state_of(&admin, &old), "expired");
}

#[test]
fn a_replacement_is_rotated_while_the_first_key_works() {
    let server = TestServer::start();
    let admin = server.admin();
    let first = admin.create_key("ERP Sync");
    let second = admin.rotate(&first.0, "24h").shown_key();
    server.advance(Duration::from_secs(1));
    let third = admin.rotate(&second.0, "1h").shown_key();
    assert_eq!([&first, &second, &third].map(|key| server.state_of(&admin, key)), ["active"; 3]);
    assert!(admin.add_key("ERP Sync").expect(422).html().has(&format!("a[href='{API_KEYS}/{}/rotate']", third.0)));
    server.set_clock(NOW + HOUR + Duration::from_secs(1));
    let states = [&first, &second, &third].map(|key| server.state_of(&admin, key));
    assert_eq!(states, ["active", "revoked", "active"]);
    let page = admin.key_page(&second.0).text("section[aria-labelledby=replacement]");
    assert!(page.contains("Replaced by") && page.contains("Replaces"), "{page}");
}
