//! The General page: the name of the company.

use crate::support::{Answer, Browser, TestServer};

const GENERAL: &str = "/administration/company-settings/general";

fn save(browser: &Browser, name: &str) -> Answer {
    browser.save(GENERAL, &[("company_name", name)])
}

#[test]
fn renaming_a_company_is_recorded_in_the_trail() {
    let server = TestServer::start();
    let admin = server.admin();
    let saved = save(&admin, "Brightwater Foods").expect(303);
    assert!(saved.header("location").starts_with(&format!("{GENERAL}?done=")));
    let page = admin.get(saved.header("location")).expect(200).html();
    assert_eq!(page.text(".brand"), "Brightwater Foods");
    assert!(page.has(".banner.ok") && page.has("#company-id"));
    assert_eq!(page.attribute("#company_name", "value"), "Brightwater Foods");
    assert!(!admin.get(GENERAL).html().has(".banner"));
    let (action, after) = server.trail("Brightwater Foods").pop().unwrap();
    let changed = r#""name":"Brightwater Foods","require_second_factor":false"#;
    assert!(action == "company.changed" && after.contains(changed), "{action} {after}");
    let before = server.trail("Brightwater Foods").len();
    save(&admin, "Brightwater Foods").expect_redirect(GENERAL);
    assert_eq!(server.trail("Brightwater Foods").len(), before);
    save(&admin, "BRIGHTWATER foods").expect(303);
}

#[test]
fn a_refused_name_is_kept() {
    let server = TestServer::start();
    let admin = server.admin();
    server.other_company_admin();
    for (name, sentence) in [
        ("", "Enter a name for the company"),
        (" northwind ", "already exists"),
        (&"x".repeat(65), "64 characters or fewer"),
    ] {
        let page = save(&admin, name).expect(422).html();
        assert!(page.text("#company_name-error").contains(sentence), "{name}");
        assert_eq!(page.attribute("#company_name", "value"), name);
        assert!(page.text("title").starts_with("Error: "));
    }
    admin.post(GENERAL, &[("company_name", "Brightwater Foods")]).expect(422);
    assert_eq!(admin.get(GENERAL).html().attribute("#company_name", "value"), "Brightwater");
}

#[test]
fn an_auditor_sees_the_name_without_its_form() {
    let server = TestServer::start();
    let auditor = server.auditor();
    let page = auditor.get(GENERAL).expect(200).html();
    assert!(page.text("main").contains("Brightwater") && !page.has("main form"));
    save(&auditor, "Mine").expect(403);
}
