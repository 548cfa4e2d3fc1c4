//! The link by which somebody chooses a password: once, for 72 hours, and never past a second factor.

use std::time::Duration;

use keydesk::domain::user::Role;
use reqwest::cookie::CookieStore;

use crate::support::{Answer, K, PASSWORD, TestServer, U, database};

const LIFE: Duration = Duration::from_hours(72);
const ALMOST_ALL_OF_IT: Duration = Duration::from_secs(72 * 3_600 - 1);
const NINA: &str = "nina@brightwater.example";

/// A server whose admin has just invited Nina, and the path of her link.
fn invited() -> (TestServer, String) {
    let server = TestServer::start();
    let link = server.admin().invite("Nina Okafor", NINA, "auditor");
    let path = server.path_of(&link);
    (server, path)
}

fn is_dead(answer: Answer) {
    let answer = answer.expect(404);
    assert!(answer.body.contains("This link no longer works. Ask an administrator for a new one."), "{}", answer.body);
    assert!(answer.body.contains("</html>") && !answer.html().has("form"));
}

fn sign_in(server: &TestServer, email: &str, password: &str) -> u16 {
    server.anonymous().post("/sign-in", &[("email", email), ("password", password)]).status
}

#[test]
fn a_link_lets_somebody_in_once() {
    let (server, path) = invited();
    assert_eq!(sign_in(&server, NINA, ""), 422);
    let nina = server.anonymous();
    let page = nina.get(&path).expect(200);
    assert!(page.body.contains(NINA));
    let form = page.html();
    assert_eq!(form.attribute("main form", "action"), path);
    assert_eq!(form.attribute("input[name=password]", "type"), "password");
    nina.head(&path).expect(200);
    nina.accept(&path).expect_redirect(K);
    assert!(nina.get(K).expect(200).body.contains("NO"));
    for again in [server.anonymous(), nina] {
        is_dead(again.get(&path));
        is_dead(again.accept(&path));
        is_dead(again.post(&path, &[("password", "short")]));
    }
    assert_eq!(server.events("user.invitation_accepted"), 1);
    assert_eq!(sign_in(&server, NINA, PASSWORD), 303);
}

#[test]
fn a_link_works_for_72_hours_and_not_at_their_end() {
    for is_late in [false, true] {
        let (server, path) = invited();
        let end = server.clock.now() + LIFE;
        server.clock.set(if is_late { end } else { end - Duration::from_micros(1) });
        if is_late {
            is_dead(server.anonymous().get(&path));
            is_dead(server.anonymous().accept(&path));
            assert_eq!(sign_in(&server, NINA, PASSWORD), 422);
        } else {
            server.anonymous().get(&path).expect(200);
            server.anonymous().accept(&path).expect_redirect(K);
        }
    }
}

#[test]
fn links_that_never_were_are_the_same_page_as_dead_ones() {
    let (server, path) = invited();
    server.anonymous().accept(&path).expect(303);
    let used = server.anonymous().get(&path).expect(404).body;
    let digits = path.rsplit_once('=').unwrap().1;
    for token in ["", "nonsense", "%00", "a%20b", &digits[1..], &digits.to_uppercase(), &"a".repeat(4_000)] {
        let answer = server.anonymous().get(&format!("/invitation?token={token}"));
        assert_eq!((answer.status, answer.body), (404, used.clone()), "{token:?}");
    }
    is_dead(server.anonymous().get("/invitation"));
    server.anonymous().get(&format!("{path}&token=x")).expect(400);
}

#[test]
fn a_new_link_kills_the_one_before_and_lives_72_hours_of_its_own() {
    let (server, first) = invited();
    let (admin, id) = (server.admin(), server.user_id(NINA));
    server.wait(ALMOST_ALL_OF_IT);
    let admin = if admin.get(U).status == 200 { admin } else { server.admin() };
    let second = server.path_of(&admin.renew_invitation(&id));
    assert_ne!(first, second);
    is_dead(server.anonymous().get(&first));
    is_dead(server.anonymous().accept(&first));
    assert_eq!(database::count(&server.database_url, "invitations", "TRUE"), 1);
    server.wait(ALMOST_ALL_OF_IT);
    server.anonymous().accept(&second).expect_redirect(K);
    assert_eq!((server.events("user.invited"), server.events("user.invitation_renewed")), (1, 1));
}

