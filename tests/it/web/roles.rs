//! Changing roles: effective at once on every server, and never without an admin left.

use std::time::Duration;

use keydesk::clock::Clock;
use keydesk::domain::user::profile::Role;
use reqwest::cookie::CookieStore;

use super::users::LAST_ADMIN;
use crate::cli::{Serving, keydesk};
use crate::support::{API_KEYS, Browser, TestServer, USERS, browser, database};

const MARIA: &str = "maria@brightwater.example";
const JONAS: &str = "jonas@brightwater.example";

#[test]
fn a_role_change_ends_sessions_at_the_next_request() {
    let server = TestServer::start();
    let id = server.add_person("Jonas Bakke", JONAS, Role::Admin);
    let (admin, jonas, phone) = (server.admin(), server.signed_in_as(JONAS), server.signed_in_as(JONAS));
    jonas.get(&format!("{API_KEYS}/new")).expect(200);
    let form = admin.get(&format!("{USERS}/{id}/role")).expect(200).html();
    assert_eq!(form.attribute("input[name=role][checked]", "value"), "admin");
    let done = admin.change_role(&id, "auditor").expect(303).header("location").to_owned();
    jonas.get(&format!("{API_KEYS}/new")).expect(303);
    phone.post(API_KEYS, &[("name", "ERP Sync")]).expect(303);
    assert_eq!(admin.get(&done).html().text(".banner[role=status] p"), "Jonas Bakke is now an auditor.");
    let jonas = server.signed_in_as(JONAS);
    jonas.get(API_KEYS).expect(200);
    jonas.get(&format!("{API_KEYS}/new")).expect(403);
    let details = |column: &str| {
        database::column(&server.database_url, column, "FROM events WHERE action = 'user.role_changed'").remove(0)
    };
    assert_eq!(details("before_json").as_deref(), Some(r#"{"role":"admin"}"#));
    assert_eq!(details("after_json").as_deref(), Some(r#"{"role":"auditor"}"#));
    admin.change_role(&id, "admin").expect(303);
    jonas.get(API_KEYS).expect(303);
    server.signed_in_as(JONAS).get(&format!("{API_KEYS}/new")).expect(200);
}

#[test]
fn a_pending_user_is_not_reported_as_signed_out() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.invite("Jonas Bakke", JONAS, "admin");
    let about = |id| admin.get(&format!("{USERS}/{id}/role")).expect(200).html().text("#dialog-about");
    let invited = server.user_id(JONAS);
    let invited_text = "They have not signed in yet. They get the new role when they do. A link that they have stops working; resend their invitation afterwards.";
    assert_eq!(about(invited), invited_text);
    let known = server.add_person("Nina Okafor", "nina@brightwater.example", Role::Admin);
    server.signed_in_as("nina@brightwater.example");
    assert_eq!(about(known), "They will be signed out and get the new role when they sign in again.");
}

#[test]
fn role_changes_and_deletions_take_effect_on_every_server() {
    let server = TestServer::start();
    server.clock.set(Clock::system().now());
    let mut other = keydesk(server.folder.path());
    // Servers on one database have one public URL, and therefore one name of the session cookie.
    other.args(["--database-url", &server.database_url, "--public-url", &server.url("")]);
    let other = Serving::start(other, 1);
    let other_address = other.line("Listening on http://").parse().unwrap();
    let id = server.add_person("Jonas Bakke", JONAS, Role::Admin);
    let admin = server.admin();
    let status = |browser: &Browser| {
        let cookie = browser.cookies.cookies(&server.url("/").parse().unwrap()).unwrap();
        let request = Browser::new(other_address).request("GET", &format!("{API_KEYS}/new")).header("Cookie", cookie);
        browser::send(request).status
    };
    let jonas = server.signed_in_as(JONAS);
    assert_eq!(status(&jonas), 200);
    admin.change_role(&id, "auditor").expect(303);
    assert_eq!(status(&jonas), 303);
    let jonas = server.signed_in_as(JONAS);
    assert_eq!(status(&jonas), 403);
    admin.delete_user(&id, &[]).expect(303);
    assert_eq!((status(&jonas), status(&admin)), (303, 200));
}

#[test]
fn setting_the_same_role_changes_nothing() {
    let server = TestServer::start();
    let id = server.add_person("Jonas Bakke", JONAS, Role::Auditor);
    let (admin, jonas) = (server.admin(), server.signed_in_as(JONAS));
    admin.change_role(&id, "auditor").expect_redirect(USERS);
    admin.change_role(&server.user_id(MARIA), "admin").expect_redirect(USERS);
    jonas.get(API_KEYS).expect(200);
    admin.get(API_KEYS).expect(200);
    assert_eq!(server.event_count("user.role_changed"), 0);
    for role in ["", "owner", "ADMIN"] {
        let answer = admin.change_role(&id, role).expect(422);
        assert!(answer.body.contains("Select a role"));
    }
    jonas.get(API_KEYS).expect(200);
}

#[test]
fn an_invited_admin_does_not_replace_the_last_admin() {
    let server = TestServer::start();
    let (admin, maria) = (server.admin(), server.user_id(MARIA));
    let mut link = String::new();
    for others in 0..3 {
        if others == 1 {
            link = admin.invite("Nina Okafor", "nina@brightwater.example", "admin");
        }
        if others == 2 {
            server.add_person("Jonas Bakke", JONAS, Role::Auditor);
            server.other_company_admin();
        }
        for answer in [admin.change_role(&maria, "auditor"), admin.delete_user(&maria, &[])] {
            assert!(answer.expect(422).html().text("dialog").contains(LAST_ADMIN));
        }
        admin.get(&format!("{API_KEYS}/new")).expect(200);
    }
    assert_eq!((server.event_count("user.role_changed"), server.event_count("user.deleted")), (0, 0));
    // Once the invited admin has signed in, the first admin can be demoted.
    server.anonymous().accept(&server.path_of(&link)).expect_redirect(API_KEYS);
    admin.change_role(&maria, "auditor").expect(303);
    admin.get(API_KEYS).expect(303);
    let nina = server.signed_in_as("nina@brightwater.example");
    assert!(nina.delete_user(&server.user_id("nina@brightwater.example"), &[]).expect(422).body.contains(LAST_ADMIN));
}

#[test]
fn an_invited_admin_can_be_deleted_and_demoted() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.invite("Nina Okafor", "nina@brightwater.example", "admin");
    let nina = server.user_id("nina@brightwater.example");
    admin.change_role(&nina, "auditor").expect(303);
    admin.change_role(&nina, "admin").expect(303);
    admin.delete_user(&nina, &[]).expect(303);
    assert_eq!(server.admins_who_can_sign_in(), 1);
}

/// Lets two admins remove each other at the same time. One of them is always left.
fn race_removals(remove: impl Fn(&Browser, &str) -> u16 + Sync, remove_back: impl Fn(&Browser, &str) -> u16 + Sync) {
    let server = TestServer::start();
    for round in 0..12 {
        let emails = [0, 1].map(|number| format!("admin{round}-{number}@brightwater.example"));
        let ids = emails.each_ref().map(|email| server.add_person("Another User", email, Role::Admin));
        let sql = format!("UPDATE users SET role = 'auditor' WHERE id NOT IN ('{}', '{}')", ids[0], ids[1]);
        database::tamper(&server.database_url, &sql);
        let browsers = emails.each_ref().map(|email| server.signed_in_as(email));
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let one = scope.spawn(|| remove(&browsers[0], &ids[1]));
            let other = scope.spawn(|| remove_back(&browsers[1], &ids[0]));
            vec![one.join().unwrap(), other.join().unwrap()]
        });
        assert_eq!(server.admins_who_can_sign_in(), 1, "round {round}: {statuses:?}");
        let left = browsers.iter().filter(|browser| browser.get(&format!("{USERS}/new")).status == 200).count();
        assert_eq!(left, 1, "round {round}: {statuses:?}");
        // The other request was refused by the rule, or its session had already ended.
        assert!(statuses.contains(&303) && statuses.iter().all(|status| [303, 422].contains(status)), "{statuses:?}");
    }
}

