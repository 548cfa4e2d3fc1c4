//! A frozen primary, whose kernel still answers: every route answers in time, and works again once the primary goes on.
//! A change whose commit was not confirmed is reported as unknown.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use keydesk::web::paths;

use super::authority::forms::Setup;
use super::authority::{WITHOUT_BODY, WITHOUT_SESSION};
use crate::support::private_postgres::PrivatePostgres;
use crate::support::{API_KEYS, Answer, Browser, PASSWORD, TestServer, browser, database};

/// The wait for one piece of work, 8 s, and the time of a busy machine.
const IN_TIME: Duration = Duration::from_secs(12);
const UNKNOWN: &str = "It is not known whether the change was made.";

/// The status line and the head and body of an answer, and the time that it took. No answer leaves them empty.
struct Timed {
    route: String,
    answer: String,
    took: Duration,
}

fn timed(route: &str, answer: impl FnOnce() -> String) -> Timed {
    let began = Instant::now();
    Timed { route: route.to_owned(), answer: answer(), took: began.elapsed() }
}

fn text(answer: &Answer) -> String {
    format!("HTTP/1.1 {}\n{:?}\n{}", answer.status, answer.headers, answer.body)
}

/// Requests of every route that reads, and of the machine endpoints.
struct Requests {
    browser: Browser,
    key_id: String,
    key: String,
    user: String,
    event: String,
    session: String,
}

impl Requests {
    fn new(setup: &Setup) -> Self {
        let (key_id, key) = setup.maria.create_key("ERP Sync");
        let user = setup.server.user_id("maria@brightwater.example");
        let event = database::column(&setup.server.database_url, "id", "FROM events WHERE action = 'api_key.created'");
        let session = setup.sessions_of(&user).remove(0);
        Self { browser: setup.maria.clone(), key_id, key, user, event: event[0].clone().unwrap(), session }
    }

    fn path(&self, route: &str) -> String {
        let id = match route {
            paths::EVENT => &self.event,
            route if route.contains("/users/") => &self.user,
            route if route.contains("/sessions/") => &self.session,
            _ => &self.key_id,
        };
        route.replace("{id}", id)
    }

    /// The answers to all of them at once.
    fn send(&self) -> Vec<Timed> {
        let table = keydesk::web::route_table();
        let pages = table.iter().filter(|page| page.methods().any(|method| method == "GET")).map(|page| page.path);
        thread::scope(|scope| {
            let mut requests: Vec<_> = pages
                .map(|route| scope.spawn(move || timed(route, || text(&self.browser.get(&self.path(route))))))
                .collect();
            for route in ["/v1/whoami", "/v1/forward-auth", "/readyz", "/healthz", "/metrics"] {
                requests.push(scope.spawn(move || timed(route, || text(&self.browser.bearer(route, &self.key)))));
            }
            for route in ["/v1/introspect", "/v1/revoke"] {
                let request =
                    self.browser.request("POST", route).bearer_auth("no gateway").form(&[("token", &self.key)]);
                requests.push(scope.spawn(move || timed(route, || text(&browser::send(request)))));
            }
            for route in WITHOUT_SESSION {
                let fields = [("email", "maria@brightwater.example"), ("password", PASSWORD), ("token", "x")];
                let anonymous = Browser::new(self.browser.address());
                requests.push(
                    scope.spawn(move || timed(&format!("POST {route}"), || text(&anonymous.post(route, &fields)))),
                );
            }
            requests.into_iter().map(|request| request.join().unwrap()).collect()
        })
    }
}

/// Submits every form at once, whose last bytes were held back.
fn release(held: Vec<(String, (TcpStream, u8))>) -> Vec<Timed> {
    thread::scope(|scope| {
        let submit = |(route, (mut stream, last)): (String, (TcpStream, u8))| {
            timed(&format!("POST {route}"), || {
                let mut answer = String::new();
                stream.write_all(&[last]).unwrap();
                let _ = stream.read_to_string(&mut answer);
                answer
            })
        };
        let submitted: Vec<_> = held.into_iter().map(|held| scope.spawn(move || submit(held))).collect();
        submitted.into_iter().map(|submitted| submitted.join().unwrap()).collect()
    })
}

fn held_forms(setup: &Setup) -> Vec<(String, (TcpStream, u8))> {
    let posts = keydesk::web::route_table().into_iter().filter(|page| page.methods().any(|method| method == "POST"));
    let routes = posts.map(|page| page.path).filter(|path| !WITHOUT_SESSION.contains(path) && *path != WITHOUT_BODY);
    let forms = routes.enumerate().map(|(number, route)| {
        let victim = setup.victim(number);
        let (path, fields) = setup.form(route, &victim, number);
        (route.to_owned(), setup.hold(&victim, &path, &fields))
    });
    forms.collect()
}

