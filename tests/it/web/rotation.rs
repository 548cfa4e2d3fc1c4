//! Rotating a key: a new one takes over, and the old one ends now or a while later, whatever else happens.

use std::time::Duration;

use keydesk::domain::user::Role;

use crate::support::server::NOW;
use crate::support::{Browser, Html, K, TestServer, database};

const MICRO: Duration = Duration::from_micros(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const BEING_REPLACED: &str = "This API key is being replaced already. Rotate the key that takes its place.";
const REVOKED: &str = "This API key is revoked. Revoked keys are not rotated: create a new one.";

fn rotate_with(admin: &Browser, id: &str, fields: &[(&str, &str)]) -> crate::support::Answer {
    admin.post(&format!("{K}/{id}/rotate"), fields)
}

fn replacement(page: &Html) -> String {
    page.text("section[aria-labelledby=replacement] .panel")
}

#[test]
fn the_old_key_works_until_exactly_the_end_of_the_overlap() {
    let server = TestServer::start();
    let admin = server.admin();
    for (overlap, length, ends) in [
        ("1h", HOUR, "23 Nov 2026, 10:00"),
        ("24h", DAY, "24 Nov 2026, 09:00"),
        ("7d", DAY * 7, "30 Nov 2026, 09:00"),
        ("30d", DAY * 30, "23 Dec 2026, 09:00"),
        ("", DAY, "24 Nov 2026, 09:00"),
    ] {
        server.stand_at(NOW);
        let old = admin.create_key(&format!("Service {overlap:?}"));
        let answer = admin.rotate(&old.0, overlap).expect(201);
        let preview = format!("{}…{}", &old.1[..8], &old.1[38..]);
        let said = answer.html().text("dialog");
        assert!(said.contains(&format!("The old key {preview} works until {ends}.")), "{said}");
        let new = answer.shown_key();
        assert!(new.0 != old.0 && new.1 != old.1);
        for now in [NOW, NOW + length - MICRO] {
            server.stand_at(now);
            assert_eq!([&old, &new].map(|key| server.state_of(&admin, key)), ["active", "active"], "{overlap}");
        }
        for now in [NOW + length, NOW + length + MICRO] {
            server.stand_at(now);
            assert_eq!([&old, &new].map(|key| server.state_of(&admin, key)), ["revoked", "active"], "{overlap}");
            let row = admin.tab("revoked").row(&old.0);
            let page = admin.key_page(&old.0).text("section[aria-labelledby=revocation]");
            for said in ["Maria Lindqvist", &ends[..11], "Replaced by another key"] {
                assert!(row.contains(said) && page.contains(said), "{said}: {row} {page}");
            }
        }
        assert_eq!(server.history(&old.0), ["api_key.created", "api_key.rotated"], "no recorder has run");
    }
}

#[test]
fn whoever_asks_with_the_old_key_is_told_when_it_ends() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    assert!(server.anonymous().bearer("/v1/whoami", &old.1).expect(200).body.contains(r#""expires_at":null"#));
    let new = admin.rotate(&old.0, "1h").shown_key();
    let told = |key: &str| server.anonymous().bearer("/v1/whoami", key).expect(200).body;
    assert!(told(&old.1).contains(r#""expires_at":"2026-11-23T10:00:00Z""#), "{}", told(&old.1));
    assert!(told(&new.1).contains(r#""expires_at":null"#));
    let row = admin.tab("active").row(&old.0);
    assert!(row.contains("Ends in 1 hour"), "{row}");
}

#[test]
fn without_an_overlap_the_old_key_ends_at_once_with_its_events() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    let answer = admin.rotate(&old.0, "none").expect(201);
    assert!(answer.html().text("dialog").contains("has ended."));
    let new = answer.shown_key();
    assert_eq!([&old, &new].map(|key| server.state_of(&admin, key)), ["revoked", "active"]);
    assert_eq!(server.history(&old.0), ["api_key.created", "api_key.rotated", "api_key.revoked superseded"]);
    assert_eq!(server.history(&new.0), ["api_key.created"]);
    let made = server.last_event(&new.0, "after_json");
    assert!(made.contains(&format!(r#""replaces":"{}""#, old.0)), "{made}");
    for now in [NOW - DAY, NOW + DAY * 40] {
        server.stand_at(now);
        server.actions.record_ends().unwrap();
        assert_eq!(server.whoami(&old.1), 401, "a clock revives nothing");
    }
    assert_eq!(server.history(&old.0).len(), 3);
}

#[test]
fn both_keys_name_each_other_and_the_trail_names_both() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    let new = admin.rotate(&old.0, "24h").shown_key();
    let link = |id: &str| format!("section[aria-labelledby=replacement] a[href='{K}/{id}']");
    let (of_old, of_new) = (admin.key_page(&old.0), admin.key_page(&new.0));
    assert!(of_old.has(&link(&new.0)) && of_new.has(&link(&old.0)));
    assert!(replacement(&of_old).contains("Ends in 24 hours (24 Nov 2026, 09:00)"), "{}", replacement(&of_old));
    assert!(replacement(&of_new).contains("which works until 24 Nov 2026, 09:00."), "{}", replacement(&of_new));
    assert!(!of_old.has(&format!("a[href='{K}/{}/rotate']", old.0)), "it is being replaced already");
    let after = server.last_event(&old.0, "after_json");
    let ends = (NOW + DAY).as_micros();
    assert_eq!(after, format!(r#"{{"ends_at":{ends},"name":"ERP Sync","replaced_by":"{}"}}"#, new.0));
    assert_eq!(admin.tab("active").key_names(), ["ERP Sync", "ERP Sync"]);
    server.stand_at(NOW + DAY);
    assert!(replacement(&admin.key_page(&old.0)).starts_with("Replaced by "));
    assert!(!replacement(&admin.key_page(&new.0)).contains("works until"));
    assert!(!admin.key_page(&old.0).has("main form"));
}

#[test]
fn the_end_of_an_overlap_holds_after_a_restart_and_is_written_down_once_for_ever() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    let new = admin.rotate(&old.0, "1h").shown_key();
    server.stand_at(NOW + DAY);
    let later = server.beside();
    let there = later.admin();
    assert_eq!([&old, &new].map(|key| later.state_of(&there, key)), ["revoked", "active"]);
    std::thread::scope(|scope| {
        for server in [&server, &later, &server, &later] {
            scope.spawn(|| server.actions.record_ends().unwrap());
        }
    });
    assert_eq!(server.history(&old.0), ["api_key.created", "api_key.rotated", "api_key.revoked superseded"]);
    let ended = format!(r#""ended_at":{}"#, (NOW + HOUR).as_micros());
    let (actor, after) = (server.last_event(&old.0, "actor_type"), server.last_event(&old.0, "after_json"));
    assert!(actor == "system" && after.contains(&ended), "{actor} {after}");
    let revoked = format!("id = '{}' AND revoked_at = {}", old.0, (NOW + HOUR).as_micros());
    assert_eq!(database::count(&server.database_url, "api_keys", &revoked), 1);
    server.stand_at(NOW);
    assert_eq!(server.state_of(&admin, &old), "revoked");
    assert!(admin.tab("revoked").row(&old.0).contains("Maria Lindqvist"), "by whoever rotated");
    server.stand_at(NOW + DAY);
    server.actions.record_ends().unwrap();
    assert_eq!(server.history(&old.0).len(), 3);
}

#[test]
fn an_overlap_ends_now_or_is_extended_once() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    admin.move_end(&old.0, "now").expect(409);
    admin.move_end(&old.0, "7d").expect(409);
    admin.rotate(&old.0, "1h").expect(201);
    for wrong in ["", "later", "7D", "8d"] {
        let page = admin.move_end(&old.0, wrong).expect(422).html();
        assert_eq!(page.text(".banner[role=alert] p"), "Choose “End now” or “Extend by 7 days”.");
    }
    let extended = admin.move_end(&old.0, "7d").expect(303).header("location").to_owned();
    assert!(extended.starts_with(&format!("{K}/{}?done=", old.0)), "{extended}");
    let page = admin.get(&extended).html();
    assert_eq!(page.text(".banner[role=status] p"), "The old key now works until 30 Nov 2026, 10:00.");
    assert!(!page.has("input[name=end][value='7d']") && page.has("input[name=end][value=now]"));
    let [from, to] = [NOW + HOUR, NOW + HOUR + DAY * 7].map(|at| format!(r#""ends_at":{}"#, at.as_micros()));
    assert!(server.last_event(&old.0, "before_json").contains(&from));
    assert!(server.last_event(&old.0, "after_json").contains(&to));
    let again = admin.move_end(&old.0, "7d").expect(409);
    assert!(again.body.contains("The time was extended already."));
    server.stand_at(NOW + HOUR + DAY * 7 - MICRO);
    assert_eq!(server.state_of(&admin, &old), "active");
    let ended = admin.move_end(&old.0, "now").expect(303);
    assert_eq!(admin.get(ended.header("location")).html().text(".banner p"), "The old key has ended.");
    assert_eq!(server.state_of(&admin, &old), "revoked");
    for end in ["now", "7d"] {
        admin.move_end(&old.0, end).expect(409);
    }
    let history = ["api_key.created", "api_key.rotated", "api_key.expiry_changed", "api_key.revoked superseded"];
    assert_eq!(server.history(&old.0), history);
    let other = admin.create_key("Other");
    admin.rotate(&other.0, "1h").expect(201);
    server.stand_at(server.clock.now() + HOUR);
    for end in ["now", "7d"] {
        admin.move_end(&other.0, end).expect(409);
        assert_eq!(server.whoami(&other.1), 401, "an ended overlap is not extended");
    }
}

#[test]
fn a_key_is_revoked_by_hand_during_its_overlap_with_that_reason() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    let new = admin.rotate(&old.0, "24h").shown_key();
    let revoked = admin.revoke(&old.0, "compromised", "In a ticket").expect(303).header("location").to_owned();
    let (_, done) = revoked.split_once('?').unwrap();
    assert!(!admin.get(&format!("{K}/{}?{done}", old.0)).expect(200).html().has(".banner"), "no overlap was ended");
    for now in [NOW, NOW + DAY * 2] {
        server.stand_at(now);
        server.actions.record_ends().unwrap();
        assert_eq!([&old, &new].map(|key| server.state_of(&admin, key)), ["revoked", "active"]);
        let row = admin.tab("revoked").row(&old.0);
        assert!(row.contains("Compromised") && row.contains("In a ticket"), "{row}");
    }
    assert_eq!(server.history(&old.0).len(), 3);
}

#[test]
fn what_is_replaced_or_revoked_is_not_rotated_and_nothing_is_made() {
    let server = TestServer::start();
    let admin = server.admin();
    let (old, submission) = (admin.create_key("ERP Sync"), admin.create_key("Unrelated").0);
    let submission = admin.rotation(&submission);
    let new = admin.rotate(&old.0, "24h").shown_key();
    let (keys, history) = (server.keys(), server.history(&old.0));
    let sent = rotate_with(&admin, &old.0, &[("submission", &submission)]);
    for answer in [sent, admin.get(&format!("{K}/{}/rotate", old.0))] {
        let page = answer.expect(409).html();
        assert_eq!(page.text("dialog .banner[role=alert] p"), BEING_REPLACED);
        assert!(!page.has("#new-key"));
    }
    admin.revoke(&new.0, "unspecified", "").expect(303);
    server.stand_at(NOW + DAY);
    for id in [&old.0, &new.0] {
        let sent = rotate_with(&admin, id, &[("submission", &submission)]);
        for answer in [sent, admin.get(&format!("{K}/{id}/rotate"))] {
            let answer = answer.expect(409);
            assert!(answer.body.contains(REVOKED) && !answer.html().has("#new-key"), "{}", answer.body);
        }
    }
    assert_eq!((server.keys(), server.history(&old.0)), (keys, history));
}

#[test]
fn of_rotations_of_one_key_at_once_one_wins() {
    let server = TestServer::start();
    let admin = server.admin();
    for overlap in ["24h", "none", "1h"] {
        let old = admin.create_key(&format!("Service {overlap}"));
        let keys = server.keys();
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
        assert_eq!(server.keys(), keys + 1);
    }
}

#[test]
fn the_owner_is_kept_and_a_deleted_one_is_followed_by_whoever_rotates() {
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
fn a_key_whose_successor_was_revoked_is_rotated_anew() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    let first = admin.rotate(&old.0, "7d").shown_key();
    let rotate = format!("{K}/{}/rotate", old.0);
    assert!(!admin.get(&format!("{K}/{}", old.0)).html().has(&format!("a[href='{rotate}']")));
    admin.revoke(&first.0, "compromised", "").expect(303);
    assert!(admin.get(&format!("{K}/{}", old.0)).expect(200).html().has(&format!("a[href='{rotate}']")));
    let second = admin.rotate(&old.0, "1h").shown_key();
    assert_eq!([&old.1, &first.1, &second.1].map(|key| server.whoami(key)), [200, 401, 200]);
    server.wait(Duration::from_hours(1));
    assert_eq!([&old.1, &second.1].map(|key| server.whoami(key)), [401, 200]);
}
