//! Identifying a pasted key: it leads to the page of the key and is in no answer or address.

use std::time::Duration;

use crate::support::server::NOW;
use crate::support::{API_KEYS, AUDIT_TRAIL, Answer, Browser, PASSWORD, TestServer, browser, database};

fn identify(browser: &Browser, key: &str) -> Answer {
    browser.post(&format!("{API_KEYS}/identify"), &[("key", key)])
}

/// Whether an answer contains the key or its secret part.
fn reveals(answer: &Answer, key: &str) -> bool {
    let secret = &key[8..38];
    answer.body.contains(secret) || format!("{:?}", answer.headers).contains(secret)
}

#[test]
fn a_key_leads_to_its_page_in_every_state_and_for_both_roles() {
    let server = TestServer::start();
    let (admin, auditor) = (server.admin(), server.auditor());
    let active = admin.create_key("Active");
    let revoked = admin.create_key("Revoked");
    admin.revoke(&revoked.0, "compromised", "").expect(303);
    let expired = admin.create_key_for("Expired", "30d");
    let replaced = admin.create_key("Replaced");
    admin.rotate(&replaced.0, "1h").expect(201);
    server.set_clock(NOW + Duration::from_hours(31 * 24));
    let before = database::count(&server.database_url, "events", "TRUE");
    for (id, key) in [&active, &revoked, &expired, &replaced] {
        for browser in [&admin, &auditor] {
            for pasted in [key.clone(), format!("  {key}\r\n")] {
                let answer = identify(browser, &pasted);
                assert!(!reveals(&answer, key));
                answer.expect_redirect(&format!("{API_KEYS}/{id}"));
                assert!(!reveals(&browser.get(&format!("{API_KEYS}/{id}")).expect(200), key));
            }
        }
    }
    assert_eq!(database::count(&server.database_url, "events", "TRUE"), before, "the key is not recorded");
}

#[test]
fn everything_but_a_key_of_the_company_gets_the_same_page() {
    let server = TestServer::start();
    let (admin, auditor) = (server.admin(), server.auditor());
    let (_, own) = admin.create_key("ERP Sync");
    let (_, foreign) = server.other_company_admin().create_key("Theirs");
    let wrong_sum = format!("{}{}", &own[..41], if own.ends_with('0') { '1' } else { '0' });
    let long = "x".repeat(60_000);
    let unknown = "goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g";
    for browser in [&admin, &auditor] {
        let typed = [&foreign, unknown, "", "nonsense", &own[4..], &wrong_sum, &own.to_lowercase(), "\0", &long];
        let answers: Vec<Answer> = typed.into_iter().map(|key| identify(browser, key).expect(422)).collect();
        let page = answers[0].html();
        assert!(page.text("#key-error").ends_with("No key of this company matches."));
        assert_eq!(page.attribute("#identify input[name=key]", "value"), "");
        assert!(
            answers.iter().all(|answer| answer.body == answers[0].body),
            "the answer for a key of another company is the same"
        );
        assert!(!reveals(&answers[0], &foreign) && !answers[0].body.contains("Theirs"));
    }
    admin.post(&format!("{API_KEYS}/identify"), &[("key", &own), ("key", &own)]).expect(400);
    admin.post(&format!("{API_KEYS}/identify"), &[]).expect(422);
    identify(&server.anonymous(), &own).expect_redirect(&format!("/sign-in?next={}", API_KEYS.replace('/', "%2F")));
}

#[test]
fn a_key_in_the_address_is_not_shown_but_can_be_identified() {
    let server = TestServer::start();
    let admin = server.admin();
    let (_, own) = admin.create_key("ERP Sync");
    let (_, foreign) = server.other_company_admin().create_key("Theirs");
    let unknown = "goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g".to_owned();
    for key in [&own, &foreign, &unknown] {
        for (q, tab) in
            [(key.clone(), "active"), (format!("%20{key}%0A"), "revoked"), (format!("key%20{key}."), "active")]
        {
            let answer = admin.get(&format!("{API_KEYS}?tab={tab}&q={q}")).expect(200);
            assert!(!reveals(&answer, key), "{}", answer.body);
            let page = answer.html();
            assert_eq!(page.text("#identify button"), "Find the key you pasted");
            assert_eq!(page.attribute("#identify", "action"), format!("{API_KEYS}/identify"));
            assert_eq!(page.attribute("#identify input[name=key]", "value"), "");
            assert!(page.key_names().is_empty());
        }
    }
    let text = admin.get(&format!("{API_KEYS}?q={}", &own[..8])).expect(200).html();
    assert!(!text.has("#identify") && text.key_names() == ["ERP Sync"], "a part of a key is searched for");
}

#[test]
fn a_key_typed_into_another_field_is_not_shown_again() {
    let server = TestServer::start();
    let admin = server.admin();
    let (_, key) = admin.create_key("ERP Sync");
    let sign_in = server.anonymous().post("/sign-in", &[("email", &key), ("password", "wrong")]).expect(422);
    let trail = |field: &str| admin.get(&format!("{AUDIT_TRAIL}?{field}={key}")).expect(422);
    let since = admin.get(&format!("{AUDIT_TRAIL}/export.jsonl?since={key}")).expect(422);
    for answer in [sign_in, trail("from"), trail("to"), since] {
        assert!(!answer.body.contains(&key[4..38]), "{}", answer.body);
    }
}

#[test]
fn a_key_in_the_user_agent_of_a_sign_in_is_not_stored() {
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync");
    let credentials = [("email", "maria@brightwater.example"), ("password", PASSWORD)];
    let request = server.anonymous().request("POST", "/sign-in").header("Sec-Fetch-Site", "same-origin");
    let request = request.header("User-Agent", format!("curl {key}")).form(&credentials);
    assert_eq!(browser::send(request).status, 303);
    for (table, column) in [("sessions", "user_agent"), ("events", "user_agent")] {
        let condition = format!("{column} LIKE '%{key}%'");
        assert_eq!(database::count(&server.database_url, table, &condition), 0, "{table}");
    }
}
