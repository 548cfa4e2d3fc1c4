//! Links to choose a password: what ends them, what the trail says, and the buttons that create them.

use keydesk::domain::user::profile::Role;

use super::invitations::{NINA, assert_invalid, invited};
use crate::support::{API_KEYS, Browser, PASSWORD, TestServer, USERS, database};

const JONAS: &str = "jonas@brightwater.example";
const NEW_PASSWORD: &str = "nine kettles sing at dusk";

/// Jonas, who has a password and signed in, and a link for him.
fn with_link(role: Role) -> (TestServer, Browser, String) {
    let server = TestServer::start();
    let id = server.add_person("Jonas Bakke", JONAS, role);
    let jonas = server.signed_in_as(JONAS);
    let path = server.path_of(&server.admin().renew_invitation(&id));
    (server, jonas, path)
}

#[test]
fn a_link_ends_with_the_users_own_password_change() {
    let (server, jonas, path) = with_link(Role::Auditor);
    jonas.post("/account/password", &[("current_password", "wrong"), ("new_password", NEW_PASSWORD)]).expect(422);
    server.anonymous().get(&path).expect(200);
    jonas.post("/account/password", &[("current_password", PASSWORD), ("new_password", NEW_PASSWORD)]).expect(303);
    assert_invalid(server.anonymous().get(&path));
    assert_invalid(server.anonymous().accept(&path));
}

#[test]
fn the_page_of_a_link_says_whether_it_resets_a_password() {
    let (server, _, path) = with_link(Role::Auditor);
    let page = server.anonymous().get(&path).expect(200).html();
    assert_eq!(page.text("h1"), "Choose a new password");
    assert!(page.text("title").starts_with("Choose a new password – "));
    let (server, path) = invited();
    assert_eq!(server.anonymous().get(&path).expect(200).html().text("h1"), "Welcome");
}

#[test]
fn a_link_ends_with_a_change_of_role() {
    let (server, _, path) = with_link(Role::Auditor);
    let (admin, id) = (server.admin(), server.user_id(JONAS));
    admin.change_role(&id, "auditor").expect(303);
    server.anonymous().get(&path).expect(200);
    admin.change_role(&id, "admin").expect(303);
    assert_invalid(server.anonymous().get(&path));
    assert_invalid(server.anonymous().accept(&path));
}

#[test]
fn a_link_ends_with_a_password_of_the_command_line() {
    let (server, _, path) = with_link(Role::Auditor);
    server.actions.set_password(&server.user(JONAS), NEW_PASSWORD).unwrap();
    assert_invalid(server.anonymous().get(&path));
}

#[test]
fn the_trail_says_whose_link_set_a_password() {
    let (server, _, path) = with_link(Role::Auditor);
    server.anonymous().post(&path, &[("password", NEW_PASSWORD)]).expect_redirect(API_KEYS);
    let (maria, jonas) = (server.user_id("maria@brightwater.example"), server.user_id(JONAS));
    let expected = format!(r#"{{"link_created_by":"{maria}","link_created_by_type":"user"}}"#);
    let rest = "FROM events WHERE action = 'user.password_changed'";
    assert_eq!(database::column(&server.database_url, "after_json", rest), [Some(expected)]);
    assert_eq!(database::column(&server.database_url, "target_id", rest), [Some(jonas.clone())]);
    assert_eq!(server.event_count("user.invitation_accepted"), 0);
    let trail = server.admin().get("/administration/company-settings/audit-trail").expect(200).html();
    let event = trail.text("[data-action='user.password_changed']");
    assert!(event.contains("changed their password with a link from Maria Lindqvist"), "{event}");
}

#[test]
fn only_the_first_password_accepts_an_invitation() {
    let (server, path) = invited();
    server.anonymous().accept(&path).expect_redirect(API_KEYS);
    let again = server.path_of(&server.admin().renew_invitation(&server.user_id(NINA)));
    server.anonymous().post(&again, &[("password", NEW_PASSWORD)]).expect_redirect(API_KEYS);
    assert_eq!((server.event_count("user.invitation_accepted"), server.event_count("user.password_changed")), (1, 1));
}

#[test]
fn the_buttons_say_what_the_link_is_for_and_ask_first() {
    let (server, path) = invited();
    let (admin, nina) = (server.admin(), server.user_id(NINA));
    let row_of = |id: &str| admin.get(USERS).expect(200).html().text(&format!("tr[data-user-id='{id}']"));
    let dialog_of = |id: &str| admin.get(&format!("{USERS}/{id}/invitation")).expect(200).html();
    assert!(row_of(&nina).contains("Resend invitation") && !row_of(&nina).contains("Reset password"));
    assert_eq!(dialog_of(&nina).text("dialog button[type=submit]"), "Resend invitation");
    // Asking changes nothing.
    server.anonymous().accept(&path).expect_redirect(API_KEYS);
    assert!(row_of(&nina).contains("Reset password") && !row_of(&nina).contains("Resend invitation"));
    let dialog = dialog_of(&nina);
    assert_eq!(dialog.text("dialog button[type=submit]"), "Reset password");
    assert!(dialog.text("dialog").contains("Until then their current password works."));
    assert_eq!(dialog.attribute("dialog form", "action"), format!("{USERS}/{nina}/invitation"));
    assert_eq!(server.event_count("user.invitation_renewed"), 0);
}

#[test]
fn an_admin_cannot_create_a_link_for_themselves() {
    let server = TestServer::start();
    let (admin, maria) = (server.admin(), server.user_id("maria@brightwater.example"));
    let row = admin.get(USERS).expect(200).html().text(&format!("tr[data-user-id='{maria}']"));
    assert!(!row.contains("Reset password") && !row.contains("Resend invitation"), "{row}");
    let path = format!("{USERS}/{maria}/invitation");
    assert!(!admin.get(&path).expect(200).html().has("dialog button[type=submit]"));
    let refused = admin.post(&path, &[]).expect(422).html();
    assert!(refused.text("dialog").contains("You cannot reset your own password here."));
    assert_eq!(database::count(&server.database_url, "invitations", "TRUE"), 0);
}
