//! Access control: every route × every caller × own, foreign, malformed and missing ids.

mod table;

use std::collections::BTreeSet;
use std::sync::Mutex;

use keydesk::actions::NewUser;
use keydesk::actions::RequestContext;
use keydesk::domain::text::name::PersonName;
use keydesk::domain::user::email::EmailAddress;
use keydesk::domain::user::profile::Role;
use url::Url;

use self::table::Expected::{Is, Own, OwnRedirectsTo, RedirectsTo, SignIn, To};
use self::table::{Expected, TABLE};
use crate::support::companies::{add_company, add_user};
use crate::support::{API_KEYS, AUDIT_TRAIL, Answer, Browser, TestServer, USERS, browser, database, figures};

const COMPANIES: [&str; 3] = ["Brightwater", "Northwind", "Southport"];
const MISSING: &str = "01940000-0000-7000-8000-000000000000";

/// The path of a request for an entry of the table.
fn full(short: &str, id: &str) -> String {
    let (first, rest) = short.split_at(short.find(['/', '?']).unwrap_or(short.len()));
    let start = match first {
        "keys" => API_KEYS,
        "trail" => AUDIT_TRAIL,
        "users" => USERS,
        "practice" => "/administration/company-settings/practice",
        "accounts" => "/administration/company-settings/service-accounts",
        "policy" => "/administration/company-settings/key-policy",
        "general" => "/administration/company-settings/general",
        "evidence" => "/administration/company-settings/evidence",
        _ => first,
    };
    format!("{start}{rest}").replace("{id}", id).replace("{file}", id)
}

/// The route of an entry of the table.
fn route(short: &str) -> String {
    full(short.split('?').next().unwrap(), "{id}").replace("/assets/{id}", "/assets/{file}")
}

struct Caller {
    name: &'static str,
    /// The index in [`COMPANIES`], if signed in.
    company: Option<usize>,
    email: &'static str,
    browser: Browser,
}

/// Three companies, each with an admin, an invited colleague and a key. The first has an auditor, the last requires a
/// second factor.
struct Setup {
    server: TestServer,
    callers: Vec<Caller>,
    keys: Vec<String>,
    colleagues: Vec<String>,
}

impl Setup {
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
            let context = RequestContext::command_line(server.company(company));
            let invited = server.actions.invite_user(&context, &user).unwrap();
            colleagues.push(invited.user_id.to_string());
            let admin = server.signed_in_as(email);
            keys.push(admin.create_key(&format!("Sync of {company}")).0);
            admins.push(admin);
        }
        let sql = "UPDATE companies SET require_second_factor = TRUE WHERE name = 'Southport'";
        database::tamper(&server.database_url, sql);
        let admins = admins.into_iter().zip(ADMINS).enumerate().map(|(company, (browser, email))| {
            let name = ["an admin", "an admin of another company", "an admin without a second factor"][company];
            Caller { name, company: Some(company), email, browser }
        });
        let auditor = server.auditor();
        let auditor =
            Caller { name: "an auditor", company: Some(0), email: "jonas@brightwater.example", browser: auditor };
        let signed_out = Caller { name: "a signed-out caller", company: None, email: "", browser: server.anonymous() };
        let callers = [signed_out, auditor].into_iter().chain(admins).collect();
        Self { server, callers, keys, colleagues }
    }

    /// An id of the caller's company for a path, and the ids of other companies.
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
        } else if path == "trail/{id}" {
            let event = |company: &&str| {
                let trail = self.server.company(company);
                let rest = format!("FROM events WHERE trail_id = '{trail}' AND sequence = 1");
                database::column(&self.server.database_url, "id", &rest).remove(0).unwrap()
            };
            of_companies(&COMPANIES.iter().map(event).collect::<Vec<_>>())
        } else if path.starts_with("accounts") {
            let account = |key: &String| {
                let rest = format!("FROM api_keys WHERE id = '{key}'");
                database::column(&self.server.database_url, "service_account_id", &rest).remove(0).unwrap()
            };
            of_companies(&self.keys.iter().map(account).collect::<Vec<_>>())
        } else if path.starts_with("keys") || path.starts_with("trail") {
            of_companies(&self.keys)
        } else {
            of_companies(&self.colleagues)
        }
    }
}

/// The name of another company, if the answer contains one. The names of its users and keys contain it, too.
fn leaks(caller: &Caller, answer: &Answer) -> Option<&'static str> {
    let text = format!("{:?} {}", answer.headers, answer.body).to_lowercase();
    let foreign = (0..COMPANIES.len()).filter(|company| caller.company != Some(*company));
    foreign.map(|company| COMPANIES[company]).find(|name| text.contains(&name.to_lowercase()))
}

fn send(caller: &Caller, method: &str, path: &str) -> Answer {
    browser::send(caller.browser.request(method, path).header("Sec-Fetch-Site", "same-origin"))
}

