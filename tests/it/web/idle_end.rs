//! The idle end of the key policy: keys that are not used expire.

use std::time::Duration;

use crate::support::{API_KEYS, TestServer};

const POLICY: &str = "/administration/company-settings/key-policy";
const EVIDENCE: &str = "/administration/company-settings/evidence";
const DAY: Duration = Duration::from_hours(24);

fn with_idle_end(days: &str) -> TestServer {
    let server = TestServer::start();
    server.admin().save(POLICY, &[("idle_end_days", days), ("idle_end_reason", "Nobody looks after it")]).expect(303);
    server
}

#[test]
fn a_key_that_is_not_used_expires_a_day_after_the_period() {
    let server = with_idle_end("30");
    let admin = server.admin();
    let (never_used, used, lasting) =
        (admin.create_key("Never used"), admin.create_key("Used"), admin.create_key_for("Lasting", "365d"));
    server.advance(DAY * 5);
    assert_eq!([&used, &lasting].map(|key| server.whoami(&key.1)), [200; 2]);
    server.record_usage();
    server.advance(DAY * 26);
    server.actions.end_idle_keys().unwrap();
    assert_eq!(server.event_count("api_key.expired"), 0, "exactly so long is not longer");
    let other = server.second_server();
    server.advance(Duration::from_micros(1));
    server.actions.end_idle_keys().unwrap();
    // No server accepts it from then on.
    assert_eq!((server.whoami(&never_used.1), other.whoami(&never_used.1)), (401, 401));
    assert_eq!((server.whoami(&used.1), other.whoami(&lasting.1)), (200, 200));
    let (action, after) = server.trail("Brightwater").pop().unwrap();
    let ended_at = server.clock.now().as_micros();
    let expected = format!(r#"{{"ended_at":{ended_at},"idle_days":30,"name":"Never used","state":"expired"}}"#);
    assert_eq!((action.as_str(), after), ("api_key.expired", expected));
    let admin = server.admin();
    let page = admin.get(&format!("{API_KEYS}/{}", never_used.0)).expect(200).html();
    assert!(page.text("main").contains("Never used expired: not used for 30 days"), "{}", page.text("main"));
    // The rows agree with the trail, and a second run ends nothing more.
    server.actions.end_idle_keys().unwrap();
    server.actions.record_ended_keys().unwrap();
    assert_eq!(server.event_count("api_key.expired"), 1);
    server.check_state();
    assert!(server.admin().get(EVIDENCE).html().text("#evidence-state").ends_with("all good"));
}

#[test]
fn only_the_policy_of_the_company_ends_keys() {
    let server = TestServer::start();
    let (admin, other) = (server.admin(), server.other_company_admin());
    admin.save(POLICY, &[("idle_end_days", "30")]).expect(303);
    let (ours, theirs, replaced) = (admin.create_key("Ours"), other.create_key("Theirs"), admin.create_key("Replaced"));
    server.advance(DAY * 20);
    let admin = server.admin();
    let new = admin.rotate(&replaced.0, "30d").shown_key();
    server.advance(DAY * 20);
    server.actions.end_idle_keys().unwrap();
    // A key that is being replaced ends with its overlap.
    let statuses = [&ours, &theirs, &replaced, &new].map(|key| server.whoami(&key.1));
    assert_eq!(statuses, [401, 200, 200, 200]);
    server.admin().save(POLICY, &[("idle_end_days", "none")]).expect(303);
    server.advance(DAY * 400);
    server.actions.end_idle_keys().unwrap();
    assert_eq!(server.event_count("api_key.expired"), 1);
}

#[test]
fn an_idle_end_is_off_or_30_to_365_days() {
    let server = with_idle_end("90");
    let (admin, auditor) = (server.admin(), server.auditor());
    for wrong in ["29", "366", "soon"] {
        let page = admin.save(POLICY, &[("idle_end_days", wrong)]).expect(422).html();
        assert!(page.text("#idle_end_days-error").contains("Enter 30 to 365 days, or choose Off"), "{wrong}");
    }
    let facts = auditor.get(POLICY).html().text("dl.facts");
    assert!(facts.contains("Idle end 90 days Nobody looks after it"), "{facts}");
    admin.create_key("ERP Sync");
    let hint = admin.get(POLICY).html().text("#idle_end_days-hint");
    assert!(hint.contains("Active keys not used for 30 days: 0 of 1"), "{hint}");
}
