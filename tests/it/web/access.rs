//! Who gets what: every route × every caller × own, foreign, malformed and missing ids, taken from the route table.

mod table;

use std::collections::BTreeSet;
use std::sync::Mutex;

use keydesk::actions::NewUser;
use keydesk::domain::email::EmailAddress;
use keydesk::domain::event::Origin;
use keydesk::domain::name::PersonName;
use keydesk::domain::user::Role;
use url::Url;

use self::table::Gets::{Is, Leads, Own, OwnLeads, SignIn, To};
use self::table::{Gets, TABLE};
use crate::support::server::{add_company, add_user};
use crate::support::{Answer, Browser, K, T, TestServer, U, browser, database};

const COMPANIES: [&str; 3] = ["Brightwater", "Northwind", "Southport"];
const MISSING: &str = "01940000-0000-7000-8000-000000000000";

/// A path of the table as it is asked for.
fn full(short: &str, id: &str) -> String {
    let (first, rest) = short.split_at(1);
    let start = match first {
        "K" => K,
        "T" => T,
        "U" => U,
        "P" => "/administration/company-settings/key-policy",
        _ => first,
    };
    format!("{start}{rest}").replace("{id}", id).replace("{file}", id)
}

/// The route that an entry of the table is for.
fn route(short: &str) -> String {
    full(short.split('?').next().unwrap(), "{id}").replace("/assets/{id}", "/assets/{file}")
}

struct Caller {
    name: &'static str,
    /// Where in [`COMPANIES`]; whoever is signed out has none.
    company: Option<usize>,
    email: &'static str,
    browser: Browser,
}

/// Three companies, in each an admin, an invited colleague and a key; in the first an auditor; the last requires a
/// second factor.
struct World {
    server: TestServer,
    callers: Vec<Caller>,
    keys: Vec<String>,
    colleagues: Vec<String>,
}

impl World {
    fn new() -> Self {
        const ADMINS: [&str; 3] = ["maria@brightwater.example", "ada@northwind.example", "sam@southport.example"];
        let server = TestServer::start();
        let (mut keys, mut colleagues, mut admins) = (Vec::new(), Vec::new(), Vec::new());
        for (company, email) in COMPANIES.into_iter().zip(ADMINS) {
            if company != "Brightwater" {
                let id = add_company(&server.actions, company);
                add_user(&server.actions, id, &format!("Admin of {company}"), email, Role::Admin);
            }
            let (name, address) = (format!("Friend of {company}"), format!("friend@{company}.example"));
            let (name, address) = (PersonName::parse(&name).unwrap(), EmailAddress::parse(&address).unwrap());
            let user = NewUser { role: Role::Auditor, name: &name, email: &address };
            let origin = Origin::command_line();
            let invited = server.actions.invite_user(server.company(company), &user, &origin).unwrap();
            colleagues.push(invited.user_id.to_string());
            let admin = server.signed_in_as(email);
            keys.push(admin.create_key(&format!("Sync of {company}")).0);
            admins.push(admin);
        }
        let sql = "UPDATE companies SET require_second_factor = TRUE WHERE name = 'Southport'";
        database::tamper(&server.database_url, sql);
        let admins = admins.into_iter().zip(ADMINS).enumerate().map(|(company, (browser, email))| {
            let name = ["an admin", "an admin elsewhere", "an admin who lacks a second factor"][company];
            Caller { name, company: Some(company), email, browser }
        });
        let auditor = server.auditor();
        let auditor =
            Caller { name: "an auditor", company: Some(0), email: "jonas@brightwater.example", browser: auditor };
        let nobody = Caller { name: "nobody", company: None, email: "", browser: server.anonymous() };
        let callers = [nobody, auditor].into_iter().chain(admins).collect();
        Self { server, callers, keys, colleagues }
    }