fn is_as_expected(answer: &Answer, expected: Expected, id: &str, is_own: bool) -> bool {
    let location = answer.header("location");
    let redirects = |to: &str| answer.status == 303 && location.split('?').next() == Some(&full(to, id));
    match expected {
        Own(_) | OwnRedirectsTo(_) if !is_own => answer.status == 404,
        Is(status) | Own(status) => answer.status == status,
        To(to) => answer.status == 303 && location == full(to, id),
        RedirectsTo(to) | OwnRedirectsTo(to) => redirects(to),
        SignIn(next) => {
            let next_of = |url: &Url| url.query_pairs().find(|(name, _)| name == "next").map(|(_, value)| value.into());
            let url = Url::parse(&format!("http://here{location}")).unwrap();
            redirects("/sign-in") && next_of(&url) == Some(full(next, id))
        }
    }
}

/// Sends a request as every caller for every id. Returns the differences.
fn visit(setup: &Setup, method: &str, path: &str, expected: &[Expected; 4]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |caller: &Caller, index: usize, id: &str, is_own: bool, refused: &mut Option<String>| {
        let answer = send(caller, method, &full(path, id));
        let request = || format!("{method} {path} as {} with {id:?}", caller.name);
        let expected = expected[index];
        if !is_as_expected(&answer, expected, id, is_own) {
            let (status, location) = (answer.status, answer.header("location"));
            wrong.push(format!("{}: {status} {location}, not {expected:?}", request()));
        }
        if let Some(company) = leaks(caller, &answer) {
            wrong.push(format!("{}: the answer contains {company}", request()));
        }
        if method == "HEAD" && !answer.body.is_empty() {
            wrong.push(format!("{}: a body", request()));
        }
        let is_error_page = answer.status >= 400 && answer.status != 422 && method != "HEAD";
        if is_error_page && !answer.body.contains(&format!("Reference: {}<", answer.header("x-request-id"))) {
            wrong.push(format!("{}: an error page without the request's id", request()));
        }
        let page = answer.without_reference();
        if answer.status == 404 && *refused.get_or_insert_with(|| page.clone()) != page {
            wrong.push(format!("{}: another 404 than for other ids", request()));
        }
    };
    let column = [0, 1, 2, 2, 3];
    let takes_id = path.contains('{');
    let ids: Vec<_> = setup.callers.iter().map(|caller| setup.ids(path, caller)).collect();
    let mut refused = vec![None; setup.callers.len()];
    for (at, caller) in setup.callers.iter().enumerate().filter(|_| takes_id) {
        let (own, mut others) = ids[at].clone();
        others.extend([MISSING, "nonsense", "%00", "..%2f", "%F0%9F%94%91", &MISSING[1..]].map(str::to_owned));
        others.extend([own.to_uppercase(), format!("{own}0"), format!("%20{own}"), "a".repeat(2_000)]);
        for other in &others {
            check(caller, column[at], other, false, &mut refused[at]);
        }
    }
    for (at, caller) in setup.callers.iter().enumerate() {
        check(caller, column[at], &ids[at].0, true, &mut refused[at]);
    }
    wrong
}

#[test]
fn every_route_has_an_entry_and_every_entry_has_a_route() {
    let method = |method: &str| if method == "HEAD" { "GET" } else { method }.to_owned();
    let pages = keydesk::web::route_table();
    let routes: BTreeSet<_> =
        pages.iter().flat_map(|page| page.methods().map(|it| (method(it.as_str()), page.path.to_owned()))).collect();
    let entries: BTreeSet<_> = TABLE.iter().map(|entry| (entry.0.to_owned(), route(entry.1))).collect();
    let without_entry: Vec<_> = routes.difference(&entries).collect();
    let without_route: Vec<_> = entries.difference(&routes).collect();
    assert!(without_entry.is_empty(), "routes without an entry in TABLE: {without_entry:?}");
    assert!(without_route.is_empty(), "entries of TABLE without a route: {without_route:?}");
}

#[test]
fn every_route_answers_every_caller_as_the_table_says() {
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
                    // Forms change the data, pages do not.
                    let setup = unchanged.take().unwrap_or_else(Setup::new);
                    let found = visit(&setup, method, path, &[*anonymous, *auditor, *admin, *owing]);
                    wrong.lock().unwrap().extend(found);
                    unchanged = Some(setup).filter(|_| method != "POST");
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    figures::print("S1", format!("{} answers wrong, of {} routes for each kind of caller", wrong.len(), TABLE.len()));
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_cross_site_form_is_refused_for_every_caller() {
    let setup = Setup::new();
    for (_, path, ..) in TABLE.iter().filter(|entry| entry.0 == "POST") {
        for caller in &setup.callers {
            let (own, _) = setup.ids(path, caller);
            let request = caller.browser.request("POST", &full(path, &own)).header("Sec-Fetch-Site", "cross-site");
            let answer = browser::send(request);
            assert_eq!(answer.status, 403, "{path} as {}", caller.name);
            assert!(
                answer.body.contains("The request came from another site and was blocked."),
                "{path} as {}",
                caller.name
            );
            assert!(leaks(caller, &answer).is_none(), "{path} as {}", caller.name);
        }
    }
    let own = send(&setup.callers[2], "GET", API_KEYS);
    assert_eq!(leaks(&setup.callers[0], &own), Some("Brightwater"), "a leak would not be found");
    assert_eq!(setup.callers[2].browser.get(USERS).html().all("tr[data-user-id]").len(), 3);
    assert_eq!(setup.callers[2].browser.get(API_KEYS).html().key_names(), ["Sync of Brightwater"]);
}
