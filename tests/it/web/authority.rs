//! Authority is checked when a change is made: every form × every way to lose the authority between the head of the
//! request and its last byte.

pub mod forms;

use std::io::{Read, Write};
use std::net::TcpStream;

use keydesk::actions::KeyDisposition;
use keydesk::domain::ids::UserId;
use keydesk::domain::user::profile::Role;
use keydesk::web::paths;

use self::forms::{Fields, Setup, Victim};
use crate::support::{database, figures};

/// Forms that need no session: set-up, sign-in and invitations have their own one-time proof.
pub const WITHOUT_SESSION: [&str; 4] = [paths::SETUP, paths::SIGN_IN, paths::SIGN_IN_CODE, paths::INVITATION];
/// Forms that a user of any role may submit.
const FOR_EVERY_ROLE: [&str; 6] = [
    paths::ACCOUNT,
    paths::OWN_PASSWORD,
    paths::SECOND_FACTOR,
    paths::END_OTHER_SESSIONS,
    paths::END_SESSION,
    paths::IDENTIFY_API_KEY,
];
/// Signing out reads no body, so it cannot be held back.
pub const WITHOUT_BODY: &str = paths::SIGN_OUT;

/// The answer to a request of which the last byte was held back.
fn release((mut stream, last): (TcpStream, u8)) -> String {
    stream.write_all(&[last]).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Submits every form that needs a session, and calls `withdraw` before the last byte. `expected` is the start of the
/// status line and, for redirects, of the location. Returns the differences.
fn submit_every_form(routes: impl Fn(&str) -> bool, withdraw: impl Fn(&Setup, &Victim), expected: (&str, &str)) {
    submit_every_form_with(|fields| fields, routes, withdraw, expected);
}

/// Like [`submit_every_form`], with fields that `change` returns for the valid ones.
fn submit_every_form_with(
    change: impl Fn(Fields) -> Fields,
    routes: impl Fn(&str) -> bool,
    withdraw: impl Fn(&Setup, &Victim),
    expected: (&str, &str),
) {
    let setup = Setup::new();
    let mut wrong = Vec::new();
    let posts = keydesk::web::route_table().into_iter().filter(|page| page.methods().any(|method| method == "POST"));
    let routes: Vec<_> = posts
        .map(|page| page.path)
        .filter(|path| !WITHOUT_SESSION.contains(path) && *path != WITHOUT_BODY && routes(path))
        .collect();
    let forms = routes.len();
    assert!(forms > 0);
    for (number, route) in routes.into_iter().enumerate() {
        let victim = setup.victim(number);
        let (path, fields) = setup.form(route, &victim, number);
        let held = setup.hold(&victim, &path, &change(fields));
        withdraw(&setup, &victim);
        let before = setup.events();
        let answer = release(held);
        let (status, location) = expected;
        let redirects = location.is_empty() || answer.contains(&format!("\r\nlocation: {location}"));
        if !answer.starts_with(&format!("HTTP/1.1 {status}")) || !redirects {
            wrong.push(format!("{route}: {}", answer.lines().take(12).collect::<Vec<_>>().join(" | ")));
        }
        if setup.events() != before {
            wrong.push(format!("{route}: the change was made"));
        }
    }
    figures::print("S8", format!("{} of {forms} forms submitted after the authority was withdrawn", wrong.len()));
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

const SIGN_IN: (&str, &str) = ("303", "/sign-in?next=");

#[test]
fn a_user_who_signed_out_submits_nothing() {
    submit_every_form(|_| true, |_, victim| drop(victim.browser.post("/sign-out", &[]).expect(303)), SIGN_IN);
}

#[test]
fn a_user_who_signed_out_sees_nothing_after_an_invalid_form() {
    let sign_out = |_: &Setup, victim: &Victim| drop(victim.browser.post("/sign-out", &[]).expect(303));
    submit_every_form_with(|_| Fields::new(), |_| true, sign_out, SIGN_IN);
}

#[test]
fn a_user_whose_role_changed_submits_nothing() {
    let demote = |setup: &Setup, victim: &Victim| {
        let id = UserId::parse(&victim.id).unwrap();
        setup.server.actions.change_role(&setup.context(), id, None, Role::Auditor).unwrap();
    };
    submit_every_form(|_| true, demote, SIGN_IN);
}

#[test]
fn a_deleted_user_submits_nothing() {
    let delete = |setup: &Setup, victim: &Victim| {
        let id = UserId::parse(&victim.id).unwrap();
        setup.server.actions.delete_user(&setup.context(), id, KeyDisposition::Revoke).unwrap();
    };
    submit_every_form(|_| true, delete, SIGN_IN);
}

#[test]
fn a_user_whose_password_was_set_by_a_command_submits_nothing() {
    let set_password = |setup: &Setup, victim: &Victim| {
        let user = setup.server.user(&victim.email);
        setup.server.actions.set_password(&user, "amber lakes sing softly").unwrap();
    };
    submit_every_form(|_| true, set_password, SIGN_IN);
}

#[test]
fn a_session_that_its_user_ended_submits_nothing() {
    let end = |_: &Setup, victim: &Victim| {
        victim.phone.post(&format!("/account/sessions/{}/end", victim.session), &[]).expect(303);
    };
    submit_every_form(|route| route != paths::END_OTHER_SESSIONS && route != paths::END_SESSION, end, SIGN_IN);
}

#[test]
fn a_session_that_expired_submits_nothing() {
    let expire = |setup: &Setup, victim: &Victim| {
        let sql = format!("UPDATE sessions SET last_seen_at = 0 WHERE id = '{}'", victim.session);
        database::tamper(&setup.server.database_url, &sql);
    };
    submit_every_form(|_| true, expire, SIGN_IN);
}

#[test]
fn the_role_is_read_with_the_change() {
    let demote = |setup: &Setup, victim: &Victim| {
        let sql = format!("UPDATE users SET role = 'auditor' WHERE id = '{}'", victim.id);
        database::tamper(&setup.server.database_url, &sql);
    };
    submit_every_form(|route| !FOR_EVERY_ROLE.contains(&route), demote, ("403", ""));
}

#[test]
fn a_second_factor_that_became_required_is_asked_for_first() {
    let require = |setup: &Setup, _: &Victim| {
        let sql = "UPDATE companies SET require_second_factor = TRUE";
        database::tamper(&setup.server.database_url, sql);
    };
    // The form of the next victim is opened before the second factor is required.
    for route in [paths::API_KEYS, paths::USERS, paths::REVOKE_API_KEY, paths::ACCOUNT, paths::OWN_PASSWORD] {
        submit_every_form(|path| path == route, require, ("303", paths::SECOND_FACTOR));
    }
}

#[test]
fn a_form_that_is_held_back_is_accepted_with_its_last_byte() {
    let setup = Setup::new();
    let victim = setup.victim(0);
    for (number, route) in [paths::API_KEYS, paths::EDIT_API_KEY, paths::USERS, paths::ACCOUNT].into_iter().enumerate()
    {
        let (path, fields) = setup.form(route, &victim, number);
        let before = setup.events();
        let answer = release(setup.hold(&victim, &path, &fields));
        assert!(answer.starts_with("HTTP/1.1 201") || answer.starts_with("HTTP/1.1 303"), "{route}: {answer}");
        assert!(!answer.contains("\r\nlocation: /sign-in"), "{route}: {answer}");
        assert!(setup.events() > before, "{route}");
    }
}
