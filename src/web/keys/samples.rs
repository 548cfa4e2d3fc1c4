//! The list, its overlays and the audit trail with sample data.

use crate::domain::key::KeyFormat;
use crate::web::keys::address::{Column, ListAddress, Search, Sort, Tab};
use crate::web::keys::audit_trail::{Act, AuditTrail, AuditTrailPage, Day, Event, Narrowed, Place};
use crate::web::keys::create::{AddKey, NewKey};
use crate::web::keys::list::{Counts, End, ListBanner, ListPage, Overlay, Pager, Row};
use crate::web::keys::revoke::Revoke;
use crate::web::page::{Field, Who};
use crate::web::samples::{Drawn, LONG_NAME, ago, drawn, shell, user, zone};

const ERP: &str = "ERP Sync Service";

fn row((id, name, preview, by, minutes): (&str, &str, &str, &str, u64)) -> Row {
    Row {
        id: id.to_owned(),
        status: "active",
        name: name.to_owned(),
        preview: preview.to_owned(),
        created_by: user(by),
        created: zone().date(ago(minutes)),
        end: None,
    }
}

fn active_rows() -> Vec<Row> {
    [
        ("k1", "Staging Smoke Tests", "goa_2nQj…PyB6", "Tomasz Wójcik", 2_608),
        ("k2", ERP, "goa_7Hq2…9fKd", "Maria Lindqvist", 15_829),
        ("k3", "خدمة مزامنة الطلبات", "goa_Lm4x…T0ve", "דנה לוי", 73_000),
        ("k4", LONG_NAME, "goa_b9Zc…eW31", "", 226_000),
        ("k5", "Payroll Export (nightly)", "goa_0RtY…m5Qa", "Priya Wolfeschlegelsteinhausenbergerdorff", 383_000),
        ("k6", "Supplier Portal Webhooks", "goa_Xe8p…Jk2N", "Maria Lindqvist", 430_000),
        ("k7", "تحلیل‌گر 👨‍👩‍👧", "goa_vG1s…c7Uo", "", 634_000),
    ]
    .map(row)
    .into()
}

fn revoked_rows() -> Vec<Row> {
    let end = |by, minutes, reason, comment: Option<&str>| End {
        by,
        at: zone().date(ago(minutes)),
        reason,
        comment: comment.map(str::to_owned),
    };
    let found =
        "Found in a public repository: https://git.example/brightwater/import-scripts/blob/main/settings_production.py";
    [
        (
            ("k8", "Legacy Importer", "goa_9xQ2…b71c", "", 1_078_000),
            end(user("Maria Lindqvist"), 16, "Compromised", Some(found)),
        ),
        (
            ("k9", "Reporting Dashboard", "goa_Pw6k…u8Rb", "Tomasz Wójcik", 836_000),
            end(user("Tomasz Wójcik"), 73_200, "Replaced by another key", None),
        ),
        (
            ("k10", "Power BI Gateway", "goa_d3Fh…L0sz", "Priya Raman", 937_000),
            end(Who::Words("Key holder"), 125_000, "Not given", None),
        ),
        (
            ("k11", LONG_NAME, "goa_Tt5e…Yq9M", "", 1_174_000),
            end(user(""), 488_000, "No longer used", Some("החוזה הסתיים")),
        ),
        (
            ("k12", "Mobile Scanner Pilot", "goa_Aa0e…Zq9M", "Maria Wolfeschlegelsteinhausenbergerdorff", 1_184_000),
            end(Who::Words("Command line"), 498_000, "Owner left", None),
        ),
    ]
    .map(|(key, end)| Row { status: "revoked", end: Some(end), ..row(key) })
    .into()
}

fn list(tab: Tab, rows: Vec<Row>) -> ListPage {
    let counts = Counts { active: 7, revoked: 5 };
    ListPage {
        shell: shell(),
        address: ListAddress::of(tab),
        total: counts,
        found: counts,
        rows,
        pager: Pager { first: 1, previous: None, next: None },
        can_change: true,
        zone: zone().label(ago(0)),
        banner: None,
        overlay: Overlay::None,
    }
}

fn over(overlay: Overlay) -> ListPage {
    ListPage { overlay, ..list(Tab::Active, active_rows()) }
}

fn add_key(name: Field, outdated: bool) -> ListPage {
    over(Overlay::AddKey(AddKey { name, submission: "c3VibWlzc2lvbg".to_owned(), outdated }))
}

fn revoke(name: &str, created_by: &str, comment: Field) -> ListPage {
    over(Overlay::Revoke(Revoke {
        key_id: "k2".to_owned(),
        name: name.to_owned(),
        preview: "goa_7Hq2…9fKd".to_owned(),
        created_by: user(created_by),
        created: zone().date(ago(15_829)),
        reason: Field::kept("unspecified"),
        comment,
    }))
}

fn trail(place: Place, days: Vec<Day>) -> AuditTrail {
    AuditTrail { place, zone: zone().label(ago(0)), narrowed: None, days, continued: false, older: None }
}

fn drawer(trail: AuditTrail) -> ListPage {
    over(Overlay::AuditTrail(trail))
}

