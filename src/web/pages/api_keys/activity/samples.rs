//! Key activity with sample data.

use crate::domain::ids::{KeyId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::action::Action;
use crate::domain::trail::event::Event;
use crate::domain::trail::event::tests::event;
use crate::store::{EventListItem, UserNames};
use crate::web::app::time::view::TimeView;
use crate::web::components::event::view::EventView;
use crate::web::components::samples::{LONG_NAME, Rendered, ago, layout, render, user, zone};
use crate::web::pages::api_keys::activity::summary::{ActorOn, EndSummary, KeyHistorySummary};
use crate::web::pages::api_keys::activity::view::{Day, KeyActivity, KeyActivityPage, KeyHistory, Placement};
use crate::web::pages::api_keys::list::samples::ERP;
use crate::web::pages::api_keys::usage::samples::refused_since_end;

const MARIA: &str = "Maria Lindqvist";
const TOMASZ: &str = "Tomasz Wójcik";

pub fn key_activity(placement: Placement, days: Vec<Day>) -> KeyActivity {
    KeyActivity { placement, zone: zone().label(ago(0)), key: None, days, continued: false, older: None }
}

pub fn key_history(name: &str) -> KeyHistory {
    let actor_on = |name: &str, minutes| ActorOn { by: user(name), on: zone().date(ago(minutes)) };
    let summary = KeyHistorySummary {
        created: actor_on("", 73_300),
        changed: Some(actor_on("Priya Wolfeschlegelsteinhausenbergerdorff", 2_500)),
        end: Some(EndSummary::Revoked(actor_on(MARIA, 16))),
        since_end: Some(refused_since_end()),
    };
    KeyHistory { key_id: "k8".to_owned(), name: name.to_owned(), summary }
}

const NEW_EXPIRY: (&str, &str) = (r#"{"expires_at":null,"name":"NAME"}"#, r#"{"expires_at":UNTIL,"name":"NAME"}"#);
const OLD_KEY_ENDED: (&str, &str) = (r#"{"name":"NAME"}"#, r#"{"name":"NAME","replaced_by":"KEY"}"#);

/// What an event of this action stores before and after it.
pub const fn sample_json(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::ApiKeyDigestRenewed => (
            "",
            r#"{"digest_fingerprint":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","name":"NAME","pepper_id":"3f2a91bc"}"#,
        ),
        Action::ApiKeyDetailsChanged => (
            r#"{"contact":"","department":"","name":"NAME","purpose":""}"#,
            r##"{"contact":"#logistics-it","department":"Logistics","name":"NAME","purpose":"Copies orders and stock levels to the ERP system."}"##,
        ),
        Action::ApiKeyExpired => {
            (r#"{"name":"NAME","state":"active"}"#, r#"{"ended_at":UNTIL,"name":"NAME","state":"expired"}"#)
        }
        Action::ApiKeyExpiryChanged => (r#"{"ends_at":UNTIL,"name":"NAME"}"#, r#"{"ends_at":UNTIL,"name":"NAME"}"#),
        Action::ApiKeyHandedOver => (r#"{"name":"NAME","owner":"OWNER"}"#, r#"{"name":"NAME","owner":"OWNER"}"#),
        Action::ApiKeyRefusedAfterRevocation => ("", r#"{"last_refused_at":UNTIL,"name":"NAME","refused":1204}"#),
        Action::ApiKeyRotated => (r#"{"name":"NAME"}"#, r#"{"ends_at":UNTIL,"name":"NAME","replaced_by":"KEY"}"#),
        Action::UserAdded => ("", r#"{"role":"auditor"}"#),
        Action::UserDeleted => (r#"{"role":"admin"}"#, r#"{"keys_handed_over":3,"new_owner":"OWNER"}"#),
        Action::UserRoleChanged => (r#"{"role":"admin"}"#, r#"{"role":"auditor"}"#),
        _ => (r#"{"name":"Legacy Importer"}"#, r#"{"name":"NAME"}"#),
    }
}

/// The view of an event from this number of minutes ago.
pub fn sample_event(
    action: Action,
    person: &str,
    minutes: u64,
    name: &str,
    (before, after): (&str, &str),
    clock: impl Fn(Timestamp) -> TimeView,
) -> EventView {
    let [maria, deleted, new_owner] = [1, 2, 3].map(|seed| UserId::new(ago(0), &[seed; 10]));
    let is_about_user = action.as_str().starts_with("user.");
    let (actor_type, actor_id) = match person {
        "" => ("user", Some(deleted)),
        "Keydesk" => ("system", None),
        "Command line" => ("command_line", None),
        _ => ("user", Some(maria)),
    };
    let is_revoked = action == Action::ApiKeyRevoked;
    let json = |text: &str| {
        let text = text.replace("NAME", name).replace("UNTIL", &ago(0).as_micros().to_string());
        let text = text.replace("OWNER", &new_owner.to_string());
        let text = text.replace("KEY", &KeyId::new(ago(0), &[4; 10]).to_string());
        (!text.is_empty()).then_some(text)
    };
    let comment = "Found in a public repository: https://git.example/brightwater/import-scripts/settings_production.py";
    let event = Event {
        id: format!("e{minutes}"),
        at: ago(minutes).as_micros(),
        action: action.as_str().to_owned(),
        actor_type: actor_type.to_owned(),
        actor_id: actor_id.map(|id| id.to_string()),
        key_id: (!is_about_user).then(|| "k8".to_owned()),
        target_type: if is_about_user { "user" } else { "api_key" }.to_owned(),
        target_id: new_owner.to_string(),
        before: json(before),
        after: json(after),
        reason: is_revoked.then(|| "compromised".to_owned()),
        comment: is_revoked.then(|| comment.to_owned()),
        client_address: actor_id
            .map(|_| if minutes == 30 { "2001:db8:85a3:8d3:1319:8a2e:370:7348" } else { "203.0.113.24" }.to_owned()),
        ..event(1)
    };
    let owner = "Priya Wolfeschlegelsteinhausenbergerdorff";
    let names = UserNames::from([(maria, person.to_owned()), (new_owner, owner.to_owned())]);
    let key_preview = (!is_about_user).then(|| "goa_9xQ2…b71c".to_owned());
    EventView::new(&EventListItem { event, key_preview }, &names, &zone(), clock(ago(minutes)))
}

pub fn days() -> Vec<Day> {
    let with_json = |action, person: &str, minutes, name: &str, json| {
        sample_event(action, person, minutes, name, json, |at| zone().clock(at))
    };
    let event =
        |action, person: &str, minutes, name: &str| with_json(action, person, minutes, name, sample_json(action));
    let groups = vec![
        vec![
            event(Action::ApiKeyRevoked, MARIA, 16, "Legacy Importer"),
            event(Action::ApiKeyCreated, "דנה לוי", 30, "خدمة مزامنة الطلبات"),
            event(Action::ApiKeyHandedOver, MARIA, 40, ERP),
            event(Action::UserDeleted, MARIA, 41, ""),
        ],
        vec![
            event(Action::ApiKeyRenamed, MARIA, 2_500, LONG_NAME),
            event(Action::ApiKeyDetailsChanged, MARIA, 2_501, ERP),
            with_json(Action::ApiKeyExpiryChanged, MARIA, 2_502, ERP, NEW_EXPIRY),
            event(Action::ApiKeyExpiryChanged, TOMASZ, 2_600, ERP),
            event(Action::ApiKeyRotated, TOMASZ, 2_602, ERP),
            with_json(Action::ApiKeyRotated, TOMASZ, 2_604, ERP, OLD_KEY_ENDED),
            event(Action::ApiKeyRefusedAfterRevocation, "Keydesk", 2_605, "Legacy Importer"),
            event(Action::ApiKeyExpired, "Keydesk", 2_606, "Power BI Gateway"),
            event(Action::ApiKeyCreated, TOMASZ, 2_608, "Staging Smoke Tests"),
        ],
        vec![
            event(Action::ApiKeyRevoked, "Command line", 73_200, "Reporting Dashboard"),
            event(Action::ApiKeyCreated, "Priya Wolfeschlegelsteinhausenbergerdorff", 73_250, LONG_NAME),
            event(Action::ApiKeyCreated, "", 73_300, "Warehouse Label Printer"),
        ],
        vec![event(Action::ApiKeyCreated, "Priya Raman", 225_400, "Power BI Gateway")],
        vec![event(Action::ApiKeyCreated, MARIA, 325_400, ERP)],
    ];
    let heading = |events: &[EventView], index: usize| match index {
        0 => zone().day_heading(ago(16), ago(0)),
        _ => events
            .first()
            .map_or_else(String::new, |event| format!("Saturday {}", event.at.title.split(',').next().unwrap())),
    };
    groups.into_iter().enumerate().map(|(index, events)| Day { heading: heading(&events, index), events }).collect()
}

impl KeyActivityPage {
    pub fn samples() -> Vec<Rendered> {
        let page = |activity| Self { layout: layout(), trail: activity };
        let one_key = KeyActivity {
            key: Some(key_history(LONG_NAME)),
            continued: true,
            older: Some("b2xk".to_owned()),
            ..key_activity(Placement::Page, days())
        };
        vec![
            render("trail", &page(key_activity(Placement::Page, days()))),
            render("trail-narrowed", &page(one_key)),
            render("trail-empty", &page(key_activity(Placement::Page, vec![]))),
        ]
    }
}
