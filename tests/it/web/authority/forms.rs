//! Every form of the route table, filled in by an admin who then holds the last byte of the request back.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use keydesk::actions::RequestContext;
use keydesk::domain::user::profile::Role;
use keydesk::web::paths;
use reqwest::cookie::CookieStore;

use crate::support::{Browser, PASSWORD, TestServer, database};

/// An admin with an open form.
pub struct Victim {
    pub id: String,
    pub email: String,
    pub browser: Browser,
    /// The same user in another browser.
    pub phone: Browser,
    pub session: String,
}

pub struct Setup {
    pub server: TestServer,
    pub maria: Browser,
}

pub type Fields = Vec<(&'static str, String)>;

impl Setup {
    pub fn new() -> Self {
        Self::on(TestServer::start())
    }

    /// Forms of a server with Brightwater and its admin Maria.
    pub fn on(server: TestServer) -> Self {
        let maria = server.admin();
        Self { server, maria }
    }

    pub fn victim(&self, number: usize) -> Victim {
        let email = format!("victim{number}@brightwater.example");
        let id = self.server.add_person("Nina Okafor", &email, Role::Admin);
        let browser = self.server.signed_in_as(&email);
        let session = self.sessions_of(&id).remove(0);
        let phone = self.server.signed_in_as(&email);
        Victim { id, email, browser, phone, session }
    }

    pub fn sessions_of(&self, user: &str) -> Vec<String> {
        let rest = format!("FROM sessions WHERE user_id = '{user}' ORDER BY created_at");
        database::column(&self.server.database_url, "id", &rest).into_iter().flatten().collect()
    }

    /// The address of a form and valid values for its fields.
    pub fn form(&self, route: &str, victim: &Victim, number: usize) -> (String, Fields) {
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
            paths::GENERAL => (text(route), vec![("company_name", format!("Brightwater {number}")), version(route)]),
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
    pub fn hold(&self, victim: &Victim, path: &str, fields: &Fields) -> (TcpStream, u8) {
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

    pub fn events(&self) -> u64 {
        database::count(&self.server.database_url, "events", "TRUE")
    }

    pub fn context(&self) -> RequestContext {
        RequestContext::command_line(self.server.company("Brightwater"))
    }
}
