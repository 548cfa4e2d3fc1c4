//! The audit trail with sample data.

use crate::domain::action::Action;
use crate::domain::event::Event;
use crate::domain::event::tests::event;
use crate::domain::ids::UserId;
use crate::domain::instant::Instant;
use crate::store::{ListedEvent, Names};
use crate::web::audit_trail::told::ToldEvent;
use crate::web::keys::answer::{AnsweredEnd, Deed, KeyAnswer};
use crate::web::keys::audit_trail::{AuditTrail, AuditTrailPage, Day, Narrowed, Place};
use crate::web::keys::samples::ERP;
use crate::web::keys::usage_samples::refused_since_end;
use crate::web::page::ShownTime;
use crate::web::samples::{Drawn, LONG_NAME, ago, drawn, shell, user, zone};

const MARIA: &str = "Maria Lindqvist";
const TOMASZ: &str = "Tomasz Wójcik";

pub(super) fn trail(place: Place, days: Vec<Day>) -> AuditTrail {
    AuditTrail { place, zone: zone().label(ago(0)), narrowed: None, days, continued: false, older: None }
}

pub(super) fn narrowed(name: &str) -> Narrowed {
    let deed = |name: &str, minutes| Deed { by: user(name), on: zone().date(ago(minutes)) };
    let answer = KeyAnswer {
        created: deed("", 73_300),
        changed: Some(deed("Priya Wolfeschlegelsteinhausenbergerdorff", 2_500)),
        end: Some(AnsweredEnd::Revoked(deed(MARIA, 16))),
        since_end: Some(refused_since_end()),
    };
    Narrowed { key_id: "k8".to_owned(), name: name.to_owned(), answer }
}

/// What happened so many minutes ago, told as it is from the trail.
pub(crate) fn told(
    action: Action,
    person: &str,
    minutes: u64,
    after: &str,
    clock: impl Fn(Instant) -> ShownTime,
) -> ToldEvent {
    let [maria, gone, new_owner] = [1, 2, 3].map(|seed| UserId::new(ago(0), &[seed; 10]));
    let of_a_user = action.as_str().starts_with("user.");
    let (actor_type, actor_id) = match person {
        "" => ("user", Some(gone)),
        "Keydesk" => ("system", None),
        "Command line" => ("command_line", None),
        _ => ("user", Some(maria)),
    };
    let is_revoked = action == Action::ApiKeyRevoked;
    let comment = "Found in a public repository: https://git.example/brightwater/import-scripts/settings_production.py";
    let event = Event {
        id: format!("e{minutes}"),
        at: ago(minutes).as_micros(),
        action: action.as_str().to_owned(),
        actor_type: actor_type.to_owned(),
        actor_id: actor_id.map(|id| id.to_string()),
        key_id: (!of_a_user).then(|| "k8".to_owned()),
        target_type: if of_a_user { "user" } else { "api_key" }.to_owned(),
        target_id: new_owner.to_string(),
        before: Some(r#"{"name":"Legacy Importer"}"#.to_owned()),
        after: Some(after.replace("OWNER", &new_owner.to_string()).replace("UNTIL", &ago(0).as_micros().to_string())),
        reason: is_revoked.then(|| "compromised".to_owned()),
        comment: is_revoked.then(|| comment.to_owned()),
        client_address: actor_id
            .map(|_| if minutes == 30 { "2001:db8:85a3:8d3:1319:8a2e:370:7348" } else { "203.0.113.24" }.to_owned()),
        ..event(1)
    };
    let owner = "Priya Wolfeschlegelsteinhausenbergerdorff";
    let names = Names::from([(maria, person.to_owned()), (new_owner, owner.to_owned())]);
    let key_preview = (!of_a_user).then(|| "goa_9xQ2…b71c".to_owned());
    ToldEvent::of(&ListedEvent { event, key_preview }, &names, &zone(), clock(ago(minutes)))
}

pub(super) fn days() -> Vec<Day> {
    let event = |action, person: &str, minutes, name: &str, more: &str| {
        told(action, person, minutes, &format!("{{\"name\":\"{name}\"{more}}}"), |at| zone().clock(at))
    };
    let groups = vec![
        vec![
            event(Action::ApiKeyRevoked, MARIA, 16, "Legacy Importer", ""),
            event(Action::ApiKeyCreated, "דנה לוי", 30, "خدمة مزامنة الطلبات", ""),
            event(Action::ApiKeyHandedOver, MARIA, 40, ERP, ",\"owner\":\"OWNER\""),
            event(Action::UserDeleted, MARIA, 41, "", ",\"keys_handed_over\":3,\"new_owner\":\"OWNER\""),
        ],
        vec![
            event(Action::ApiKeyRenamed, MARIA, 2_500, LONG_NAME, ""),
            event(Action::ApiKeyExpiryChanged, TOMASZ, 2_600, ERP, ",\"ends_at\":UNTIL"),
            event(Action::ApiKeyRotated, TOMASZ, 2_602, ERP, ",\"ends_at\":UNTIL"),
            event(Action::ApiKeyRotated, TOMASZ, 2_604, ERP, ""),
            event(Action::ApiKeyRefusedAfterRevocation, "Keydesk", 2_605, "Legacy Importer", ",\"refused\":1204"),
            event(Action::ApiKeyExpired, "Keydesk", 2_606, "Power BI Gateway", ""),
            event(Action::ApiKeyCreated, TOMASZ, 2_608, "Staging Smoke Tests", ""),
        ],
        vec![
            event(Action::ApiKeyRevoked, "Command line", 73_200, "Reporting Dashboard", ""),
            event(Action::ApiKeyCreated, "Priya Wolfeschlegelsteinhausenbergerdorff", 73_250, LONG_NAME, ""),
            event(Action::ApiKeyCreated, "", 73_300, "Warehouse Label Printer", ""),
        ],
        vec![event(Action::ApiKeyCreated, "Priya Raman", 225_400, "Power BI Gateway", "")],
        vec![event(Action::ApiKeyCreated, MARIA, 325_400, ERP, "")],
    ];
    let heading = |events: &[ToldEvent], index: usize| match index {
        0 => zone().day_heading(ago(16), ago(0)),
        _ => events
            .first()
            .map_or_else(String::new, |event| format!("Saturday {}", event.at.title.split(',').next().unwrap())),
    };
    groups.into_iter().enumerate().map(|(index, events)| Day { heading: heading(&events, index), events }).collect()
}

impl AuditTrailPage {
    pub(crate) fn samples() -> Vec<Drawn> {
        let page = |trail| Self { shell: shell(), trail };
        let narrow = AuditTrail {
            narrowed: Some(narrowed(LONG_NAME)),
            continued: true,
            older: Some("b2xk".to_owned()),
            ..trail(Place::Page, days())
        };
        vec![
            drawn("trail", &page(trail(Place::Page, days()))),
            drawn("trail-narrowed", &page(narrow)),
            drawn("trail-empty", &page(trail(Place::Page, vec![]))),
        ]
    }
}
