//! Authority is checked when a change is made: every form × every way to lose the authority between the head of the
//! request and its last byte.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use keydesk::actions::{KeyDisposition, RequestContext};
use keydesk::domain::ids::UserId;
use keydesk::domain::user::profile::Role;
use keydesk::web::paths;
use reqwest::cookie::CookieStore;

use crate::support::{Browser, PASSWORD, TestServer, database};

/// Forms that need no session: set-up, sign-in and invitations have their own one-time proof.
const WITHOUT_SESSION: [&str; 4] = [paths::SETUP, paths::SIGN_IN, paths::SIGN_IN_CODE, paths::INVITATION];
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
const WITHOUT_BODY: &str = paths::SIGN_OUT;

/// An admin with an open form.
struct Victim {
    id: String,
    email: String,
    browser: Browser,
    /// The same user in another browser.
    phone: Browser,
    session: String,
}

struct Setup {
    server: TestServer,
    maria: Browser,
}

type Fields = Vec<(&'static str, String)>;

impl Setup {
    fn new() -> Self {
        let server = TestServer::start();
        let maria = server.admin();
        Self { server, maria }
    }

    fn victim(&self, number: usize) -> Victim {
        let email = format!("victim{number}@brightwater.example");
        let id = self.server.add_person("Nina Okafor", &email, Role::Admin);
        let browser = self.server.signed_in_as(&email);
        let session = self.sessions_of(&id).remove(0);
        let phone = self.server.signed_in_as(&email);
        Victim { id, email, browser, phone, session }
    }

    fn sessions_of(&self, user: &str) -> Vec<String> {
        let rest = format!("FROM sessions WHERE user_id = '{user}' ORDER BY created_at");
        database::column(&self.server.database_url, "id", &rest).into_iter().flatten().collect()
    }

    /// The address of a form and valid values for its fields.
    fn form(&self, route: &str, victim: &Victim, number: usize) -> (String, Fields) {
        let key = || self.maria.create_key(&format!("Sync {number}"));
        let colleague = || {
            let email = format!("colleague{number}@brightwater.example");
            self.server.add_person("Jonas Bakke", &email, Role::Auditor)
        };
        let browser = &victim.browser;
        let version = |path: &str| ("version", browser.form_version(path));
        let text = str::to_owned;
        let with_id = |id: &str| route.replace("{id}", id);
        match route {
            paths::ACCOUNT => (text(route), vec![("name", text("Nina O.")), version(route)]),
            paths::OWN_PASSWORD => {
                let new = ("new_password", text("amber lakes sing softly"));
                (text(route), vec![("current_password", text(PASSWORD)), new])
            }
            paths::SECOND_FACTOR => {
                let form = browser.get(route).expect(200).html();
                let code = self.server.code(&form.text("#second-factor-secret").replace(' ', ""));
                (text(route), vec![("code", code), ("current_password", text(PASSWORD))])
            }
            paths::END_OTHER_SESSIONS => (text(route), vec![]),
            paths::END_SESSION => {
                let other = self.sessions_of(&victim.id).into_iter().find(|id| *id != victim.session);
                (with_id(&other.unwrap()), vec![])
            }
            paths::API_KEYS => {
                let submission = ("submission", browser.submission());
                (text(route), vec![("name", format!("New {number}")), submission])
            }
            paths::REVOKE_API_KEYS => (text(route), vec![("key", key().0)]),
            paths::IDENTIFY_API_KEY => (text(route), vec![("key", key().1)]),
            paths::EDIT_API_KEY => {
                let path = with_id(&key().0);
                (path.clone(), vec![("name", format!("Renamed {number}")), version(&path)])
            }
            paths::ROTATE_API_KEY => {
                let id = key().0;
                (with_id(&id), vec![("overlap", text("24h")), ("submission", browser.rotation(&id))])
            }
            paths::KEY_OVERLAP => {
                let id = key().0;
                self.maria.rotate(&id, "24h").expect(201);
                (with_id(&id), vec![("end", text("now"))])
            }
            paths::REVOKE_API_KEY => (with_id(&key().0), vec![("reason", text("compromised"))]),
            paths::KEY_POLICY => {
                let rotation = ("rotation_period", text("90"));
                let others = [("default_expiry", text("none")), ("maximum_lifetime", text("none"))];
                let mut fields = vec![("company_name", text("Brightwater")), rotation, version(route)];
                fields.extend(others);
                (text(route), fields)
            }
            paths::USERS => {
                let email = ("email", format!("friend{number}@elsewhere.example"));
                (text(route), vec![("name", text("Back Door")), email, ("role", text("admin"))])
            }
            paths::USER_ROLE => {
                let path = with_id(&colleague());
                (path.clone(), vec![("role", text("admin")), version(&path)])
            }
            paths::DELETE_USER | paths::USER_INVITATION => (with_id(&colleague()), vec![]),
            other => panic!("add the form of {other} to this test"),
        }
    }

    /// Sends a form except its last byte, and waits until the server has checked the session of the head.
    fn hold(&self, victim: &Victim, path: &str, fields: &Fields) -> (TcpStream, u8) {
        let now = self.server.clock.now();
        let sql = format!(
            "UPDATE sessions SET last_seen_at = {} WHERE id = '{}'",
            (now - Duration::from_mins(2)).as_micros(),
            victim.session
        );
        database::tamper(&self.server.database_url, &sql);
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields).append_pair("unknown", "ignored");
        let body = body.finish();
        let cookie = victim.browser.cookies.cookies(&self.server.url("/").parse().unwrap()).unwrap();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.server.address,
            cookie.to_str().unwrap(),
            body.len()
        );
        let (last, first) = request.as_bytes().split_last().unwrap();
        let mut stream = TcpStream::connect(self.server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(25))).unwrap();
        stream.write_all(first).unwrap();
        // The session is touched when it is checked.
        let condition = format!("id = '{}' AND last_seen_at = {}", victim.session, now.as_micros());
        let started = Instant::now();
        while database::count(&self.server.database_url, "sessions", &condition) == 0 {
            assert!(started.elapsed() < Duration::from_secs(20), "{path}: the session was not checked");
            std::thread::sleep(Duration::from_millis(5));
        }
        (stream, *last)
    }

    fn events(&self) -> u64 {
        database::count(&self.server.database_url, "events", "TRUE")
    }

    fn context(&self) -> RequestContext {
        RequestContext::command_line(self.server.company("Brightwater"))
    }
}

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
    assert!(!routes.is_empty());
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
    for route in [paths::API_KEYS, paths::USERS, paths::REVOKE_API_KEY] {
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
