//! The account page: name, time zone, theme, password and sessions.

use reqwest::cookie::CookieStore;

use crate::support::{API_KEYS, Browser, PASSWORD, TestServer};

const ACCOUNT: &str = "/account";
const NEW_PASSWORD: &str = "nine kettles sing at dusk";
const MARIA: &str = "maria@brightwater.example";

fn save(browser: &Browser, name: &str, time_zone: &str, theme: &str) -> crate::support::Answer {
    browser.save(ACCOUNT, &[("name", name), ("time_zone", time_zone), ("theme", theme)])
}

#[test]
fn name_time_zone_and_theme_are_saved_and_used_everywhere() {
    let server = TestServer::start();
    let admin = server.admin();
    assert!(!admin.get(API_KEYS).html().has("html[data-theme]"));
    let saved = save(&admin, "Maria Wójcik", "Asia/Kathmandu", "dark").expect(303);
    assert!(admin.get(saved.header("location")).expect(200).body.contains("Changes saved."));
    admin.create_key("ERP Sync");
    let page = admin.get(API_KEYS).html();
    assert_eq!(page.attribute("html", "data-theme"), "dark");
    assert_eq!(page.text(".account-name"), "Maria Wójcik");
    assert!(page.texts(".list-foot p").contains(&"Times in Kathmandu time (UTC+05:45)".to_owned()));
    let form = admin.get(ACCOUNT).html();
    assert_eq!(form.text("select[name=time_zone] option[selected]"), "Asia/Kathmandu");
    save(&admin, "Maria Wójcik", "", "system").expect(303);
    assert!(admin.get(API_KEYS).html().texts(".list-foot p").contains(&"Times in UTC".to_owned()));
}

#[test]
fn invalid_fields_are_refused_with_a_sentence_and_kept() {
    let server = TestServer::start();
    let admin = server.admin();
    let (_, key) = admin.create_key("ERP Sync");
    for (name, time_zone, theme, sentence) in [
        ("", "", "dark", "Enter a name"),
        ("Ma\u{202E}ria", "", "dark", "(U+202E)"),
        ("Maria", "Europe/Atlantis", "dark", "Choose a time zone from the list"),
        ("Maria", "", "pink", "Select a theme"),
        (&key, "", "dark", "This looks like an API key."),
    ] {
        let answer = save(&admin, name, time_zone, theme).expect(422);
        assert!(answer.body.contains(sentence), "{sentence}: {}", answer.body);
        assert!(!answer.body.contains(&key));
    }
    let refused = save(&admin, &"x".repeat(65), "Europe/Oslo", "light").expect(422).html();
    assert_eq!(refused.attribute("input[name=name]", "value"), "x".repeat(65));
    assert_eq!(refused.text("select[name=time_zone] option[selected]"), "Europe/Oslo");
}

#[test]
fn an_auditor_has_an_account_too() {
    let server = TestServer::start();
    let auditor = server.auditor();
    auditor.get(ACCOUNT).expect(200);
    save(&auditor, "Jonas B.", "", "light").expect(303);
    assert_eq!(auditor.get(API_KEYS).html().text(".account-name"), "Jonas B.");
}

#[test]
fn a_new_password_ends_other_sessions_and_renews_this_one() {
    let server = TestServer::start();
    let (admin, second_browser) = (server.admin(), server.admin());
    let url = server.url("/").parse().unwrap();
    let before = admin.cookies.cookies(&url).unwrap();
    let fields = [("current_password", PASSWORD), ("new_password", NEW_PASSWORD)];
    let changed = admin.post("/account/password", &fields).expect(303);
    assert!(admin.get(changed.header("location")).expect(200).body.contains("Your password was changed."));
    second_browser.get(API_KEYS).expect(303);
    let old = server.anonymous().request("GET", API_KEYS).header("Cookie", before);
    assert_eq!(crate::support::browser::send(old).status, 303);
    server.anonymous().post("/sign-in", &[("email", MARIA), ("password", PASSWORD)]).expect(422);
    server.anonymous().post("/sign-in", &[("email", MARIA), ("password", NEW_PASSWORD)]).expect_redirect(API_KEYS);
}

#[test]
fn a_password_change_needs_the_current_and_a_good_new_one() {
    let server = TestServer::start();
    let admin = server.admin();
    let change = |current: &str, new: &str| {
        admin.post("/account/password", &[("current_password", current), ("new_password", new)])
    };
    assert!(change("wrong", NEW_PASSWORD).expect(422).body.contains("This is not your current password."));
    assert!(change(PASSWORD, "short").expect(422).body.contains("Use at least 15 characters."));
    assert!(change(PASSWORD, "Maria Lindqvist Brightwater").expect(422).body.contains("easy to guess"));
    for _ in 0..6 {
        change("wrong", NEW_PASSWORD).expect(422);
    }
    assert_eq!(change(PASSWORD, NEW_PASSWORD).expect(429).header("retry-after"), "900");
    admin.get(API_KEYS).expect(200);
    server.advance(std::time::Duration::from_mins(15));
    change(PASSWORD, NEW_PASSWORD).expect(303);
}

#[test]
fn sessions_are_listed_and_ended_singly_or_together() {
    let server = TestServer::start();
    let admin = server.admin();
    let others = [server.admin(), server.admin(), server.admin()];
    let page = admin.get(ACCOUNT).html();
    let ends: Vec<String> = page
        .all("form[action^='/account/sessions/'][action$='/end']")
        .iter()
        .map(|form| form.attr("action").unwrap().to_owned())
        .collect();
    assert_eq!(ends.len(), 3);
    assert!(page.0.html().contains("127.0.0.1") && page.0.html().contains("This session"));
    let ended = admin.post(&ends[0], &[]).expect(303);
    assert!(admin.get(ended.header("location")).body.contains("Session signed out."));
    admin.post(&ends[0], &[]).expect(404);
    assert_eq!(others.iter().filter(|other| other.get(API_KEYS).status == 200).count(), 2);
    let ended = admin.post("/account/sessions/end-others", &[]).expect(303);
    assert!(admin.get(ended.header("location")).body.contains("You’re signed out everywhere else."));
    assert!(others.iter().all(|other| other.get(API_KEYS).status == 303));
    admin.post("/account/sessions/end-others", &[]).expect_redirect(ACCOUNT);
    admin.get(API_KEYS).expect(200);
}

#[test]
fn a_session_of_another_user_cannot_be_ended() {
    let server = TestServer::start();
    let (admin, auditor) = (server.admin(), server.auditor());
    server.sign_in_auditor();
    let form = auditor.get(ACCOUNT).html();
    let end = form.attribute("form[action^='/account/sessions/'][action$='/end']", "action");
    admin.post(&end, &[]).expect(404);
    auditor.post(&end, &[]).expect(303);
}

#[test]
fn the_tz_cookie_counts_until_the_user_chooses_a_zone() {
    let server = TestServer::start();
    let admin = server.admin();
    let shown = || {
        let url = server.url("/").parse().unwrap();
        let cookies = admin.cookies.cookies(&url).unwrap();
        let cookies = format!("{}; tz=Europe/Oslo", cookies.to_str().unwrap());
        crate::support::browser::send(server.anonymous().request("GET", ACCOUNT).header("Cookie", cookies)).body
    };
    assert!(shown().contains("Oslo time (UTC+01:00)"));
    save(&admin, "Maria Lindqvist", "America/Argentina/Buenos_Aires", "system").expect(303);
    assert!(shown().contains("Buenos Aires time (UTC−03:00)"));
}