#[test]
fn a_new_link_for_somebody_who_lost_their_password_changes_nothing_until_it_is_used() {
    let server = TestServer::start();
    let id = server.add_person("Jonas Bakke", "jonas@brightwater.example", Role::Auditor);
    let jonas = server.signed_in_as("jonas@brightwater.example");
    let path = server.path_of(&server.admin().renew_invitation(&id));
    jonas.get(K).expect(200);
    assert_eq!(sign_in(&server, "jonas@brightwater.example", PASSWORD), 303);
    let other = server.anonymous();
    other.post(&path, &[("password", "another tram is quiet")]).expect_redirect(K);
    other.get(K).expect(200);
    jonas.get(K).expect(303);
    assert_eq!(database::count(&server.database_url, "sessions", &format!("user_id = '{id}'")), 1);
    assert_eq!(sign_in(&server, "jonas@brightwater.example", PASSWORD), 422);
    assert_eq!(sign_in(&server, "jonas@brightwater.example", "another tram is quiet"), 303);
}

#[test]
fn a_link_works_for_whoever_opens_it_and_ends_the_session_that_their_browser_had() {
    let (server, path) = invited();
    let browser = server.admin();
    let url = server.url("/").parse().unwrap();
    let marias = browser.cookies.cookies(&url).unwrap();
    browser.accept(&path).expect_redirect(K);
    assert!(browser.get("/account").expect(200).body.contains(NINA));
    let old = server.anonymous().request("GET", K).header("Cookie", marias);
    assert_eq!(crate::support::browser::send(old).status, 303);
}

#[test]
fn a_password_that_is_refused_is_not_repeated_and_leaves_the_link_as_it_was() {
    let (server, path) = invited();
    let long = "ab1 ".repeat(256) + "x";
    let easy = "This password is easy to guess. Use a longer or less common one.";
    for (password, sentence) in [
        ("", "Use at least 15 characters."),
        ("kestrel 9 vaul", "Use at least 15 characters."),
        ("🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀", "Use at least 15 characters."),
        (long.as_str(), "Use at most 1,024 characters."),
        ("passwordpassword", easy),
        ("111111111111111111", easy),
        ("nina okafor nina okafor", easy),
        ("Brightwater2026", easy),
        ("nina@brightwater.example", easy),
        ("Go Autonomous 1", easy),
        ("KeydeskKeydesk1", easy),
    ] {
        let answer = server.anonymous().post(&path, &[("password", password)]);
        assert_eq!(answer.status, 422, "{password}");
        assert!(answer.body.contains(sentence), "{password}");
        assert!(password.is_empty() || password == NINA || !answer.body.contains(password), "{password} is repeated");
        let page = answer.html();
        assert_eq!(page.attribute("input[name=password]", "aria-invalid"), "true");
        assert_eq!(page.attribute("input[name=password]", "value"), "");
        assert_eq!(page.attribute("main form", "action"), path);
        assert!(page.text("title").starts_with("Error: "));
    }
    server.anonymous().post(&path, &[("password", "kestrel 9 vault")]).expect_redirect(K);
    assert_eq!(sign_in(&server, NINA, "kestrel 9 vault"), 303);
}

