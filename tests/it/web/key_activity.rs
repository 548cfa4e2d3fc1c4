//! The drawer with the activity of keys, and its page for browsers without scripts.

use std::time::Duration;

use crate::support::{API_KEYS, TestServer};

#[test]
fn the_drawer_shows_creations_and_revocations_newest_first() {
    let server = TestServer::start();
    let admin = server.admin();
    let empty = admin.get(&format!("{API_KEYS}?audit=open")).expect(200).html();
    assert!(empty.text("dialog").contains("No activity yet."));
    let (id, key) = admin.create_key("ERP Sync");
    server.advance(Duration::from_mins(1));
    admin.revoke(&id, "compromised", "Leaked.").expect(303);
    for path in [format!("{API_KEYS}?audit=open"), format!("{API_KEYS}/audit-trail")] {
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
fn the_audit_trail_button_opens_the_drawer_over_the_list() {
    let server = TestServer::start();
    let admin = server.admin();
    let page = admin.get(&format!("{API_KEYS}?tab=revoked")).html();
    let href = page.attribute("a[href*='audit=open']", "href");
    assert_eq!(href, format!("{API_KEYS}?tab=revoked&audit=open"));
    let drawer = admin.get(&href).expect(200).html();
    assert!(drawer.has(".page[inert]") && drawer.has("dialog[open]"));
    assert_eq!(drawer.attribute("a.backdrop", "href"), format!("{API_KEYS}?tab=revoked"));
    assert!(drawer.text("title").starts_with("Audit trail – Revoked – API Keys"));
}

#[test]
fn the_drawer_can_be_filtered_by_key() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    admin.create_key("Reporting");
    let all = admin.get(&format!("{API_KEYS}?audit=open")).html();
    let narrow = all.all(&format!("[data-event-id][data-key-id='{id}'] a"))[0].attr("href").unwrap().to_owned();
    let one = admin.get(&narrow).expect(200).html();
    assert_eq!(one.all("[data-event-id]").len(), 1);
    assert!(one.text("dialog").contains("ERP Sync"));
    let page = admin.get(&format!("{API_KEYS}/audit-trail?key={id}")).expect(200).html();
    assert_eq!(page.all("[data-event-id]").len(), 1);
    admin.get(&format!("{API_KEYS}/audit-trail?key=nonsense")).expect(404);
}

#[test]
fn older_events_are_paged_by_fifty() {
    let server = TestServer::start();
    let admin = server.admin();
    for number in 0..60 {
        admin.create_key(&format!("Service {number}"));
    }
    for (path, next) in
        [(format!("{API_KEYS}?audit=open"), "dialog a[rel=next]"), (format!("{API_KEYS}/audit-trail"), "a[rel=next]")]
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
fn changes_by_the_command_line_are_attributed_to_it() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    let id = keydesk::domain::ids::KeyId::parse(&id).unwrap();
    let reason = keydesk::domain::key::lifecycle::RevocationReason::OwnerLeft;
    let context = keydesk::actions::RequestContext::command_line(server.company("Brightwater"));
    server.actions.revoke_key(&context, id, reason, None).unwrap();
    let drawer = admin.get(&format!("{API_KEYS}?audit=open")).html();
    assert!(drawer.texts("[data-event-id]")[0].contains("Command line revoked ERP Sync"));
    let row = admin.get(&format!("{API_KEYS}?tab=revoked")).html().text("tr[data-key-id]");
    assert!(row.contains("Command line") && row.contains("Owner left"), "{row}");
}

#[test]
fn the_activity_of_another_company_is_not_shown() {
    let server = TestServer::start();
    server.other_company_admin().create_key("Theirs");
    assert!(!server.admin().get(&format!("{API_KEYS}?audit=open")).body.contains("Theirs"));
}

#[test]
fn the_activity_of_a_key_starts_with_a_summary() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let answers = || {
        [
            format!("{API_KEYS}?audit=open&key={id}"),
            format!("{API_KEYS}/audit-trail?key={id}"),
            format!("{API_KEYS}/{id}"),
        ]
        .map(|path| admin.get(&path).expect(200).html().text(".answer"))
    };
    for answer in answers() {
        assert_eq!(answer, "Created by Maria Lindqvist on 23 Nov 2026.");
    }
    let maria = server.user("maria@brightwater.example").id.to_string();
    admin.save(&format!("{API_KEYS}/{id}/edit"), &[("name", "ERP"), ("owner", &maria)]).expect(303);
    server.advance(Duration::from_mins(30));
    admin.revoke(&id, "compromised", "").expect(303);
    server.record_usage();
    let summary = "Created by Maria Lindqvist on 23 Nov 2026 · Last changed by Maria Lindqvist on 23 Nov 2026 \
        · Revoked by Maria Lindqvist on 23 Nov 2026. No request accepted since,";
    let [drawer, page, of_key] = answers();
    assert!(summary.starts_with(&of_key), "the page of the key has the evidence in its own section: {of_key}");
    for answer in [drawer, page] {
        assert!(answer.starts_with(&format!("{summary} none refused. Usage as of")), "{answer}");
    }
    server.advance(Duration::from_mins(1));
    assert_eq!((server.whoami(&key), server.whoami(&key)), (401, 401));
    server.advance(Duration::from_mins(2));
    server.record_usage();
    for answer in answers().into_iter().take(2) {
        assert!(answer.starts_with(&format!("{summary} 2 refused, the last 2 minutes ago. Usage as of")), "{answer}");
    }
}

#[test]
fn the_summary_shows_an_expiry_and_a_deleted_creator() {
    let server = TestServer::start();
    let (admin, other) = (server.admin(), server.company("Brightwater"));
    let role = keydesk::domain::user::profile::Role::Admin;
    crate::support::companies::add_user(&server.actions, other, "Ida Moe", "ida@brightwater.example", role);
    let ida = server.signed_in_as("ida@brightwater.example");
    let submission = ida.submission();
    let created = ida.post(API_KEYS, &[("name", "ERP"), ("expires", "30d"), ("submission", &submission)]).expect(201);
    let id = created.html().attribute("#new-key", "data-key-id");
    let ida = server.user("ida@brightwater.example").id;
    let maria = server.user("maria@brightwater.example").id.to_string();
    admin
        .post(&format!("{}/{ida}/delete", crate::support::USERS), &[("keys", "hand-over"), ("new_owner", &maria)])
        .expect(303);
    server.set_clock(server.clock.now() + Duration::from_hours(24 * 40));
    let answer = admin.get(&format!("{API_KEYS}?audit=open&key={id}")).expect(200).html().text(".answer");
    let summary = "Created by Deleted user on 23 Nov 2026 · Last changed by Maria Lindqvist on 23 Nov 2026 · Expired on 23 Dec 2026.";
    assert!(answer.starts_with(summary), "{answer}");
    let drawer = admin.get(&format!("{API_KEYS}?audit=open")).html().text("[data-action='user.deleted']");
    assert!(drawer.contains("1 key handed over to Maria Lindqvist"), "{drawer}");
}
