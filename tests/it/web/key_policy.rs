//! The Key Policy page: the name of the company and the required second factor.

use crate::support::{Browser, TestServer};

const POLICY: &str = "/administration/company-settings/key-policy";

fn save(browser: &Browser, name: &str, require: Option<&str>) -> crate::support::Answer {
    let required = require.map(|value| ("require_second_factor", value));
    let fields: Vec<_> = [Some(("company_name", name)), required].into_iter().flatten().collect();
    browser.save(POLICY, &fields)
}

#[test]
fn renaming_a_company_is_recorded_in_the_trail() {
    let server = TestServer::start();
    let admin = server.admin();
    let saved = save(&admin, "Brightwater Foods", None).expect(303);
    let page = admin.get(saved.header("location")).expect(200);
    assert_eq!(page.html().text(".brand"), "Brightwater Foods");
    assert!(page.html().has(".banner.ok"));
    assert!(!admin.get(POLICY).html().has(".banner"));
    let (action, after) = server.trail("Brightwater Foods").pop().unwrap();
    let changed = r#""name":"Brightwater Foods","require_second_factor":false"#;
    assert!(action == "company.changed" && after.contains(changed), "{action} {after}");
    let before = server.trail("Brightwater Foods").len();
    save(&admin, "Brightwater Foods", None).expect_redirect(POLICY);
    assert_eq!(server.trail("Brightwater Foods").len(), before);
    save(&admin, "BRIGHTWATER foods", None).expect(303);
}

#[test]
fn a_refused_name_is_kept_with_the_ticked_box() {
    let server = TestServer::start();
    let admin = server.admin();
    server.other_company_admin();
    for (name, sentence) in [
        ("", "Enter a name for the company"),
        (" northwind ", "already exists"),
        (&"x".repeat(65), "64 characters or fewer"),
    ] {
        let page = save(&admin, name, Some("yes")).expect(422);
        assert!(page.body.contains(sentence), "{}", page.body);
        assert_eq!(page.html().attribute("input[name=company_name]", "value"), name);
        assert!(page.html().has("input[name=require_second_factor][checked]"));
        assert!(page.html().text("title").starts_with("Error: "));
    }
    assert!(!admin.get(POLICY).html().has("input[name=require_second_factor][checked]"));
}

#[test]
fn an_auditor_sees_the_policy_without_its_form() {
    let server = TestServer::start();
    let auditor = server.auditor();
    let page = auditor.get(POLICY).expect(200);
    assert!(page.body.contains("Brightwater"));
    assert!(!page.html().has("main form"));
    save(&auditor, "Mine", None).expect(403);
}
