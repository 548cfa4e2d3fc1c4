//! Invitation links: a user chooses a password once, within 72 hours, and never without the second factor.

use std::time::Duration;

use keydesk::domain::user::profile::Role;
use reqwest::cookie::CookieStore;

use crate::support::{API_KEYS, Answer, PASSWORD, TestServer, USERS, database};

const LIFETIME: Duration = Duration::from_hours(72);
const ALMOST_LIFETIME: Duration = Duration::from_secs(72 * 3_600 - 1);
pub const NINA: &str = "nina@brightwater.example";

/// A server whose admin has invited Nina, and the path of her link.
pub fn invited() -> (TestServer, String) {
    let server = TestServer::start();
    let link = server.admin().invite("Nina Okafor", NINA, "auditor");
    let path = server.path_of(&link);
    (server, path)
}

pub fn assert_invalid(answer: Answer) {
    let answer = answer.expect(404);
    assert!(answer.body.contains("This link no longer works. Ask an administrator for a new one."), "{}", answer.body);
    assert!(answer.body.contains("</html>") && !answer.html().has("form"));
}

fn sign_in(server: &TestServer, email: &str, password: &str) -> u16 {
    server.anonymous().post("/sign-in", &[("email", email), ("password", password)]).status
}

#[test]
fn an_invitation_link_works_once() {
    let (server, path) = invited();
    assert_eq!(sign_in(&server, NINA, ""), 422);
    let nina = server.anonymous();
    let page = nina.get(&path).expect(200);
    assert!(page.body.contains(NINA));
    let form = page.html();
    assert_eq!(form.attribute("main form", "action"), path);
    assert_eq!(form.attribute("input[name=password]", "type"), "password");
    nina.head(&path).expect(200);
    nina.accept(&path).expect_redirect(API_KEYS);
    assert!(nina.get(API_KEYS).expect(200).body.contains("NO"));
    for again in [server.anonymous(), nina] {
        assert_invalid(again.get(&path));
        assert_invalid(again.accept(&path));
        assert_invalid(again.post(&path, &[("password", "short")]));
    }
    assert_eq!(server.event_count("user.invitation_accepted"), 1);
    assert_eq!(sign_in(&server, NINA, PASSWORD), 303);
}

#[test]
fn a_link_works_for_less_than_72_hours() {
    for is_late in [false, true] {
        let (server, path) = invited();
        let end = server.clock.now() + LIFETIME;
        server.clock.set(if is_late { end } else { end - Duration::from_micros(1) });
        if is_late {
            assert_invalid(server.anonymous().get(&path));
            assert_invalid(server.anonymous().accept(&path));
            assert_eq!(sign_in(&server, NINA, PASSWORD), 422);
        } else {
            server.anonymous().get(&path).expect(200);
            server.anonymous().accept(&path).expect_redirect(API_KEYS);
        }
    }
}

#[test]
fn unknown_and_expired_links_get_the_same_page() {
    let (server, path) = invited();
    server.anonymous().accept(&path).expect(303);
    let used = server.anonymous().get(&path).expect(404).without_reference();
    let digits = path.rsplit_once('=').unwrap().1;
    for token in ["", "nonsense", "%00", "a%20b", &digits[1..], &digits.to_uppercase(), &"a".repeat(4_000)] {
        let answer = server.anonymous().get(&format!("/invitation?token={token}"));
        assert_eq!((answer.status, answer.without_reference()), (404, used.clone()), "{token:?}");
    }
    assert_invalid(server.anonymous().get("/invitation"));
    server.anonymous().get(&format!("{path}&token=x")).expect(400);
}

#[test]
fn a_new_link_replaces_the_old_one_and_lasts_72_hours() {
    let (server, first) = invited();
    let (admin, id) = (server.admin(), server.user_id(NINA));
    server.advance(ALMOST_LIFETIME);
    let admin = if admin.get(USERS).status == 200 { admin } else { server.admin() };
    let second = server.path_of(&admin.renew_invitation(&id));
    assert_ne!(first, second);
    assert_invalid(server.anonymous().get(&first));
    assert_invalid(server.anonymous().accept(&first));
    assert_eq!(database::count(&server.database_url, "invitations", "TRUE"), 1);
    server.advance(ALMOST_LIFETIME);
    server.anonymous().accept(&second).expect_redirect(API_KEYS);
    assert_eq!((server.event_count("user.invited"), server.event_count("user.invitation_renewed")), (1, 1));
}

#[test]
fn an_unused_link_leaves_the_current_password_valid() {
    let server = TestServer::start();
    let id = server.add_person("Jonas Bakke", "jonas@brightwater.example", Role::Auditor);
    let jonas = server.signed_in_as("jonas@brightwater.example");
    let path = server.path_of(&server.admin().renew_invitation(&id));
    jonas.get(API_KEYS).expect(200);
    assert_eq!(sign_in(&server, "jonas@brightwater.example", PASSWORD), 303);
    let other = server.anonymous();
    other.post(&path, &[("password", "another tram is quiet")]).expect_redirect(API_KEYS);
    other.get(API_KEYS).expect(200);
    jonas.get(API_KEYS).expect(303);
    assert_eq!(database::count(&server.database_url, "sessions", &format!("user_id = '{id}'")), 1);
    assert_eq!(sign_in(&server, "jonas@brightwater.example", PASSWORD), 422);
    assert_eq!(sign_in(&server, "jonas@brightwater.example", "another tram is quiet"), 303);
}

