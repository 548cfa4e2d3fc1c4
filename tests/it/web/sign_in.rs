//! Sign-in: one message for all failures, redirects, and the throttle.

use std::time::Duration;

use crate::support::{API_KEYS, Answer, PASSWORD, TestServer};

fn sign_in(server: &TestServer, email: &str, password: &str) -> Answer {
    server.anonymous().post("/sign-in", &[("email", email), ("password", password)])
}

fn without_id(answer: &Answer, email: &str) -> String {
    answer.body.replace(email, "EMAIL")
}

#[test]
fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let server = TestServer::start();
    let wrong = sign_in(&server, "maria@brightwater.example", "wrong").expect(422);
    let unknown = sign_in(&server, "nobody@brightwater.example", "wrong").expect(422);
    assert_eq!(without_id(&wrong, "maria@brightwater.example"), without_id(&unknown, "nobody@brightwater.example"));
    assert!(wrong.body.contains("Email or password is incorrect."));
    assert!(!wrong.body.contains("wrong\""));
    assert_eq!(wrong.html().attribute("input[name=email]", "value"), "maria@brightwater.example");
    for odd in ["", "no address", "a\0b@c.d", &"x".repeat(5_000)] {
        sign_in(&server, odd, "wrong").expect(422);
    }
}

#[test]
fn the_case_of_an_email_address_does_not_matter() {
    let server = TestServer::start();
    sign_in(&server, " MARIA@Brightwater.Example ", PASSWORD).expect_redirect(API_KEYS);
}

#[test]
fn sign_in_redirects_to_the_requested_page_of_this_site() {
    let server = TestServer::start();
    let requested = format!("{API_KEYS}?tab=revoked&q=a%20b");
    let location = server.anonymous().get(&requested).expect(303).header("location").to_owned();
    assert_eq!(location, "/sign-in?next=%2Fadministration%2Fcompany-settings%2Fapi-keys%3Ftab%3Drevoked%26q%3Da%2520b");
    let browser = server.anonymous();
    let form = browser.get(&location).expect(200).html();
    let next = form.attribute("input[name=next]", "value");
    assert_eq!(next, requested);
    let fields = |next| [("email", "maria@brightwater.example"), ("password", PASSWORD), ("next", next)];
    browser.post("/sign-in", &fields(&next)).expect_redirect(&requested);
    for foreign in ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"] {
        server.anonymous().post("/sign-in", &fields(foreign)).expect_redirect(API_KEYS);
    }
}

#[test]
fn a_form_sent_while_signed_out_returns_to_its_page() {
    let server = TestServer::start();
    let (id, _) = server.admin().create_key("ERP Sync");
    let next = |path: &str| server.anonymous().post(path, &[]).expect(303).header("location").to_owned();
    let encoded = API_KEYS.replace('/', "%2F");
    assert_eq!(next(API_KEYS), format!("/sign-in?next={encoded}%2Fnew"));
    assert_eq!(next(&format!("{API_KEYS}/{id}/revoke")), format!("/sign-in?next={encoded}%2F{id}%2Frevoke"));
    assert_eq!(next("/sign-out"), "/sign-in");
}

#[test]
fn a_signed_in_user_skips_the_sign_in_form() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.get("/sign-in").expect_redirect(API_KEYS);
    admin.get("/").expect_redirect(API_KEYS);
}

#[test]
fn an_address_is_throttled_after_its_first_failures() {
    let server = TestServer::start();
    for email in ["maria@brightwater.example", "nobody@brightwater.example"] {
        let statuses: Vec<u16> = (0..10).map(|_| sign_in(&server, email, "wrong").status).collect();
        assert!(statuses[..5].iter().all(|status| *status == 422), "{statuses:?}");
        assert_eq!(statuses[9], 429, "{statuses:?}");
    }
    let waiting = sign_in(&server, "maria@brightwater.example", PASSWORD).expect(429);
    assert_eq!(waiting.header("retry-after"), "900");
    assert!(waiting.body.contains("Too many attempts. Try again in 15 minutes."));
    server.advance(Duration::from_mins(15));
    sign_in(&server, "maria@brightwater.example", PASSWORD).expect_redirect(API_KEYS);
    sign_in(&server, "maria@brightwater.example", "wrong").expect(422);
}