    /// The id of a caller's own that a path takes, and others that exist.
    fn ids(&self, path: &str, caller: &Caller) -> (String, Vec<String>) {
        let of_companies = |ids: &[String]| {
            let own = caller.company.unwrap_or(0);
            let foreign = (0..ids.len()).filter(|company| *company != own).map(|company| ids[company].clone());
            (ids[own].clone(), foreign.collect())
        };
        if path.contains("/sessions/") {
            let other = if caller.company.is_none() { "sam@southport.example" } else { caller.email };
            let sessions = |rest: &str| -> Vec<String> {
                let rest = format!("FROM sessions JOIN users ON users.id = user_id WHERE email {rest}");
                database::column(&self.server.database_url, "sessions.id", &rest).into_iter().flatten().collect()
            };
            let before = sessions(&format!("= '{other}'"));
            self.server.signed_in_as(other);
            let own = sessions(&format!("= '{other}'")).into_iter().find(|id| !before.contains(id)).unwrap();
            (own, sessions(&format!("<> '{other}'")))
        } else if path.contains("/assets/") {
            let page = self.server.anonymous().get("/sign-in").html();
            (page.attribute("link[rel=icon]", "href").replace("/assets/", ""), Vec::new())
        } else if path == "T/{id}" {
            let event = |company: &&str| {
                let trail = self.server.company(company);
                let rest = format!("FROM events WHERE trail_id = '{trail}' AND sequence = 1");
                database::column(&self.server.database_url, "id", &rest).remove(0).unwrap()
            };
            of_companies(&COMPANIES.iter().map(event).collect::<Vec<_>>())
        } else if path.starts_with(['K', 'T']) {
            of_companies(&self.keys)
        } else {
            of_companies(&self.colleagues)
        }
    }
}

/// What must not be in an answer to this caller: whatever names another company, its people and its keys.
fn leaks(caller: &Caller, answer: &Answer) -> Option<&'static str> {
    let text = format!("{:?} {}", answer.headers, answer.body).to_lowercase();
    let foreign = (0..COMPANIES.len()).filter(|company| caller.company != Some(*company));
    foreign.map(|company| COMPANIES[company]).find(|name| text.contains(&name.to_lowercase()))
}

fn ask(caller: &Caller, method: &str, path: &str) -> Answer {
    browser::send(caller.browser.request(method, path).header("Sec-Fetch-Site", "same-origin"))
}

fn is_as_expected(answer: &Answer, expected: Gets, id: &str, is_own: bool) -> bool {
    let location = answer.header("location");
    let leads = |to: &str| answer.status == 303 && location.split('?').next() == Some(&full(to, id));
    match expected {
        Own(_) | OwnLeads(_) if !is_own => answer.status == 404,
        Is(status) | Own(status) => answer.status == status,
        To(to) => answer.status == 303 && location == full(to, id),
        Leads(to) | OwnLeads(to) => leads(to),
        SignIn(next) => {
            let next_of = |url: &Url| url.query_pairs().find(|(name, _)| name == "next").map(|(_, value)| value.into());
            let url = Url::parse(&format!("http://here{location}")).unwrap();
            leads("/sign-in") && next_of(&url) == Some(full(next, id))
        }
    }
}