#[test]
fn using_a_link_ends_the_session_of_the_browser() {
    let (server, path) = invited();
    let browser = server.admin();
    let url = server.url("/").parse().unwrap();
    let marias = browser.cookies.cookies(&url).unwrap();
    browser.accept(&path).expect_redirect(API_KEYS);
    assert!(browser.get("/account").expect(200).body.contains(NINA));
    let old = server.anonymous().request("GET", API_KEYS).header("Cookie", marias);
    assert_eq!(crate::support::browser::send(old).status, 303);
}

#[test]
fn a_refused_password_is_not_repeated_and_the_link_stays_valid() {
    let (server, path) = invited();
    let long = "ab1 ".repeat(256) + "x";
    let easy = "This password is too easy to guess. Try a few unrelated words.";
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
    server.anonymous().post(&path, &[("password", "kestrel 9 vault")]).expect_redirect(API_KEYS);
    assert_eq!(sign_in(&server, NINA, "kestrel 9 vault"), 303);
}

#[test]
fn a_password_is_kept_exactly_as_typed_or_pasted() {
    let pasted: String = (0..1_024_u32).map(|at| char::from(b'!' + u8::try_from(at * 37 % 90).unwrap())).collect();
    let crabs = "🦀 ferris nests in quiet harbours 🦀".to_owned();
    let spaces = "  violet tram  hums loudly ".to_owned();
    for (number, password) in [pasted, crabs, spaces].into_iter().enumerate() {
        let server = TestServer::start();
        let email = format!("n{number}@brightwater.example");
        let path = server.path_of(&server.admin().invite("Nina Okafor", &email, "auditor"));
        server.anonymous().post(&path, &[("password", &password)]).expect_redirect(API_KEYS);
        assert_eq!(sign_in(&server, &email, &password), 303, "{number}");
        let cut: String = password.chars().skip(1).collect();
        assert_eq!(sign_in(&server, &email, &cut), 422, "{number}");
        assert_eq!(sign_in(&server, &email, &format!("{password} ")), 422, "{number}");
    }
}

#[test]
fn two_encodings_of_the_same_letters_are_one_password() {
    for (chosen, typed) in [("crème brûlée à l'été", "cre\u{300}me bru\u{302}le\u{301}e a\u{300} l'e\u{301}te\u{301}")]
        .into_iter()
        .flat_map(|(nfc, nfd)| [(nfc, nfd), (nfd, nfc)])
    {
        let (server, path) = invited();
        server.anonymous().post(&path, &[("password", chosen)]).expect_redirect(API_KEYS);
        assert_eq!(sign_in(&server, NINA, typed), 303);
        assert_eq!(sign_in(&server, NINA, chosen), 303);
    }
}

#[test]
fn of_concurrent_uses_of_a_link_one_succeeds() {
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
        assert_eq!(server.event_count("user.invitation_accepted"), 1);
        let id = server.user_id(NINA);
        assert_eq!(database::count(&server.database_url, "sessions", &format!("user_id = '{id}'")), 1);
        assert_eq!(sign_in(&server, NINA, &format!("{PASSWORD} {}", winners[0].1)), 303);
    }
}

#[test]
fn a_link_does_not_bypass_a_second_factor() {
    let server = TestServer::start();
    let id = server.add_person("Jonas Bakke", "jonas@brightwater.example", Role::Auditor);
    let jonas = server.signed_in_as("jonas@brightwater.example");
    let secret = server.set_up_second_factor(&jonas);
    let path = server.path_of(&server.admin().renew_invitation(&id));
    let browser = server.anonymous();
    browser.post(&path, &[("password", "another tram is quiet")]).expect_redirect("/sign-in/code");
    for page in [API_KEYS, USERS, "/account", "/account/second-factor"] {
        assert!(browser.get(page).expect(303).header("location").starts_with("/sign-in"), "{page}");
    }
    assert_eq!(database::count(&server.database_url, "sessions", &format!("user_id = '{id}'")), 0);
    jonas.get(API_KEYS).expect(303);
    assert_invalid(browser.get(&path));
    browser.post("/sign-in/code", &[("code", "000000")]).expect(422);
    // The code of the set-up is used. The next one is not.
    browser.post("/sign-in/code", &[("code", &server.code(&secret))]).expect(422);
    server.advance(Duration::from_secs(30));
    browser.post("/sign-in/code", &[("code", &server.code(&secret))]).expect_redirect(API_KEYS);
    browser.get(API_KEYS).expect(200);
}

#[test]
fn a_deleted_user_can_no_longer_use_their_link() {
    let (server, path) = invited();
    server.admin().delete_user(&server.user_id(NINA), &[]).expect(303);
    assert_invalid(server.anonymous().get(&path));
    assert_invalid(server.anonymous().accept(&path));
}