fn demote(browser: &Browser, id: &str) -> u16 {
    browser.change_role(id, "auditor").status
}

fn delete(browser: &Browser, id: &str) -> u16 {
    browser.delete_user(id, &[]).status
}

#[test]
fn of_two_admins_who_delete_each_other_at_once_one_is_left() {
    race_removals(delete, delete);
}

#[test]
fn of_two_admins_who_demote_each_other_at_once_one_is_left() {
    race_removals(demote, demote);
}

#[test]
fn of_two_admins_who_demote_and_delete_each_other_one_is_left() {
    race_removals(demote, delete);
}

#[test]
fn a_banner_is_shown_to_its_actor_for_ten_minutes() {
    let server = TestServer::start();
    let id = server.add_person("Jonas Bakke", JONAS, Role::Auditor);
    server.add_person("Nina Okafor", "nina@brightwater.example", Role::Admin);
    let admin = server.admin();
    let done = admin.change_role(&id, "admin").expect(303).header("location").to_owned();
    assert!(admin.get(&done).html().has(".banner[role=status]"));
    assert!(!server.signed_in_as("nina@brightwater.example").get(&done).html().has(".banner"));
    assert!(!server.other_company_admin().get(&done).html().has(".banner"));
    for not_an_event in [id.as_str(), "nonsense", "", "%00", "01940000-0000-7000-8000-000000000000"] {
        assert!(
            !admin.get(&format!("{USERS}?done={not_an_event}")).expect(200).html().has(".banner"),
            "{not_an_event}"
        );
    }
    // The banner ignores events of other kinds.
    admin.create_key("ERP Sync");
    let created =
        database::column(&server.database_url, "id", "FROM events WHERE action = 'api_key.created'").remove(0);
    assert!(!admin.get(&format!("{USERS}?done={}", created.unwrap())).expect(200).html().has(".banner"));
    server.advance(Duration::from_mins(10) - Duration::from_micros(1));
    assert!(admin.get(&done).html().has(".banner"));
    server.advance(Duration::from_micros(1));
    assert!(!admin.get(&done).html().has(".banner"));
}