fn assert_answered_in_time(answers: &[Timed]) {
    // These need no database. A page for visitors without a session needs none either.
    let free = ["/healthz", "/metrics", "/assets/{file}"];
    let wrong: Vec<_> = answers
        .iter()
        .filter(|timed| {
            let needs_none =
                free.contains(&timed.route.as_str()) || WITHOUT_SESSION.iter().any(|r| timed.route.ends_with(r));
            let is_refused = timed.answer.starts_with("HTTP/1.1 503")
                && timed.answer.to_lowercase().contains("retry-after")
                && !timed.answer.contains("Nothing was changed");
            timed.took > IN_TIME || timed.answer.is_empty() || !(is_refused || needs_none)
        })
        .map(|timed| format!("{} after {:?}: {:.300}", timed.route, timed.took, timed.answer))
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_route_answers_while_the_primary_is_frozen() {
    if database::postgres().is_none() {
        return;
    }
    let postgres = PrivatePostgres::start();
    let setup = Setup::on(TestServer::on_database(&postgres.url));
    let (requests, held) = (Requests::new(&setup), held_forms(&setup));
    let frozen = postgres.freeze();
    // Forms first: their writes take the connections.
    let (forms, pages) = thread::scope(|scope| {
        let forms = scope.spawn(|| release(held));
        (forms.join().unwrap(), requests.send())
    });
    assert!(forms.iter().any(|timed| timed.answer.contains(UNKNOWN)), "no change reached the database");
    assert_answered_in_time(&forms);
    assert_answered_in_time(&pages);
    drop(frozen);
    let began = Instant::now();
    while setup.maria.get(API_KEYS).status != 200 || setup.server.anonymous().get("/readyz").status != 200 {
        assert!(began.elapsed() < Duration::from_secs(30), "not back");
        thread::sleep(Duration::from_millis(50));
    }
    let (id, key) = setup.maria.create_key("After the freeze");
    assert_eq!(setup.server.whoami(&key), 200);
    setup.maria.revoke(&id, "compromised", "").expect(303);
    assert_eq!(setup.server.whoami(&key), 401);
}

/// Runs `action` in the commit of the next changes of keys.
fn at_commit(url: &str, action: &str) {
    let sql = format!(
        "CREATE OR REPLACE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {action}; RETURN NULL; END $$; \
         DROP TRIGGER IF EXISTS at_commit ON api_keys; \
         CREATE CONSTRAINT TRIGGER at_commit AFTER UPDATE ON api_keys DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION at_commit()"
    );
    database::tamper(url, &sql);
}

#[test]
fn an_unconfirmed_commit_is_reported_as_unknown() {
    if database::postgres().is_none() {
        return;
    }
    let server = TestServer::start();
    let admin = server.admin();
    let keys: Vec<_> = (0..4).map(|number| admin.create_key(&format!("Sync {number}"))).collect();
    let revoke = |id: &str| admin.revoke(id, "compromised", "").expect(503);
    let revoke_by_holder =
        |key: &str| browser::send(admin.request("POST", "/v1/revoke").form(&[("token", key)])).expect(503);

    // The connection is cut while the server commits.
    at_commit(&server.database_url, "PERFORM pg_terminate_backend(pg_backend_pid())");
    let page = revoke(&keys[0].0);
    assert!(page.body.contains(UNKNOWN) && page.header("retry-after") == "1", "{}", page.body);
    let problem = revoke_by_holder(&keys[1].1);
    assert!(problem.body.contains("urn:keydesk:problem:outcome-unknown"), "{}", problem.body);

    // The commit takes longer than the request waits, and succeeds.
    at_commit(&server.database_url, "PERFORM pg_sleep(9)");
    let (page, problem) = thread::scope(|scope| {
        let page = scope.spawn(|| revoke(&keys[2].0));
        (page.join().unwrap(), revoke_by_holder(&keys[3].1))
    });
    assert!(page.body.contains(UNKNOWN), "{}", page.body);
    assert!(problem.body.contains("urn:keydesk:problem:outcome-unknown"), "{}", problem.body);
    for (_, key) in &keys[2..] {
        let began = Instant::now();
        while server.whoami(key) != 401 {
            assert!(began.elapsed() < Duration::from_secs(20), "the change was not made");
            thread::sleep(Duration::from_millis(50));
        }
    }

    // A refused commit changes nothing, and the page says so.
    at_commit(&server.database_url, "RAISE unique_violation");
    let (id, _) = admin.create_key("Sync 5");
    let page = admin.revoke(&id, "compromised", "");
    assert!(!page.body.contains(UNKNOWN), "{}", page.body);
}