#[test]
fn existing_sessions_go_on_while_an_address_is_throttled() {
    let server = TestServer::start();
    let admin = server.admin();
    for _ in 0..10 {
        sign_in(&server, "maria@brightwater.example", "wrong");
    }
    admin.get(API_KEYS).expect(200);
}

#[test]
fn a_client_with_a_hundred_failures_is_throttled_everywhere() {
    let server = TestServer::with(&["--trusted-proxy", "127.0.0.1"], |_| {});
    let from = |client: &str, email: &str| {
        let form = [("email", email), ("password", "wrong")];
        let request = server.anonymous().request("POST", "/sign-in");
        let request = request.header("Sec-Fetch-Site", "same-origin").header("X-Forwarded-For", client);
        crate::support::browser::send(request.form(&form)).status
    };
    for number in 0..100 {
        assert_eq!(from("203.0.113.9", &format!("user{number}@example.com")), 422);
    }
    assert_eq!(from("203.0.113.9", "another@example.com"), 429);
    assert_eq!(from("203.0.113.10", "another@example.com"), 422);
    server.advance(Duration::from_mins(15));
    assert_eq!(from("203.0.113.9", "another@example.com"), 422);
}

#[test]
fn right_passwords_do_not_count_against_a_client() {
    let server = TestServer::start();
    for number in 0..98 {
        sign_in(&server, &format!("user{number}@example.com"), "wrong").expect(422);
    }
    for _ in 0..5 {
        sign_in(&server, "maria@brightwater.example", PASSWORD).expect_redirect(API_KEYS);
    }
    sign_in(&server, "user98@example.com", "wrong").expect(422);
    sign_in(&server, "user99@example.com", "wrong").expect(422);
    sign_in(&server, "user100@example.com", "wrong").expect(429);
}

#[test]
fn the_audit_trail_page_shows_a_refusal_at_once() {
    let server = TestServer::start();
    let admin = server.admin();
    sign_in(&server, "maria@brightwater.example", "wrong").expect(422);
    let page = admin.get("/administration/company-settings/audit-trail").expect(200).html();
    assert!(page.has("[data-action='user.sign_in_refused']"));
    server.advance(Duration::from_hours(1));
    let admin = server.admin();
    sign_in(&server, "maria@brightwater.example", "wrong").expect(422);
    let export = admin.get("/administration/company-settings/audit-trail/export.csv").expect(200).body;
    assert_eq!(export.matches("user.sign_in_refused").count(), 2);
}

#[test]
fn the_trail_records_sign_ins_and_counts_refusals() {
    let server = TestServer::start();
    for _ in 0..4 {
        sign_in(&server, "maria@brightwater.example", "wrong");
    }
    server.advance(Duration::from_hours(1));
    sign_in(&server, "maria@brightwater.example", "wrong");
    server.admin().post("/sign-out", &[]).expect_redirect("/sign-in");
    let company = server.company("Brightwater");
    let events = server.actions.store.query(|db| db.trails().events_between(company.into(), 1..=100, 100)).unwrap();
    let words: Vec<(&str, Option<&str>)> =
        events.iter().map(|(event, _)| (event.action.as_str(), event.after.as_deref())).collect();
    assert_eq!(
        words[2..],
        [
            ("user.sign_in_refused", Some(r#"{"refusals":1}"#)),
            ("user.sign_in_refused", Some(r#"{"refusals":4}"#)),
            ("user.signed_in", None),
            ("user.signed_out", None),
        ]
    );
    let refused = &events[2].0;
    assert_eq!((refused.actor_type.as_str(), refused.client_address.as_deref()), ("system", Some("127.0.0.1")));
    assert_eq!(refused.request_id.as_deref().map(str::len), Some(16));
    let last = &events.last().unwrap().0;
    assert_eq!(last.actor_type, "user");
    assert_eq!(last.client_address.as_deref(), Some("127.0.0.1"));
    assert_eq!(last.request_id.as_deref().map(str::len), Some(16));
}