/// Asks as every caller for every id; what went wrong.
fn visit(world: &World, method: &str, path: &str, expected: &[Gets; 4]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |caller: &Caller, index: usize, id: &str, is_own: bool, refused: &mut Option<String>| {
        let answer = ask(caller, method, &full(path, id));
        let said = || format!("{method} {path} as {} with {id:?}", caller.name);
        let expected = expected[index];
        if !is_as_expected(&answer, expected, id, is_own) {
            let (status, location) = (answer.status, answer.header("location"));
            wrong.push(format!("{}: {status} {location}, not {expected:?}", said()));
        }
        if let Some(company) = leaks(caller, &answer) {
            wrong.push(format!("{}: the answer speaks of {company}", said()));
        }
        if method == "HEAD" && !answer.body.is_empty() {
            wrong.push(format!("{}: a body", said()));
        }
        if answer.status == 404 && *refused.get_or_insert_with(|| answer.body.clone()) != answer.body {
            wrong.push(format!("{}: another 404 than for other ids", said()));
        }
    };
    let column = [0, 1, 2, 2, 3];
    let takes_id = path.contains('{');
    let ids: Vec<_> = world.callers.iter().map(|caller| world.ids(path, caller)).collect();
    let mut refused = vec![None; world.callers.len()];
    for (at, caller) in world.callers.iter().enumerate().filter(|_| takes_id) {
        let (own, mut others) = ids[at].clone();
        others.extend([MISSING, "nonsense", "%00", "..%2f", "%F0%9F%94%91", &MISSING[1..]].map(str::to_owned));
        others.extend([own.to_uppercase(), format!("{own}0"), format!("%20{own}"), "a".repeat(2_000)]);
        for other in &others {
            check(caller, column[at], other, false, &mut refused[at]);
        }
    }
    for (at, caller) in world.callers.iter().enumerate() {
        check(caller, column[at], &ids[at].0, true, &mut refused[at]);
    }
    wrong
}

#[test]
fn every_route_has_an_entry_and_every_entry_has_a_route() {
    let method = |method: &str| if method == "HEAD" { "GET" } else { method }.to_owned();
    let pages = keydesk::web::pages();
    let routes: BTreeSet<_> =
        pages.iter().flat_map(|page| page.methods().map(|it| (method(it.as_str()), page.path.to_owned()))).collect();
    let entries: BTreeSet<_> = TABLE.iter().map(|entry| (entry.0.to_owned(), route(entry.1))).collect();
    let without_entry: Vec<_> = routes.difference(&entries).collect();
    let without_route: Vec<_> = entries.difference(&routes).collect();
    assert!(without_entry.is_empty(), "routes without an entry in TABLE: {without_entry:?}");
    assert!(without_route.is_empty(), "entries of TABLE without a route: {without_route:?}");
}

#[test]
fn every_caller_gets_at_every_route_what_the_table_says() {
    let of = |method| TABLE.iter().filter(move |entry| entry.0 == method);
    let (gets, heads) = (of("GET").map(|entry| ("GET", entry)), of("GET").map(|entry| ("HEAD", entry)));
    let todo = Mutex::new(gets.chain(heads).chain(of("POST").map(|entry| ("POST", entry))));
    let next = || todo.lock().unwrap().next();
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut unchanged = None;
                while let Some((method, (_, path, anonymous, auditor, admin, owing))) = next() {
                    // A form changes the world; a page does not.
                    let world = unchanged.take().unwrap_or_else(World::new);
                    let found = visit(&world, method, path, &[*anonymous, *auditor, *admin, *owing]);
                    wrong.lock().unwrap().extend(found);
                    unchanged = Some(world).filter(|_| method != "POST");
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_form_that_another_site_sends_is_refused_whoever_is_signed_in() {
    let world = World::new();
    for (_, path, ..) in TABLE.iter().filter(|entry| entry.0 == "POST") {
        for caller in &world.callers {
            let (own, _) = world.ids(path, caller);
            let request = caller.browser.request("POST", &full(path, &own)).header("Sec-Fetch-Site", "cross-site");
            let answer = browser::send(request);
            assert_eq!(answer.status, 403, "{path} as {}", caller.name);
            assert!(answer.body.contains("The request came from another site."), "{path} as {}", caller.name);
            assert!(leaks(caller, &answer).is_none(), "{path} as {}", caller.name);
        }
    }
    let own = ask(&world.callers[2], "GET", K);
    assert_eq!(leaks(&world.callers[0], &own), Some("Brightwater"), "a leak would not be seen");
    assert_eq!(world.callers[2].browser.get(U).html().all("tr[data-user-id]").len(), 3);
    assert_eq!(world.callers[2].browser.get(K).html().key_names(), ["Sync of Brightwater"]);
}
