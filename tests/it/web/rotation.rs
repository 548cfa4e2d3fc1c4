//! Rotating a key: the old key ends at once or after an overlap.

use std::time::Duration;

use keydesk::domain::user::profile::Role;

use crate::support::server::NOW;
use crate::support::{API_KEYS, Browser, Html, TestServer, database};

const MICRO: Duration = Duration::from_micros(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const BEING_REPLACED: &str = "This API key is already being replaced. Rotate the key that replaces it.";
const REVOKED: &str = "This API key is revoked and cannot be rotated. Create a new key.";

fn rotate_with(admin: &Browser, id: &str, fields: &[(&str, &str)]) -> crate::support::Answer {
    admin.post(&format!("{API_KEYS}/{id}/rotate"), fields)
}

fn replacement(page: &Html) -> String {
    page.text("section[aria-labelledby=replacement] .panel")
}

#[test]
fn the_old_key_works_until_the_overlap_ends() {
    let server = TestServer::start();
    let admin = server.admin();
    for (overlap, length, ends) in [
        ("1h", HOUR, "23 Nov 2026, 10:00"),
        ("24h", DAY, "24 Nov 2026, 09:00"),
        ("7d", DAY * 7, "30 Nov 2026, 09:00"),
        ("30d", DAY * 30, "23 Dec 2026, 09:00"),
        ("", DAY, "24 Nov 2026, 09:00"),
    ] {
        server.set_clock(NOW);
        let old = admin.create_key(&format!("Service {overlap:?}"));
        let answer = admin.rotate(&old.0, overlap).expect(201);
        let preview = format!("{}…{}", &old.1[..8], &old.1[38..]);
        let text = answer.html().text("dialog");
        assert!(text.contains(&format!("The old key {preview} keeps working until {ends}.")), "{text}");
        let new = answer.shown_key();
        assert!(new.0 != old.0 && new.1 != old.1);
        for now in [NOW, NOW + length - MICRO] {
            server.set_clock(now);
            assert_eq!([&old, &new].map(|key| server.state_of(&admin, key)), ["active", "active"], "{overlap}");
        }
        for now in [NOW + length, NOW + length + MICRO] {
            server.set_clock(now);
            assert_eq!([&old, &new].map(|key| server.state_of(&admin, key)), ["revoked", "active"], "{overlap}");
            let row = admin.tab("revoked").row(&old.0);
            let page = admin.key_page(&old.0).text("section[aria-labelledby=revocation]");
            for text in ["Maria Lindqvist", &ends[..11], "Replaced by another key"] {
                assert!(row.contains(text) && page.contains(text), "{text}: {row} {page}");
            }
        }
        assert_eq!(server.history(&old.0), ["api_key.created", "api_key.rotated"], "the end is not recorded yet");
    }
}

#[test]
fn a_caller_with_the_old_key_learns_when_it_ends() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    assert!(server.anonymous().bearer("/v1/whoami", &old.1).expect(200).body.contains(r#""expires_at":null"#));
    let new = admin.rotate(&old.0, "1h").shown_key();
    let whoami = |key: &str| server.anonymous().bearer("/v1/whoami", key).expect(200).body;
    assert!(whoami(&old.1).contains(r#""expires_at":"2026-11-23T10:00:00Z""#), "{}", whoami(&old.1));
    assert!(whoami(&new.1).contains(r#""expires_at":null"#));
    let row = admin.tab("active").row(&old.0);
    assert!(row.contains("Ends in 1 hour"), "{row}");
}

#[test]
fn without_an_overlap_the_old_key_ends_at_once_with_its_events() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    let answer = admin.rotate(&old.0, "none").expect(201);
    assert!(answer.html().text("dialog").contains("no longer works."));
    let new = answer.shown_key();
    assert_eq!([&old, &new].map(|key| server.state_of(&admin, key)), ["revoked", "active"]);
    assert_eq!(server.history(&old.0), ["api_key.created", "api_key.rotated", "api_key.revoked superseded"]);
    assert_eq!(server.history(&new.0), ["api_key.created"]);
    let created = server.last_event(&new.0, "after_json");
    assert!(created.contains(&format!(r#""replaces":"{}""#, old.0)), "{created}");
    for now in [NOW - DAY, NOW + DAY * 40] {
        server.set_clock(now);
        server.actions.record_ended_keys().unwrap();
        assert_eq!(server.whoami(&old.1), 401, "setting the clock back revives no key");
    }
    assert_eq!(server.history(&old.0).len(), 3);
}

#[test]
fn both_keys_name_each_other_and_the_trail_names_both() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    let new = admin.rotate(&old.0, "24h").shown_key();
    let link = |id: &str| format!("section[aria-labelledby=replacement] a[href='{API_KEYS}/{id}']");
    let (of_old, of_new) = (admin.key_page(&old.0), admin.key_page(&new.0));
    assert!(of_old.has(&link(&new.0)) && of_new.has(&link(&old.0)));
    assert!(replacement(&of_old).contains("Ends in 24 hours (24 Nov 2026, 09:00)"), "{}", replacement(&of_old));
    assert!(replacement(&of_new).contains("which works until 24 Nov 2026, 09:00."), "{}", replacement(&of_new));
    assert!(!of_old.has(&format!("a[href='{API_KEYS}/{}/rotate']", old.0)), "the key is being replaced");
    let after = server.last_event(&old.0, "after_json");
    let ends = (NOW + DAY).as_micros();
    assert_eq!(after, format!(r#"{{"ends_at":{ends},"name":"ERP Sync","replaced_by":"{}"}}"#, new.0));
    assert_eq!(admin.tab("active").key_names(), ["ERP Sync", "ERP Sync"]);
    server.set_clock(NOW + DAY);
    assert!(replacement(&admin.key_page(&old.0)).starts_with("Replaced by "));
    assert!(!replacement(&admin.key_page(&new.0)).contains("works until"));
    assert!(!admin.key_page(&old.0).has("main form"));
}

#[test]
fn an_overlap_end_survives_a_restart_and_is_recorded_once() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    let new = admin.rotate(&old.0, "1h").shown_key();
    server.set_clock(NOW + DAY);
    let later = server.second_server();
    let later_admin = later.admin();
    assert_eq!([&old, &new].map(|key| later.state_of(&later_admin, key)), ["revoked", "active"]);
    std::thread::scope(|scope| {
        for server in [&server, &later, &server, &later] {
            scope.spawn(|| server.actions.record_ended_keys().unwrap());
        }
    });
    assert_eq!(server.history(&old.0), ["api_key.created", "api_key.rotated", "api_key.revoked superseded"]);
    let ended = format!(r#""ended_at":{}"#, (NOW + HOUR).as_micros());
    let (actor, after) = (server.last_event(&old.0, "actor_type"), server.last_event(&old.0, "after_json"));
    assert!(actor == "system" && after.contains(&ended), "{actor} {after}");
    let revoked = format!("id = '{}' AND revoked_at = {}", old.0, (NOW + HOUR).as_micros());
    assert_eq!(database::count(&server.database_url, "api_keys", &revoked), 1);
    server.set_clock(NOW);
    assert_eq!(server.state_of(&admin, &old), "revoked");
    assert!(admin.tab("revoked").row(&old.0).contains("Maria Lindqvist"), "revoked by the user who rotated the key");
    server.set_clock(NOW + DAY);
    server.actions.record_ended_keys().unwrap();
    assert_eq!(server.history(&old.0).len(), 3);
}

#[test]
fn an_overlap_ends_now_or_is_extended_once() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    admin.change_overlap(&old.0, "now").expect(409);
    admin.change_overlap(&old.0, "7d").expect(409);
    admin.rotate(&old.0, "1h").expect(201);
    for wrong in ["", "later", "7D", "8d"] {
        let page = admin.change_overlap(&old.0, wrong).expect(422).html();
        assert_eq!(page.text(".banner[role=alert] p"), "Select “End now” or “Extend by 7 days”.");
    }
    let extended = admin.change_overlap(&old.0, "7d").expect(303).header("location").to_owned();
    assert!(extended.starts_with(&format!("{API_KEYS}/{}?done=", old.0)), "{extended}");
    let page = admin.get(&extended).html();
    assert_eq!(page.text(".banner[role=status] p"), "The old key will keep working until 30 Nov 2026, 10:00.");
    assert!(!page.has("input[name=end][value='7d']") && page.has(&format!("a[href='{API_KEYS}/{}/end']", old.0)));
    let [from, to] = [NOW + HOUR, NOW + HOUR + DAY * 7].map(|at| format!(r#""ends_at":{}"#, at.as_micros()));
    assert!(server.last_event(&old.0, "before_json").contains(&from));
    assert!(server.last_event(&old.0, "after_json").contains(&to));
    let again = admin.change_overlap(&old.0, "7d").expect(409);
    assert!(again.body.contains("The overlap was already extended."));
    server.set_clock(NOW + HOUR + DAY * 7 - MICRO);
    assert_eq!(server.state_of(&admin, &old), "active");
    let ended = admin.change_overlap(&old.0, "now").expect(303);
    assert_eq!(admin.get(ended.header("location")).html().text(".banner p"), "The old key no longer works.");
    assert_eq!(server.state_of(&admin, &old), "revoked");
    for end in ["now", "7d"] {
        admin.change_overlap(&old.0, end).expect(409);
    }
    let history = ["api_key.created", "api_key.rotated", "api_key.expiry_changed", "api_key.revoked superseded"];
    assert_eq!(server.history(&old.0), history);
    let other = admin.create_key("Other");
    admin.rotate(&other.0, "1h").expect(201);
    server.set_clock(server.clock.now() + HOUR);
    for end in ["now", "7d"] {
        admin.change_overlap(&other.0, end).expect(409);
        assert_eq!(server.whoami(&other.1), 401, "an ended overlap is not extended");
    }
}

#[test]
fn a_key_revoked_during_its_overlap_has_the_given_reason() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    let new = admin.rotate(&old.0, "24h").shown_key();
    let revoked = admin.revoke(&old.0, "compromised", "In a ticket").expect(303).header("location").to_owned();
    let (_, done) = revoked.split_once('?').unwrap();
    assert!(
        !admin.get(&format!("{API_KEYS}/{}?{done}", old.0)).expect(200).html().has(".banner"),
        "no overlap has ended"
    );
    for now in [NOW, NOW + DAY * 2] {
        server.set_clock(now);
        server.actions.record_ended_keys().unwrap();
        assert_eq!([&old, &new].map(|key| server.state_of(&admin, key)), ["revoked", "active"]);
        let row = admin.tab("revoked").row(&old.0);
        assert!(row.contains("Compromised") && row.contains("In a ticket"), "{row}");
    }
    assert_eq!(server.history(&old.0).len(), 3);
}

#[test]
fn a_replaced_or_revoked_key_is_not_rotated() {
    let server = TestServer::start();
    let admin = server.admin();
    let (old, submission) = (admin.create_key("ERP Sync"), admin.create_key("Unrelated").0);
    let submission = admin.rotation(&submission);
    let new = admin.rotate(&old.0, "24h").shown_key();
    let (keys, history) = (server.key_count(), server.history(&old.0));
    let sent = rotate_with(&admin, &old.0, &[("submission", &submission)]);
    for answer in [sent, admin.get(&format!("{API_KEYS}/{}/rotate", old.0))] {
        let page = answer.expect(409).html();
        assert_eq!(page.text("dialog .banner[role=alert] p"), BEING_REPLACED);
        assert!(!page.has("#new-key"));
    }
    admin.revoke(&new.0, "unspecified", "").expect(303);
    server.set_clock(NOW + DAY);
    for id in [&old.0, &new.0] {
        let sent = rotate_with(&admin, id, &[("submission", &submission)]);
        for answer in [sent, admin.get(&format!("{API_KEYS}/{id}/rotate"))] {
            let answer = answer.expect(409);
            assert!(answer.body.contains(REVOKED) && !answer.html().has("#new-key"), "{}", answer.body);
        }
    }
    assert_eq!((server.key_count(), server.history(&old.0)), (keys, history));
}

#[test]
fn of_concurrent_rotations_of_a_key_one_wins() {
    let server = TestServer::start();
    let admin = server.admin();
    for overlap in ["24h", "none", "1h"] {
        let old = admin.create_key(&format!("Service {overlap}"));
        let keys = server.key_count();
        let submissions = [(); 4].map(|()| admin.rotation(&old.0));
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let send = |submission| {
                let fields = [("overlap", overlap), ("submission", submission)];
                rotate_with(&admin, &old.0, &fields).status
            };
            let threads = submissions.each_ref().map(|submission| scope.spawn(move || send(submission)));
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 3, "{statuses:?}");
        assert_eq!(server.key_count(), keys + 1);
    }
}

#[test]
fn a_rotation_keeps_the_owner_unless_it_is_deleted() {
    let server = TestServer::start();
    let admin = server.admin();
    let jonas = server.add_person("Jonas Bakke", "jonas@brightwater.example", Role::Admin);
    let maria = server.user_id("maria@brightwater.example");
    let old = server.signed_in_as("jonas@brightwater.example").create_key("ERP Sync");
    let owner = |id: &str| {
        let rest = format!("FROM api_keys WHERE id = '{id}'");
        database::column(&server.database_url, "owner || ' ' || created_by", &rest).remove(0).unwrap()
    };
    let second = admin.rotate(&old.0, "none").shown_key();
    assert_eq!(owner(&second.0), format!("{jonas} {maria}"));
    let gone = "UPDATE users SET deleted_at = 1, name = NULL, email = NULL, email_folded = NULL WHERE id =";
    database::tamper(&server.database_url, &format!("{gone} '{jonas}'"));
    let third = admin.rotate(&second.0, "24h").shown_key();
    assert_eq!((owner(&second.0), owner(&third.0)), (format!("{jonas} {maria}"), format!("{maria} {maria}")));
}

#[test]
fn a_key_whose_replacement_was_revoked_is_rotated_again() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    let first = admin.rotate(&old.0, "7d").shown_key();
    let rotate = format!("{API_KEYS}/{}/rotate", old.0);
    assert!(!admin.get(&format!("{API_KEYS}/{}", old.0)).html().has(&format!("a[href='{rotate}']")));
    admin.revoke(&first.0, "compromised", "").expect(303);
    assert!(admin.get(&format!("{API_KEYS}/{}", old.0)).expect(200).html().has(&format!("a[href='{rotate}']")));
    let second = admin.rotate(&old.0, "1h").shown_key();
    assert_eq!([&old.1, &first.1, &second.1].map(|key| server.whoami(key)), [200, 401, 200]);
    server.advance(Duration::from_hours(1));
    assert_eq!([&old.1, &second.1].map(|key| server.whoami(key)), [401, 200]);
}
