//! The Key Policy page: the rules, and the name of the company, which its form still accepts.

use crate::support::{Browser, TestServer};

const POLICY: &str = "/administration/company-settings/key-policy";

fn save(browser: &Browser, name: &str, require: Option<&str>) -> crate::support::Answer {
    let required = require.map(|value| ("require_second_factor", value));
    let fields: Vec<_> = [Some(("company_name", name)), required].into_iter().flatten().collect();
    browser.save(POLICY, &fields)
}

#[test]
fn the_form_still_accepts_a_company_name() {
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
fn without_a_name_the_company_keeps_its_own() {
    let server = TestServer::start();
    let admin = server.admin();
    assert!(!admin.get(POLICY).html().has("[name=company_name]"));
    admin.save(POLICY, &[("rotation_period", "90")]).expect(303);
    let (_, after) = server.trail("Brightwater").pop().unwrap();
    assert!(after.contains(r#""name":"Brightwater""#) && after.contains(r#""rotation_period_days":90"#), "{after}");
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

#[test]
fn each_period_has_a_reason_in_the_trail() {
    let server = TestServer::start();
    let (admin, auditor) = (server.admin(), server.auditor());
    let fields = [
        ("maximum_lifetime", "90"),
        ("maximum_lifetime_reason", " PCI DSS 8.6.3\r\nRisk review "),
        ("rotation_period", "30"),
    ];
    admin.save(POLICY, &fields).expect(303);
    let (_, after) = server.trail("Brightwater").pop().unwrap();
    assert_eq!(
        after,
        r#"{"default_expiry_days":null,"default_expiry_reason":null,"idle_end_days":null,"idle_end_reason":null,"maximum_lifetime_days":90,"maximum_lifetime_reason":"PCI DSS 8.6.3\nRisk review","name":"Brightwater","require_second_factor":false,"rotation_period_days":30,"rotation_period_reason":null}"#
    );
    assert_eq!(admin.get(POLICY).html().text("#maximum_lifetime_reason"), "PCI DSS 8.6.3 Risk review");
    let facts = auditor.get(POLICY).expect(200).html().text("dl.facts");
    assert!(
        facts.contains("Maximum lifetime 90 days PCI DSS 8.6.3 Risk review Rotation reminder 30 days Idle end Off"),
        "{facts}"
    );
    let page = admin.get("/administration/company-settings/audit-trail?action=company.changed").html();
    let event = admin.get(&page.attribute("tr[data-event-id] th a", "href")).html().text("dialog");
    assert!(event.contains("Maximum lifetime reason None PCI DSS 8.6.3 Risk review"), "{event}");
    let long = "x".repeat(501);
    let page = admin.save(POLICY, &[("rotation_period", "30"), ("rotation_period_reason", &long)]).expect(422).html();
    assert!(page.text("#rotation_period_reason-error").contains("Use 500 characters or fewer"));
    assert_eq!(page.text("#rotation_period_reason"), long);
    // A form without the field clears the reason, as every missing field counts as empty.
    admin.save(POLICY, &[("maximum_lifetime", "90")]).expect(303);
    assert!(!auditor.get(POLICY).html().text("dl.facts").contains("PCI"));
    server.check_state();
    let evidence = admin.get("/administration/company-settings/evidence").expect(200).html();
    assert!(evidence.text("#evidence-state").ends_with("all good"));
}

#[test]
fn the_form_forecasts_which_keys_a_period_concerns() {
    let server = TestServer::start();
    let admin = server.admin();
    server.auditor();
    assert!(!admin.get(POLICY).html().has("#maximum_lifetime-hint"));
    admin.create_key("ERP Sync");
    admin.create_key_for("Reporting", "90d");
    let (old, _) = admin.create_key("Archive");
    admin.rotate(&old, "24h").expect(201);
    server.advance(std::time::Duration::from_hours(31 * 24));
    let admin = server.admin();
    admin.create_key_for("Newer", "30d");
    let page = admin.get(POLICY).expect(200).html();
    assert_eq!(
        page.text("#maximum_lifetime-hint"),
        "Active keys that live longer than 30 days: 3 of 4; than 90: 2; than 180: 2; than 365: 2. They keep working; new keys cannot live that long."
    );
    assert_eq!(
        page.text("#rotation_period-hint"),
        "Active keys older than 30 days: 3 of 4; than 90: 0; than 180: 0; than 365: 0."
    );
    assert!(!page.has("#default_expiry-hint"));
    admin.save(POLICY, &[("maximum_lifetime", "30")]).expect(303);
    let note = "New keys expire after 30 days, the maximum lifetime.";
    assert_eq!(admin.get(POLICY).html().text("#default_expiry-hint"), note);
    let facts = server.signed_in_as("jonas@brightwater.example").get(POLICY).html().text("dl.facts");
    assert!(facts.contains(&format!("Default expiry Never {note}")) && !facts.contains("of 4"), "{facts}");
}
