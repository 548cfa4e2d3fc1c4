//! Changing what a user may do: at once, everywhere, and never so that no admin is left.

use std::time::Duration;

use keydesk::clock::Clock;
use keydesk::domain::user::Role;
use reqwest::cookie::CookieStore;

use super::users::LAST_ADMIN;
use crate::cli::{Serving, keydesk};
use crate::support::{Browser, K, TestServer, U, browser, database};

const MARIA: &str = "maria@brightwater.example";
const JONAS: &str = "jonas@brightwater.example";

#[test]
fn a_change_of_role_ends_the_sessions_and_takes_effect_at_the_very_next_request() {
    let server = TestServer::start();
    let id = server.add_person("Jonas Bakke", JONAS, Role::Admin);
    let (admin, jonas, phone) = (server.admin(), server.signed_in_as(JONAS), server.signed_in_as(JONAS));
    jonas.get(&format!("{K}/new")).expect(200);
    let form = admin.get(&format!("{U}/{id}/role")).expect(200).html();
    assert_eq!(form.attribute("input[name=role][checked]", "value"), "admin");
    let done = admin.change_role(&id, "auditor").expect(303).header("location").to_owned();
    jonas.get(&format!("{K}/new")).expect(303);
    phone.post(K, &[("name", "ERP Sync")]).expect(303);
    assert_eq!(admin.get(&done).html().text(".banner[role=status] p"), "Jonas Bakke is now an auditor.");
    let jonas = server.signed_in_as(JONAS);
    jonas.get(K).expect(200);
    jonas.get(&format!("{K}/new")).expect(403);
    let details = |column: &str| {
        database::column(&server.database_url, column, "FROM events WHERE action = 'user.role_changed'").remove(0)
    };
    assert_eq!(details("before_json").as_deref(), Some(r#"{"role":"admin"}"#));
    assert_eq!(details("after_json").as_deref(), Some(r#"{"role":"auditor"}"#));
    admin.change_role(&id, "admin").expect(303);
    jonas.get(K).expect(303);
    server.signed_in_as(JONAS).get(&format!("{K}/new")).expect(200);
}

#[test]
fn whoever_has_not_signed_in_yet_is_not_said_to_be_signed_out() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.invite("Jonas Bakke", JONAS, "admin");
    let about = |id| admin.get(&format!("{U}/{id}/role")).expect(200).html().text("#dialog-about");
    let invited = server.user_id(JONAS);
    assert_eq!(about(invited), "They have not signed in yet. When they do, they have the new role.");
    let known = server.add_person("Nina Okafor", "nina@brightwater.example", Role::Admin);
    server.signed_in_as("nina@brightwater.example");
    assert_eq!(about(known), "The change signs them out everywhere. They sign in again to continue in the new role.");
}

#[test]
fn a_change_of_role_and_a_deletion_take_effect_on_every_server_of_the_database() {
    let server = TestServer::start();
    server.clock.set(Clock::machine().now());
    let mut other = keydesk(server.folder.path());
    other.args(["--database-url", &server.database_url]);
    let other = Serving::start(other, 1);
    let there = other.said("Listening on http://").parse().unwrap();
    let id = server.add_person("Jonas Bakke", JONAS, Role::Admin);
    let admin = server.admin();
    let status = |browser: &Browser| {
        let cookie = browser.cookies.cookies(&server.url("/").parse().unwrap()).unwrap();
        let request = Browser::new(there).request("GET", &format!("{K}/new")).header("Cookie", cookie);
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
fn the_role_that_somebody_has_already_changes_nothing() {
    let server = TestServer::start();
    let id = server.add_person("Jonas Bakke", JONAS, Role::Auditor);
    let (admin, jonas) = (server.admin(), server.signed_in_as(JONAS));
    admin.change_role(&id, "auditor").expect_redirect(U);
    admin.change_role(&server.user_id(MARIA), "admin").expect_redirect(U);
    jonas.get(K).expect(200);
    admin.get(K).expect(200);
    assert_eq!(server.events("user.role_changed"), 0);
    for role in ["", "owner", "ADMIN"] {
        let answer = admin.change_role(&id, role).expect(422);
        assert!(answer.body.contains("Choose one of the roles"));
    }
    jonas.get(K).expect(200);
}

#[test]
fn the_last_admin_stays_one_also_while_others_are_only_invited() {
    let server = TestServer::start();
    let (admin, maria) = (server.admin(), server.user_id(MARIA));
    let mut link = String::new();
    for others in 0..3 {
        if others == 1 {
            link = admin.invite("Nina Okafor", "nina@brightwater.example", "admin");
        }
        if others == 2 {
            server.add_person("Jonas Bakke", JONAS, Role::Auditor);
            server.admin_elsewhere();
        }
        for answer in [admin.change_role(&maria, "auditor"), admin.delete_user(&maria, &[])] {
            assert!(answer.expect(422).html().text("dialog").contains(LAST_ADMIN));
        }
        admin.get(&format!("{K}/new")).expect(200);
    }
    assert_eq!((server.events("user.role_changed"), server.events("user.deleted")), (0, 0));
    // Whoever was only invited may go; and once they came, the first admin may.
    server.anonymous().accept(&server.path_of(&link)).expect_redirect(K);
    admin.change_role(&maria, "auditor").expect(303);
    admin.get(K).expect(303);
    let nina = server.signed_in_as("nina@brightwater.example");
    assert!(nina.delete_user(&server.user_id("nina@brightwater.example"), &[]).expect(422).body.contains(LAST_ADMIN));
}

#[test]
fn an_admin_who_is_only_invited_can_be_deleted_and_demoted() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.invite("Nina Okafor", "nina@brightwater.example", "admin");
    let nina = server.user_id("nina@brightwater.example");
    admin.change_role(&nina, "auditor").expect(303);
    admin.change_role(&nina, "admin").expect(303);
    admin.delete_user(&nina, &[]).expect(303);
    assert_eq!(server.admins_who_can_sign_in(), 1);
}

/// Two admins, and what each does to the other at the same moment, many times: one of them is always left.
fn at_the_same_moment(remove: impl Fn(&Browser, &str) -> u16 + Sync, elsewhere: impl Fn(&Browser, &str) -> u16 + Sync) {
    let server = TestServer::start();
    for round in 0..12 {
        let emails = [0, 1].map(|who| format!("admin{round}-{who}@brightwater.example"));
        let ids = emails.each_ref().map(|email| server.add_person("Somebody", email, Role::Admin));
        let sql = format!("UPDATE users SET role = 'auditor' WHERE id NOT IN ('{}', '{}')", ids[0], ids[1]);
        database::tamper(&server.database_url, &sql);
        let browsers = emails.each_ref().map(|email| server.signed_in_as(email));
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let one = scope.spawn(|| remove(&browsers[0], &ids[1]));
            let other = scope.spawn(|| elsewhere(&browsers[1], &ids[0]));
            vec![one.join().unwrap(), other.join().unwrap()]
        });
        assert_eq!(server.admins_who_can_sign_in(), 1, "round {round}: {statuses:?}");
        let left = browsers.iter().filter(|browser| browser.get(&format!("{U}/new")).status == 200).count();
        assert_eq!(left, 1, "round {round}: {statuses:?}");
        // The other was refused by the rule, or was signed out before their request was looked at.
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
    at_the_same_moment(delete, delete);
}

#[test]
fn of_two_admins_who_demote_each_other_at_once_one_is_left() {
    at_the_same_moment(demote, demote);
}

#[test]
fn of_two_admins_of_whom_one_demotes_and_one_deletes_the_other_at_once_one_is_left() {
    at_the_same_moment(demote, delete);
}

#[test]
fn a_banner_is_drawn_for_whoever_did_it_and_for_ten_minutes() {
    let server = TestServer::start();
    let id = server.add_person("Jonas Bakke", JONAS, Role::Auditor);
    server.add_person("Nina Okafor", "nina@brightwater.example", Role::Admin);
    let admin = server.admin();
    let done = admin.change_role(&id, "admin").expect(303).header("location").to_owned();
    assert!(admin.get(&done).html().has(".banner[role=status]"));
    assert!(!server.signed_in_as("nina@brightwater.example").get(&done).html().has(".banner"));
    assert!(!server.admin_elsewhere().get(&done).html().has(".banner"));
    for not_an_event in [id.as_str(), "nonsense", "", "%00", "01940000-0000-7000-8000-000000000000"] {
        assert!(!admin.get(&format!("{U}?done={not_an_event}")).expect(200).html().has(".banner"), "{not_an_event}");
    }
    // An event of another kind is not this page's to speak of.
    admin.create_key("ERP Sync");
    let made = database::column(&server.database_url, "id", "FROM events WHERE action = 'api_key.created'").remove(0);
    assert!(!admin.get(&format!("{U}?done={}", made.unwrap())).expect(200).html().has(".banner"));
    server.wait(Duration::from_mins(10) - Duration::from_micros(1));
    assert!(admin.get(&done).html().has(".banner"));
    server.wait(Duration::from_micros(1));
    assert!(!admin.get(&done).html().has(".banner"));
}