#[test]
fn a_password_is_taken_as_it_was_typed_or_pasted() {
    let pasted: String = (0..1_024_u32).map(|at| char::from(b'!' + u8::try_from(at * 37 % 90).unwrap())).collect();
    let crabs = "🦀 ferris nests in quiet harbours 🦀".to_owned();
    let spaces = "  violet tram  hums loudly ".to_owned();
    for (number, password) in [pasted, crabs, spaces].into_iter().enumerate() {
        let server = TestServer::start();
        let email = format!("n{number}@brightwater.example");
        let path = server.path_of(&server.admin().invite("Nina Okafor", &email, "auditor"));
        server.anonymous().post(&path, &[("password", &password)]).expect_redirect(K);
        assert_eq!(sign_in(&server, &email, &password), 303, "{number}");
        let cut: String = password.chars().skip(1).collect();
        assert_eq!(sign_in(&server, &email, &cut), 422, "{number}");
        assert_eq!(sign_in(&server, &email, &format!("{password} ")), 422, "{number}");
    }
}

#[test]
fn two_spellings_of_the_same_letters_are_one_password() {
    for (chosen, typed) in [("crème brûlée à l'été", "cre\u{300}me bru\u{302}le\u{301}e a\u{300} l'e\u{301}te\u{301}")]
        .into_iter()
        .flat_map(|(nfc, nfd)| [(nfc, nfd), (nfd, nfc)])
    {
        let (server, path) = invited();
        server.anonymous().post(&path, &[("password", chosen)]).expect_redirect(K);
        assert_eq!(sign_in(&server, NINA, typed), 303);
        assert_eq!(sign_in(&server, NINA, chosen), 303);
    }
}

#[test]
fn of_many_who_use_one_link_at_once_one_gets_in() {
    for _ in 0..5 {
        let (server, path) = invited();
        let outcomes: Vec<(u16, usize)> = std::thread::scope(|scope| {
            let threads = [0, 1, 2, 3, 4, 5, 6, 7].map(|number| {
                let (browser, path) = (server.anonymous(), &path);
                let try_it = move || browser.post(path, &[("password", &format!("{PASSWORD} {number}"))]).status;
                scope.spawn(move || (try_it(), number))
            });
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let winners: Vec<_> = outcomes.iter().filter(|(status, _)| *status == 303).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        assert!(outcomes.iter().all(|(status, _)| [303, 404].contains(status)), "{outcomes:?}");
        assert_eq!(server.events("user.invitation_accepted"), 1);
        let id = server.user_id(NINA);
        assert_eq!(database::count(&server.database_url, "sessions", &format!("user_id = '{id}'")), 1);
        assert_eq!(sign_in(&server, NINA, &format!("{PASSWORD} {}", winners[0].1)), 303);
    }
}

#[test]
fn a_link_alone_does_not_pass_a_second_factor_by() {
    let server = TestServer::start();
    let id = server.add_person("Jonas Bakke", "jonas@brightwater.example", Role::Auditor);
    let jonas = server.signed_in_as("jonas@brightwater.example");
    let secret = server.set_up_second_factor(&jonas);
    let path = server.path_of(&server.admin().renew_invitation(&id));
    let browser = server.anonymous();
    browser.post(&path, &[("password", "another tram is quiet")]).expect_redirect("/sign-in/code");
    for page in [K, U, "/account", "/account/second-factor"] {
        assert!(browser.get(page).expect(303).header("location").starts_with("/sign-in"), "{page}");
    }
    assert_eq!(database::count(&server.database_url, "sessions", &format!("user_id = '{id}'")), 0);
    jonas.get(K).expect(303);
    is_dead(browser.get(&path));
    browser.post("/sign-in/code", &[("code", "000000")]).expect(422);
    // The code that set the second factor up is used; the next one is not.
    browser.post("/sign-in/code", &[("code", &server.code(&secret))]).expect(422);
    server.wait(Duration::from_secs(30));
    browser.post("/sign-in/code", &[("code", &server.code(&secret))]).expect_redirect(K);
    browser.get(K).expect(200);
}

#[test]
fn whoever_is_deleted_can_no_longer_use_their_link() {
    let (server, path) = invited();
    server.admin().delete_user(&server.user_id(NINA), &[]).expect(303);
    is_dead(server.anonymous().get(&path));
    is_dead(server.anonymous().accept(&path));
}
