//! Set-up of the first company and its first admin.

use crate::cli::{Serving, keydesk};
use crate::support::{API_KEYS, Browser, PASSWORD, TestServer, database};

const FIELDS: [(&str, &str); 4] = [
    ("company_name", "Brightwater"),
    ("name", "Maria"),
    ("email", "maria@brightwater.example"),
    ("password", PASSWORD),
];

fn link(server: &TestServer) -> String {
    server.setup_link.clone().unwrap().replace(&server.url(""), "")
}

#[test]
fn set_up_creates_the_company_and_signs_the_admin_in() {
    let server = TestServer::empty();
    let browser = server.anonymous();
    browser.get("/").expect_redirect("/setup");
    let form = browser.get(&link(&server)).expect(200).html();
    assert_eq!(form.attribute("main form", "action"), link(&server));
    browser.post(&link(&server), &FIELDS).expect_redirect(API_KEYS);
    let page = browser.get(API_KEYS).expect(200).html();
    assert_eq!(page.text("h1"), "API Keys");
    assert!(page.text("header").contains("Brightwater"));
    assert_eq!(page.counters(), ["Active Keys 0 keys", "Revoked Keys 0 keys"]);
}

#[test]
fn set_up_is_closed_once_a_user_exists() {
    let server = TestServer::empty();
    server.anonymous().post(&link(&server), &FIELDS).expect_redirect(API_KEYS);
    server.anonymous().get(&link(&server)).expect(404);
    server.anonymous().post(&link(&server), &FIELDS).expect(404);
    server.anonymous().get("/").expect_redirect("/sign-in");
    assert!(TestServer::start().setup_link.is_none());
}

#[test]
fn a_set_up_link_is_valid_on_every_server() {
    let first = TestServer::empty();
    let second = first.second_server();
    let (of_first, of_second) = (link(&first), link(&second));
    assert_ne!(of_first, of_second);
    for server in [&first, &second] {
        for link in [&of_first, &of_second] {
            let form = server.anonymous().get(link).expect(200).html();
            assert_eq!(form.attribute("main form", "action"), *link);
        }
    }
    second.anonymous().post(&of_first, &FIELDS).expect_redirect(API_KEYS);
    for server in [&first, &second] {
        for link in [&of_first, &of_second] {
            server.anonymous().get(link).expect(404);
        }
    }
    assert!(database::column(&first.database_url, "count(*)", "FROM setup_links") == [Some("0".to_owned())]);
}

#[test]
fn a_set_up_link_ends_with_its_server() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let start = || {
        let mut command = keydesk(folder.path());
        command.args(["--database-url", &url]);
        let serving = Serving::start(command, 2);
        let link = serving.line("Set-up link: ");
        (serving, link[link.find("/setup").unwrap()..].to_owned())
    };
    let ((stopped, of_stopped), (killed, of_killed), (running, of_running)) = (start(), start(), start());
    let browser = Browser::new(running.line("Listening on http://").parse().unwrap());
    for link in [&of_stopped, &of_killed, &of_running] {
        browser.get(link).expect(200);
    }
    assert_eq!(stopped.stop(), 0);
    browser.get(&of_stopped).expect(403);
    drop(killed);
    // As half a minute later. The running server renews its own.
    database::tamper(&url, "UPDATE setup_links SET renewed_at = renewed_at - 31000000");
    browser.get(&of_killed).expect(403);
    let started = std::time::Instant::now();
    while browser.get(&of_running).status != 200 {
        assert!(started.elapsed() < std::time::Duration::from_mins(1), "the link is not renewed");
    }
    browser.get(&of_killed).expect(403);
}

#[test]
fn set_up_without_the_token_says_where_the_link_is() {
    let server = TestServer::empty();
    for path in ["/setup", "/setup?token=", "/setup?token=guessed"] {
        let answer = server.anonymous().get(path).expect(403);
        assert!(answer.body.contains("Open the link printed in the terminal."));
        server.anonymous().post(path, &FIELDS).expect(403);
    }
}

#[test]
fn invalid_fields_are_named_and_all_but_the_password_kept() {
    let server = TestServer::empty();
    let fields = [("company_name", ""), ("name", "Maria\u{202E}"), ("email", "maria"), ("password", "too short")];
    let page = server.anonymous().post(&link(&server), &fields).expect(422);
    for sentence in [
        "Enter a name for the company",
        "The name contains a character that cannot be seen (U+202E). Remove it.",
        "Enter an email address such as name@example.com",
        "Use at least 15 characters.",
    ] {
        assert!(page.body.contains(sentence), "{sentence}");
    }
    assert!(!page.body.contains("too short"));
    let html = page.html();
    assert_eq!(html.attribute("input[name=email]", "value"), "maria");
    assert_eq!(html.attribute("input[name=email]", "aria-invalid"), "true");
    assert!(html.text("title").starts_with("Error: "));
}

#[test]
fn a_password_made_of_the_other_fields_is_refused() {
    let server = TestServer::empty();
    let mut fields = FIELDS;
    fields[3].1 = "maria@brightwater.example";
    let page = server.anonymous().post(&link(&server), &fields).expect(422);
    assert!(page.body.contains("This password is too easy to guess. Try a few unrelated words."));
}

#[test]
fn of_two_concurrent_set_ups_one_succeeds() {
    let server = TestServer::empty();
    let path = link(&server);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let both = ["first@brightwater.example", "second@brightwater.example"].map(|email| {
            let (browser, path) = (server.anonymous(), &path);
            scope.spawn(move || {
                let fields = [FIELDS[0], FIELDS[1], ("email", email), FIELDS[3]];
                browser.post(path, &fields).status
            })
        });
        both.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(statuses.contains(&303) && statuses.contains(&404), "{statuses:?}");
}
