//! The drawer, and the same as a page.

use std::time::Duration;

use crate::support::{K, TestServer};

#[test]
fn the_drawer_says_who_created_and_revoked_what_newest_first() {
    let server = TestServer::start();
    let admin = server.admin();
    let empty = admin.get(&format!("{K}?audit=open")).expect(200).html();
    assert!(empty.text("dialog").contains("Nothing has happened yet."));
    let (id, key) = admin.create_key("ERP Sync");
    server.wait(Duration::from_mins(1));
    admin.revoke(&id, "compromised", "Leaked.").expect(303);
    for path in [format!("{K}?audit=open"), format!("{K}/audit-trail")] {
        let page = admin.get(&path).expect(200).html();
        let events = page.all("[data-event-id]");
        let actions: Vec<&str> = events.iter().map(|event| event.attr("data-action").unwrap()).collect();
        assert_eq!(actions, ["api_key.revoked", "api_key.created"]);
        assert!(events.iter().all(|event| event.attr("data-key-id") == Some(&id)));
        let revoked = crate::support::browser::words(&events[0]);
        for part in
            ["Maria Lindqvist revoked ERP Sync", "from 127.0.0.1", "Compromised", "Leaked.", "09:01:00", &key[38..]]
        {
            assert!(revoked.contains(part), "{revoked}");
        }
        assert_eq!(page.text(".day"), "Today, 23 November 2026");
    }
}

#[test]
fn the_audit_trail_button_leads_to_the_drawer_over_the_same_list() {
    let server = TestServer::start();
    let admin = server.admin();
    let page = admin.get(&format!("{K}?tab=revoked")).html();
    let href = page.attribute("a[href*='audit=open']", "href");
    assert_eq!(href, format!("{K}?tab=revoked&audit=open"));
    let drawer = admin.get(&href).expect(200).html();
    assert!(drawer.has(".page[inert]") && drawer.has("dialog[open]"));
    assert_eq!(drawer.attribute("a.backdrop", "href"), format!("{K}?tab=revoked"));
    assert!(drawer.text("title").starts_with("Audit trail – Revoked – API Keys"));
}

#[test]
fn the_drawer_can_be_narrowed_to_one_key() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    admin.create_key("Reporting");
    let all = admin.get(&format!("{K}?audit=open")).html();
    let narrow = all.all(&format!("[data-event-id][data-key-id='{id}'] a"))[0].attr("href").unwrap().to_owned();
    let one = admin.get(&narrow).expect(200).html();
    assert_eq!(one.all("[data-event-id]").len(), 1);
    assert!(one.text("dialog").contains("ERP Sync"));
    let page = admin.get(&format!("{K}/audit-trail?key={id}")).expect(200).html();
    assert_eq!(page.all("[data-event-id]").len(), 1);
    admin.get(&format!("{K}/audit-trail?key=nonsense")).expect(404);
}

#[test]
fn older_events_follow_fifty_at_a_time() {
    let server = TestServer::start();
    let admin = server.admin();
    for number in 0..60 {
        admin.create_key(&format!("Service {number}"));
    }
    for (path, next) in [(format!("{K}?audit=open"), "dialog a[rel=next]"), (format!("{K}/audit-trail"), "a[rel=next]")]
    {
        let newest = admin.get(&path).expect(200).html();
        assert_eq!(newest.all("[data-event-id]").len(), 50);
        let older = newest.attribute(next, "href");
        let older = admin.get(&older).expect(200).html();
        assert_eq!(older.all("[data-event-id]").len(), 10);
        assert!(!older.has(next));
        assert!(older.text("body").contains("No older events"));
        let ids = |page: &crate::support::Html| {
            page.all("[data-event-id]")
                .iter()
                .map(|event| event.attr("data-event-id").unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let mut all = [ids(&newest), ids(&older)].concat();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 60);
    }
}

#[test]
fn what_the_command_line_did_is_said_to_be_its_doing() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    let id = keydesk::domain::ids::KeyId::parse(&id).unwrap();
    let reason = keydesk::domain::api_key::RevocationReason::OwnerLeft;
    let origin = keydesk::domain::event::Origin::command_line();
    server.actions.revoke_key(server.company("Brightwater"), id, reason, None, &origin).unwrap();
    let drawer = admin.get(&format!("{K}?audit=open")).html();
    assert!(drawer.texts("[data-event-id]")[0].contains("Command line revoked ERP Sync"));
    let row = admin.get(&format!("{K}?tab=revoked")).html().text("tr[data-key-id]");
    assert!(row.contains("Command line") && row.contains("Owner left"), "{row}");
}