fn in_drawer(days: Vec<Day>) -> AuditTrail {
    trail(Place::Drawer(ListAddress::of(Tab::Active)), days)
}

fn narrowed(name: &str) -> Narrowed {
    Narrowed { key_id: "k8".to_owned(), name: name.to_owned() }
}

fn days() -> Vec<Day> {
    let comment = "Found in a public repository: https://git.example/brightwater/import-scripts/settings_production.py";
    let event = |act, name: &str, who, minutes, address: Option<&str>| Event {
        id: format!("e{minutes}"),
        act,
        key_id: Some("k8".to_owned()),
        preview: Some("goa_9xQ2…b71c".to_owned()),
        name: name.to_owned(),
        who,
        new_owner: None,
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
        vec![event(Act::Created, "Staging Smoke Tests", user("Tomasz Wójcik"), 2_608, Some("198.51.100.7"))],
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

impl ListPage {
    pub(crate) fn samples() -> Vec<Drawn> {
        let searched = |tab, search: Search, rows, found| {
            let page = list(tab, rows);
            ListPage { address: ListAddress { search, ..page.address.clone() }, found, ..page }
        };
        let text = |text: &str| Search::Text(text.to_owned());
        let empty = |tab, total| ListPage { total, found: total, ..list(tab, vec![]) };
        let many = Counts { active: 10_000, revoked: 12_345 };
        let paged = ListPage {
            address: ListAddress {
                sort: Sort { column: Column::Name, descending: false },
                cursor: Some("b2Zmc2V0".to_owned()),
                ..ListAddress::of(Tab::Active)
            },
            total: many,
            found: many,
            pager: Pager { first: 51, previous: Some("cA".to_owned()), next: Some("bg".to_owned()) },
            rows: active_rows()
                .into_iter()
                .cycle()
                .take(50)
                .enumerate()
                .map(|(n, row)| Row { id: format!("p{n}"), ..row })
                .collect(),
            ..list(Tab::Active, vec![])
        };
        let duplicate = format!("An active key named “{ERP}” already exists. Choose another name.");
        let new_key = NewKey {
            key_id: "k1".to_owned(),
            name: "Staging Smoke Tests".to_owned(),
            new_key: KeyFormat::new("goa".parse().unwrap(), [])
                .parse("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g")
                .unwrap(),
            public_url: "http://127.0.0.1:8080".to_owned(),
        };
        let done = ListBanner::Revoked { name: "Legacy Importer".to_owned() };
        let already = ListBanner::AlreadyRevoked {
            name: "ממשק הזמנות".to_owned(),
            by: user("Tomasz Wójcik"),
            on: zone().date(ago(16)),
        };
        vec![
            drawn("list-active", &list(Tab::Active, active_rows())),
            drawn("list-auditor", &ListPage { can_change: false, ..list(Tab::Active, active_rows()) }),
            drawn("list-revoked", &list(Tab::Revoked, revoked_rows())),
            drawn("list-paged", &paged),
            drawn("list-past-the-end", &ListPage { rows: vec![], ..paged }),
            drawn("list-banner", &ListPage { banner: Some(done), ..list(Tab::Active, active_rows()) }),
            drawn("list-already-revoked", &ListPage { banner: Some(already), ..list(Tab::Revoked, revoked_rows()) }),
            drawn("list-empty", &empty(Tab::Active, Counts { active: 0, revoked: 0 })),
            drawn("list-none-active", &empty(Tab::Active, Counts { active: 0, revoked: 3 })),
            drawn("list-revoked-empty", &empty(Tab::Revoked, Counts { active: 1, revoked: 0 })),
            drawn("list-search", &searched(Tab::Active, text("e"), active_rows(), Counts { active: 7, revoked: 1 })),
            drawn(
                "list-search-empty",
                &searched(Tab::Active, text("legacy <b>"), vec![], Counts { active: 0, revoked: 2 }),
            ),
            drawn(
                "list-search-whole-key",
                &searched(Tab::Active, Search::WholeKey, vec![], Counts { active: 0, revoked: 0 }),
            ),
            drawn("add-key", &add_key(Field::default(), false)),
            drawn("add-key-refused", &add_key(Field::refused(ERP, duplicate), false)),
            drawn("add-key-outdated", &add_key(Field::kept("Staging Smoke Tests"), true)),
            drawn("new-key", &over(Overlay::NewKey(new_key))),
            drawn("revoke", &revoke(ERP, "Maria Lindqvist", Field::default())),
            drawn(
                "revoke-refused",
                &revoke(LONG_NAME, "", Field::refused("Too long", "Comment must be 500 characters or fewer")),
            ),
            drawn("drawer", &drawer(AuditTrail { older: Some("b2xkZXI".to_owned()), ..in_drawer(days()) })),
            drawn(
                "drawer-narrowed",
                &drawer(AuditTrail {
                    narrowed: Some(narrowed("Legacy Importer")),
                    continued: true,
                    ..in_drawer(days())
                }),
            ),
            drawn("drawer-empty", &drawer(in_drawer(vec![]))),
        ]
    }
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
