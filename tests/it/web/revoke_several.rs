//! Revoking several keys at once: all of them or none.

use crate::support::{API_KEYS, Answer, Browser, TestServer};

const MISSING: &str = "01940000-0000-7000-8000-000000000000";

fn revoke(admin: &Browser, ids: &[&str], more: &[(&str, &str)]) -> Answer {
    let keys: Vec<_> = ids.iter().map(|id| ("key", *id)).collect();
    admin.post(&format!("{API_KEYS}/revoke"), &[&keys, more].concat())
}

fn open_dialog(admin: &Browser, ids: &[&str]) -> Answer {
    let keys: Vec<_> = ids.iter().map(|id| format!("key={id}")).collect();
    admin.get(&format!("{API_KEYS}/revoke?{}", keys.join("&")))
}

fn several(admin: &Browser, count: usize) -> Vec<(String, String)> {
    (0..count).map(|number| admin.create_key(&format!("Service {number:02}"))).collect()
}

fn ids(keys: &[(String, String)]) -> Vec<&str> {
    keys.iter().map(|(id, _)| id.as_str()).collect()
}

#[test]
fn the_dialog_names_every_key_and_revokes_each_with_an_event() {
    let server = TestServer::start();
    let admin = server.admin();
    let keys = several(&admin, 4);
    let list = admin.get(API_KEYS).html();
    assert_eq!(list.all("tr input[type=checkbox][name=key]").len(), 4);
    let chosen = [keys[2].0.as_str(), &keys[0].0, &keys[2].0];
    let page = open_dialog(&admin, &chosen).expect(200).html();
    assert!(page.text("dialog").contains("Revoke 2 keys?"), "{}", page.text("dialog"));
    assert_eq!(page.texts(".named-keys bdi"), ["Service 02", "Service 00"]);
    let named: Vec<_> = page.all("dialog input[name=key]").iter().map(|key| key.attr("value").unwrap()).collect();
    assert_eq!(named, [&keys[2].0, &keys[0].0]);
    assert_eq!(page.attribute("select[name=reason] option[selected]", "value"), "unspecified");
    let more = [("reason", "compromised"), ("comment", "Found in a log.")];
    let done = revoke(&admin, &chosen, &more).expect(303).header("location").to_owned();
    assert!(done.starts_with(&format!("{API_KEYS}?done=")), "{done}");
    let banner = admin.get(&done).html().text(".banner[role=status] p");
    assert_eq!(banner, "2 keys were revoked. Requests that use them are now rejected.");
    assert!(!server.auditor().get(&done).html().has(".banner"));
    let states = keys.iter().map(|key| server.state_of(&admin, key)).collect::<Vec<_>>();
    assert_eq!(states, ["revoked", "active", "revoked", "active"]);
    for key in [&keys[0], &keys[2]] {
        assert_eq!(server.history(&key.0), ["api_key.created", "api_key.revoked compromised"]);
        assert_eq!(server.last_event(&key.0, "comment"), "Found in a log.");
        assert!(server.last_event(&key.0, "after_json").contains(r#""keys_together":2"#));
        let row = admin.tab("revoked").row(&key.0);
        assert!(row.contains("Compromised") && row.contains("Found in a log."), "{row}");
    }
    let one = revoke(&admin, &[&keys[1].0, &keys[1].0], &[]).expect(303);
    let banner = admin.get(one.header("location")).html().text(".banner p");
    assert_eq!(banner, "Service 01 was revoked. Requests that use it are now rejected.");
    assert_eq!(server.history(&keys[1].0), ["api_key.created", "api_key.revoked unspecified"]);
}

#[test]
fn one_ended_or_unknown_key_leaves_the_others_unchanged() {
    let server = TestServer::start();
    let admin = server.admin();
    let keys = several(&admin, 3);
    let (foreign, foreign_key) = server.other_company_admin().create_key("Theirs");
    admin.revoke(&keys[1].0, "superseded", "First").expect(303);
    let answer = revoke(&admin, &ids(&keys), &[("reason", "compromised"), ("comment", "All")]).expect(422);
    let page = answer.html();
    let sentence = "“Service 01” is already revoked or expired, so nothing was revoked. Refresh the list and try again without it.";
    assert_eq!(page.text("dialog .banner[role=alert] p"), sentence);
    assert_eq!(page.attribute("select[name=reason] option[selected]", "value"), "compromised");
    assert_eq!(page.text("textarea[name=comment]"), "All");
    let upper = keys[0].0.to_uppercase();
    let mut bodies = Vec::new();
    for bad in [foreign.as_str(), MISSING, "nonsense", "", &upper] {
        for answer in [revoke(&admin, &[&keys[0].0, bad, &keys[2].0], &[]), open_dialog(&admin, &[&keys[0].0, bad])] {
            bodies.push(answer.expect(404).without_reference());
        }
        revoke(&admin, &[&keys[0].0, bad], &[("reason", "bored")]).expect(404);
    }
    assert!(bodies[0].contains("This API key does not exist.") && bodies.iter().all(|body| *body == bodies[0]));
    for (reason, comment) in [("bored", ""), ("compromised", &"é".repeat(501)[..]), ("compromised", &keys[0].1)] {
        let more = [("reason", reason), ("comment", comment)];
        let answer = revoke(&admin, &[&keys[0].0, &keys[2].0], &more).expect(422);
        assert_eq!(answer.html().all("dialog input[name=key]").len(), 2);
        assert!(!answer.body.contains(&keys[0].1[4..38]));
    }
    let states: Vec<_> = keys.iter().map(|key| server.state_of(&admin, key)).collect();
    assert_eq!((states, server.whoami(&foreign_key)), (vec!["active".into(), "revoked".into(), "active".into()], 200));
    assert_eq!(server.event_count("api_key.revoked"), 1);
    assert!(admin.tab("revoked").row(&keys[1].0).contains("First"));
}

#[test]
fn one_to_fifty_keys_can_be_revoked_at_once() {
    let server = TestServer::start();
    let admin = server.admin();
    for answer in [open_dialog(&admin, &[]), revoke(&admin, &[], &[("reason", "compromised")])] {
        let dialog = answer.expect(422).html().text("dialog");
        assert!(dialog.contains("No keys selected. Select keys in the list first."), "{dialog}");
    }
    let keys = several(&admin, 51);
    for answer in [open_dialog(&admin, &ids(&keys)), revoke(&admin, &ids(&keys), &[])] {
        let page = answer.expect(422).html();
        assert!(page.text("dialog .banner[role=alert]").contains("You can revoke up to 50 keys at a time."));
        assert_eq!(page.all("dialog input[name=key]").len(), 50);
    }
    assert_eq!(server.event_count("api_key.revoked"), 0);
    let twice = [&ids(&keys)[..50], &ids(&keys)[..50]].concat();
    revoke(&admin, &twice, &[]).expect(303);
    assert_eq!(
        (server.event_count("api_key.revoked"), server.whoami(&keys[0].1), server.whoami(&keys[50].1)),
        (50, 401, 200)
    );
    assert_eq!(admin.get(API_KEYS).html().key_names(), ["Service 50"]);
}

#[test]
fn of_two_overlapping_revocations_one_is_refused_as_a_whole() {
    let server = TestServer::start();
    let admins = [server.admin(), server.admin()];
    for round in 0..4 {
        let keys: Vec<_> = (0..3).map(|number| admins[0].create_key(&format!("{round} {number}"))).collect();
        let sets = [[&keys[0].0[..], &keys[1].0], [&keys[2].0[..], &keys[1].0]];
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let threads = admins.iter().zip(&sets).map(|(admin, set)| scope.spawn(|| revoke(admin, set, &[]).status));
            threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let left = keys.iter().filter(|(_, key)| server.whoami(key) == 200).count();
        assert!(statuses == [303, 422] || statuses == [422, 303], "{statuses:?}");
        assert_eq!(left, 1, "only the refused set named this key");
    }
}