#[test]
fn the_trail_of_another_company_is_not_shown() {
    let server = TestServer::start();
    server.admin_elsewhere().create_key("Theirs");
    assert!(!server.admin().get(&format!("{K}?audit=open")).body.contains("Theirs"));
}

#[test]
fn a_key_s_history_opens_with_who_made_changed_and_ended_it_and_whether_that_held() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let answers = || {
        [format!("{K}?audit=open&key={id}"), format!("{K}/audit-trail?key={id}"), format!("{K}/{id}")]
            .map(|path| admin.get(&path).expect(200).html().text(".answer"))
    };
    for answer in answers() {
        assert_eq!(answer, "Created by Maria Lindqvist on 23 Nov 2026.");
    }
    let maria = server.user("maria@brightwater.example").id.to_string();
    admin.post(&format!("{K}/{id}/edit"), &[("name", "ERP"), ("owner", &maria)]).expect(303);
    server.wait(Duration::from_mins(30));
    admin.revoke(&id, "compromised", "").expect(303);
    server.record_usage();
    let told = "Created by Maria Lindqvist on 23 Nov 2026 · Last changed by Maria Lindqvist on 23 Nov 2026 \
        · Revoked by Maria Lindqvist on 23 Nov 2026. No request accepted since,";
    for answer in answers() {
        assert!(answer.starts_with(&format!("{told} none refused. Counted as of")), "{answer}");
    }
    server.wait(Duration::from_mins(1));
    assert_eq!((server.whoami(&key), server.whoami(&key)), (401, 401));
    server.wait(Duration::from_mins(2));
    server.record_usage();
    for answer in answers() {
        assert!(answer.starts_with(&format!("{told} 2 refused, the last 2 minutes ago. Counted as of")), "{answer}");
    }
}

#[test]
fn a_key_that_expired_says_when_and_a_deleted_creator_is_one() {
    let server = TestServer::start();
    let (admin, other) = (server.admin(), server.company("Brightwater"));
    let role = keydesk::domain::user::Role::Admin;
    crate::support::server::add_user(&server.actions, other, "Ida Moe", "ida@brightwater.example", role);
    let theirs = server.signed_in_as("ida@brightwater.example");
    let submission = theirs.submission();
    let made = theirs.post(K, &[("name", "ERP"), ("expires", "30d"), ("submission", &submission)]).expect(201);
    let id = made.html().attribute("#new-key", "data-key-id");
    let ida = server.user("ida@brightwater.example").id;
    let maria = server.user("maria@brightwater.example").id.to_string();
    admin
        .post(&format!("{}/{ida}/delete", crate::support::U), &[("keys", "hand-over"), ("new_owner", &maria)])
        .expect(303);
    server.stand_at(server.clock.now() + Duration::from_hours(24 * 40));
    let answer = admin.get(&format!("{K}?audit=open&key={id}")).expect(200).html().text(".answer");
    let told = "Created by Deleted user on 23 Nov 2026 · Last changed by Maria Lindqvist on 23 Nov 2026 · Expired on 23 Dec 2026.";
    assert!(answer.starts_with(told), "{answer}");
    let drawer = admin.get(&format!("{K}?audit=open")).html().text("[data-action='user.deleted']");
    assert!(drawer.contains("1 key handed over to Maria Lindqvist"), "{drawer}");
}
