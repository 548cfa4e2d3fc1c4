//! The audit trail with sample data.

use crate::web::keys::audit_trail::{Act, AuditTrail, AuditTrailPage, Day, Event, Narrowed, Place};
use crate::web::keys::samples::ERP;
use crate::web::page::Who;
use crate::web::samples::{Drawn, LONG_NAME, ago, drawn, shell, user, zone};

pub(super) fn trail(place: Place, days: Vec<Day>) -> AuditTrail {
    AuditTrail { place, zone: zone().label(ago(0)), narrowed: None, days, continued: false, older: None }
}

pub(super) fn narrowed(name: &str) -> Narrowed {
    Narrowed { key_id: "k8".to_owned(), name: name.to_owned() }
}

pub(super) fn days() -> Vec<Day> {
    let comment = "Found in a public repository: https://git.example/brightwater/import-scripts/settings_production.py";
    let event = |act, name: &str, who, minutes, address: Option<&str>| Event {
        id: format!("e{minutes}"),
        act,
        key_id: Some("k8".to_owned()),
        preview: Some("goa_9xQ2…b71c".to_owned()),
        name: name.to_owned(),
        old_name: None,
        who,
        new_owner: None,
        until: None,
        at: zone().clock(ago(minutes)),
        address: address.map(str::to_owned),
        reason: None,
        comment: None,
    };
    let revoked = |name, who, minutes, address| Event {
        reason: Some("Compromised"),
        comment: Some(comment.to_owned()),
        ..event(Act::Revoked, name, who, minutes, address)
    };
    let handed_over = Event {
        new_owner: Some(user("Priya Wolfeschlegelsteinhausenbergerdorff")),
        ..event(Act::HandedOver, ERP, user("Maria Lindqvist"), 40, Some("203.0.113.24"))
    };
    let deleted = Event {
        key_id: None,
        preview: None,
        ..event(Act::UserDeleted, "", user("Maria Lindqvist"), 41, Some("203.0.113.24"))
    };
    let renamed = Event {
        old_name: Some("Legacy Importer".to_owned()),
        ..event(Act::Renamed, LONG_NAME, user("Maria Lindqvist"), 2_500, Some("203.0.113.24"))
    };
    let until = |act, minutes| Event {
        until: Some(zone().date_time(ago(0))),
        ..event(act, ERP, user("Tomasz Wójcik"), minutes, Some("198.51.100.7"))
    };
    let groups = vec![
        vec![
            revoked("Legacy Importer", user("Maria Lindqvist"), 16, Some("203.0.113.24")),
            event(
                Act::Created,
                "خدمة مزامنة الطلبات",
                user("דנה לוי"),
                30,
                Some("2001:db8:85a3:8d3:1319:8a2e:370:7348"),
            ),
            handed_over,
            deleted,
        ],
        vec![
            renamed,
            until(Act::ExpiryChanged, 2_600),
            until(Act::Rotated, 2_602),
            event(Act::Rotated, ERP, user("Tomasz Wójcik"), 2_604, Some("198.51.100.7")),
            event(Act::Expired, "Power BI Gateway", Who::Words("Keydesk"), 2_606, None),
            event(Act::Created, "Staging Smoke Tests", user("Tomasz Wójcik"), 2_608, Some("198.51.100.7")),
        ],
        vec![
            event(Act::Revoked, "Reporting Dashboard", Who::Words("Command line"), 73_200, None),
            event(
                Act::Created,
                LONG_NAME,
                user("Priya Wolfeschlegelsteinhausenbergerdorff"),
                73_250,
                Some("192.0.2.61"),
            ),
            event(Act::Created, "Warehouse Label Printer", user(""), 73_300, Some("192.0.2.18")),
        ],
        vec![event(Act::Created, "Power BI Gateway", user("Priya Raman"), 225_400, Some("192.0.2.61"))],
        vec![event(Act::Created, ERP, user("Maria Lindqvist"), 325_400, Some("192.0.2.61"))],
    ];
    let heading = |events: &[Event], index: usize| match index {
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
