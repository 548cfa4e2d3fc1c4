//! Tests of the sentences.

use super::*;
use crate::domain::trail::event::tests::event;
use crate::store::EventListItem;
use crate::web::components::event::view::EventView;

fn plain_text(parts: &[Part]) -> String {
    let text = |part: &Part| match part {
        Part::Text(value) | Part::Name(value) => value.clone(),
        Part::Person(person) => person.text().to_owned(),
        Part::Time(at) => at.text.clone(),
    };
    parts.iter().map(text).collect()
}

/// The sentence and the aside of an event.
fn describe(action: &str, before: &str, after: &str) -> (String, String) {
    let id = UserId::new(Timestamp::from_micros(0), &[1; 10]);
    let names = UserNames::from([(id, "Priya Raman".to_owned())]);
    let event = Event {
        action: action.to_owned(),
        before: (!before.is_empty()).then(|| before.replace("ID", &id.to_string())),
        after: (!after.is_empty()).then(|| after.replace("ID", &id.to_string())),
        target_id: id.to_string(),
        actor_id: Some(id.to_string()),
        ..event(1)
    };
    let zone = Zone::utc();
    let view = EventView::new(
        &EventListItem { event, key_preview: None },
        &names,
        &zone,
        zone.clock(Timestamp::from_micros(0)),
    );
    (plain_text(&view.sentence), plain_text(&view.aside))
}

#[test]
fn every_action_has_its_own_sentence() {
    let mut sentences: Vec<String> =
        Action::ALL.iter().map(|action| describe(action.as_str(), r#"{"name":"ERP"}"#, "").0).collect();
    sentences.sort();
    sentences.dedup();
    assert_eq!(sentences.len(), Action::ALL.len());
    assert_eq!(describe("api_key.deleted", "", "").0, "api_key.deleted");
}

#[test]
fn a_sentence_contains_the_detail_of_its_event() {
    for (action, before, after, expected) in [
        (
            "api_key.expired",
            r#"{"name":"ERP","state":"active"}"#,
            r#"{"ended_at":0,"idle_days":90,"name":"ERP","state":"expired"}"#,
            "ERP expired: not used for 90 days",
        ),
        ("api_key.renamed", r#"{"name":"ERP"}"#, r#"{"name":"ERP Sync"}"#, "renamed ERP to ERP Sync"),
        (
            "api_key.handed_over",
            r#"{"name":"ERP","owner":"ID"}"#,
            r#"{"name":"ERP","owner":"ID"}"#,
            "changed the owner of ERP to Priya Raman",
        ),
        (
            "api_key.expiry_changed",
            r#"{"ends_at":0,"name":"ERP"}"#,
            r#"{"name":"ERP","ends_at":0}"#,
            "extended ERP until 1 Jan 1970, 00:00",
        ),
        ("user.added", "", r#"{"role":"auditor"}"#, "added Priya Raman as an auditor"),
        (
            "user.role_changed",
            r#"{"role":"auditor"}"#,
            r#"{"role":"admin"}"#,
            "changed the role of Priya Raman to Admin",
        ),
        ("user.profile_changed", "", r#"{"changed":["name","theme"]}"#, "updated their name and theme"),
        (
            "user.second_factor_changed",
            r#"{"second_factor":false}"#,
            r#"{"second_factor":true}"#,
            "set up their second factor",
        ),
        (
            "user.second_factor_changed",
            r#"{"second_factor":true}"#,
            r#"{"recovery_codes_renewed":true,"second_factor":true}"#,
            "renewed their recovery codes",
        ),
        (
            "user.password_changed",
            "",
            r#"{"link_created_by":"ID","link_created_by_type":"user"}"#,
            "changed their password with a link from Priya Raman",
        ),
        (
            "user.password_changed",
            "",
            r#"{"link_created_by_type":"command_line"}"#,
            "changed their password with a link from the command line",
        ),
        ("user.session_ended", "", r#"{"sessions":2}"#, "signed out 2 of their sessions"),
        ("audit_trail.exported", "", r#"{"format":"csv"}"#, "exported the audit trail as CSV"),
        (
            "audit_trail.loss_accepted",
            "",
            r#"{"checkpoint":"…","events_left":940,"first_lost":941,"last_lost":1000}"#,
            "accepted the loss of 60 events of the audit trail",
        ),
        (
            "audit_trail.loss_accepted",
            "",
            r#"{"checkpoint":"…","events_left":1000,"last_lost":1000}"#,
            "accepted the loss of replaced events of the audit trail",
        ),
        ("audit_trail.exported", "", r#"{"format":"json_lines","key":"ID"}"#, "exported filtered events as JSONL"),
    ] {
        assert_eq!(describe(action, before, after).0, expected);
    }
}

#[test]
fn a_rotation_shows_its_overlap() {
    let key = "01a2a747-5680-7cdd-b6c0-1ce0e5498baa";
    let rotation = |end: &str| {
        let after = format!(r#"{{{end}"name":"ERP","replaced_by":"{key}"}}"#);
        describe("api_key.rotated", r#"{"name":"ERP"}"#, &after).1
    };
    assert_eq!(rotation(r#""ends_at":0,"#), "overlap until 1 Jan 1970, 00:00");
    assert_eq!(rotation(""), "no overlap");
}

#[test]
fn a_user_deletion_shows_what_happened_to_the_keys() {
    let role = r#"{"role":"admin"}"#;
    let handed_over = describe("user.deleted", role, r#"{"keys_handed_over":3,"new_owner":"ID"}"#).1;
    assert_eq!(handed_over, "Now shown as “Deleted user” · 3 keys handed over to Priya Raman");
    assert_eq!(
        describe("user.deleted", role, r#"{"keys_revoked":1}"#).1,
        "Now shown as “Deleted user” · 1 key revoked"
    );
    assert_eq!(describe("user.deleted", role, "").1, "Now shown as “Deleted user”");
}
