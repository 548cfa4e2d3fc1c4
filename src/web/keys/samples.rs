//! The list and its overlays with sample data.

use crate::domain::key::KeyFormat;
use crate::web::keys::address::{Column, ListAddress, Search, Sort, Tab};
use crate::web::keys::audit_trail::{AuditTrail, Day, Place};
use crate::web::keys::create::{AddKey, NewKey};
use crate::web::keys::expiry::{Expiry, ExpiryField, ExpiryOption, OldKey};
use crate::web::keys::identify::Identify;
use crate::web::keys::list::{Counts, End, ListBanner, ListPage, Overlay, Row};
use crate::web::keys::revoke::Revoke;
use crate::web::keys::revoke_several::{NamedKey, RevokeSeveral};
use crate::web::keys::trail_samples::{days, narrowed, trail};
use crate::web::keys::usage::InUse;
use crate::web::keys::usage_samples::{as_of, in_use, in_use_by_many, in_use_seldom};
use crate::web::page::{Field, Who};
use crate::web::paging::Pager;
use crate::web::samples::{Drawn, LONG_NAME, ago, drawn, shell, user, zone};

pub(super) const ERP: &str = "ERP Sync Service";

fn row((id, name, preview, by, minutes): (&str, &str, &str, &str, u64)) -> Row {
    Row {
        id: id.to_owned(),
        status: "active",
        name: name.to_owned(),
        preview: preview.to_owned(),
        created_by: user(by),
        created: zone().date(ago(minutes)),
        last_used: None,
        expires: Expiry::Never,
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
    .into_iter()
    .zip([None, Some(4), Some(118), Some(1_700), Some(600), Some(7_600), Some(221_000)])
    .map(|(row, used)| Row {
        expires: expires(&row.id),
        last_used: used.map(|minutes| zone().ago(ago(minutes), ago(0))),
        ..row
    })
    .collect()
}

fn expires(key_id: &str) -> Expiry {
    let at = zone().date_time(ago(0));
    match key_id {
        "k1" => Expiry::On(zone().date(ago(0))),
        "k2" => Expiry::Ending { at, in_words: "Ends in 23 hours".to_owned() },
        "k4" => Expiry::Soon { at, in_words: "in 9 days".to_owned() },
        _ => Expiry::Never,
    }
}

fn revoked_rows() -> Vec<Row> {
    let end = |by, minutes, reason, comment: Option<&str>| End {
        by,
        at: zone().date(ago(minutes)),
        reason,
        refused: (minutes < 100_000).then(|| "1,204 refused since".to_owned()),
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
        first: 1,
        pager: Pager::default(),
        can_change: true,
        zone: zone().label(ago(0)),
        as_of: Some(as_of()),
        banner: None,
        overlay: Overlay::None,
    }
}

fn over(overlay: Overlay) -> ListPage {
    ListPage { overlay, ..list(Tab::Active, active_rows()) }
}

fn add_key(name: Field, outdated: bool) -> ListPage {
    let expiry = expiry_field("90d");
    over(Overlay::AddKey(AddKey { name, expiry, submission: "c3VibWlzc2lvbg".to_owned(), outdated, taken: None }))
}

/// With all that can be chosen where no lifetime is too long.
pub(super) fn expiry_field(selected: &str) -> ExpiryField {
    let option = |(value, label): (&'static str, &str)| ExpiryOption { value, label: label.to_owned() };
    let options = [
        ("none", "Never"),
        ("30d", "In 30 days (23 Dec 2026)"),
        ("90d", "In 90 days (21 Feb 2027)"),
        ("180d", "In 180 days (22 May 2027)"),
        ("365d", "In 365 days (23 Nov 2027)"),
        ("date", "On a date"),
    ];
    ExpiryField { options: options.map(option).into(), selected: selected.to_owned(), ..ExpiryField::default() }
}

fn revoke(name: &str, created_by: &str, in_use: Option<InUse>, comment: Field) -> ListPage {
    over(Overlay::Revoke(Box::new(Revoke {
        key_id: "k2".to_owned(),
        name: name.to_owned(),
        preview: "goa_7Hq2…9fKd".to_owned(),
        created_by: user(created_by),
        created: zone().date(ago(15_829)),
        last_used: in_use.as_ref().map(|in_use| in_use.last.at.clone()),
        in_use,
        reason: Field::kept("unspecified"),
        comment,
    })))
}

fn revoke_several(keys: usize, error: Option<&str>) -> ListPage {
    let key = |row: Row| NamedKey { id: row.id, name: row.name, preview: row.preview, last_used: row.last_used };
    over(Overlay::RevokeSeveral(RevokeSeveral {
        keys: active_rows().into_iter().take(keys).map(key).collect(),
        reason: Field::kept("compromised"),
        comment: Field::default(),
        error: error.map(str::to_owned),
    }))
}

fn drawer(trail: AuditTrail) -> ListPage {
    over(Overlay::AuditTrail(Box::new(trail)))
}

fn in_drawer(days: Vec<Day>) -> AuditTrail {
    trail(Place::Drawer(ListAddress::of(Tab::Active)), days)
}

fn new_keys() -> Vec<Drawn> {
    let new_key = |until| NewKey {
        key_id: "k1".to_owned(),
        name: "Staging Smoke Tests".to_owned(),
        new_key: KeyFormat::new("goa".parse().unwrap(), [])
            .parse("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g")
            .unwrap(),
        public_url: "http://127.0.0.1:8080".to_owned(),
        old_key: Some(OldKey { id: "k2".to_owned(), preview: "goa_7Hq2…9fKd".to_owned(), until }),
    };
    let first_key = NewKey { old_key: None, ..new_key(None) };
    let until = Some(zone().date_time(ago(0)));
    vec![
        drawn("new-key", &over(Overlay::NewKey(first_key))),
        drawn("new-key-rotated", &over(Overlay::NewKey(new_key(until)))),
        drawn("new-key-replaced", &over(Overlay::NewKey(new_key(None)))),
    ]
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
            first: 51,
            pager: Pager { previous: Some("/keys?cursor=cA".to_owned()), next: Some("/keys?cursor=bg".to_owned()) },
            rows: active_rows()
                .into_iter()
                .cycle()
                .take(50)
                .enumerate()
                .map(|(n, row)| Row { id: format!("p{n}"), ..row })
                .collect(),
            ..list(Tab::Active, vec![])
        };
        let duplicate = format!("An active key named “{ERP}” already exists. Rotate it, or choose another name.");
        let banner = |banner| ListPage { banner: Some(banner), ..list(Tab::Active, active_rows()) };
        let renamed = ListBanner::Renamed { old: ERP.to_owned(), new: LONG_NAME.to_owned() };
        let expiry = ExpiryField {
            on: Field::refused("2026-11-01", "Choose a date in the future"),
            error: Some("Keys may live for 180 days at most".to_owned()),
            ..expiry_field("date")
        };
        let bad_expiry = Overlay::AddKey(AddKey {
            taken: None,
            name: Field::kept(ERP),
            expiry,
            submission: "c3VibWlzc2lvbg".to_owned(),
            outdated: false,
        });
        let refusal = Some("No key of this company matches.".to_owned());
        let done = ListBanner::Revoked { name: "Legacy Importer".to_owned() };
        let already = ListBanner::AlreadyRevoked {
            name: "ממשק הזמנות".to_owned(),
            by: user("Tomasz Wójcik"),
            on: zone().date(ago(16)),
        };
        let lists = vec![
            drawn("list-active", &list(Tab::Active, active_rows())),
            drawn("list-not-counted", &ListPage { as_of: None, ..list(Tab::Active, active_rows()) }),
            drawn("list-auditor", &ListPage { can_change: false, ..list(Tab::Active, active_rows()) }),
            drawn("list-revoked", &list(Tab::Revoked, revoked_rows())),
            drawn("list-paged", &paged),
            drawn("list-past-the-end", &ListPage { rows: vec![], ..paged }),
            drawn("list-banner", &ListPage { banner: Some(done), ..list(Tab::Active, active_rows()) }),
            drawn("list-revoked-several", &banner(ListBanner::RevokedSeveral { count: 4 })),
            drawn("list-renamed", &banner(renamed)),
            drawn("list-handed-over", &banner(ListBanner::HandedOver { name: ERP.to_owned(), to: user("דנה לוי") })),
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
            drawn("add-key-expiry-refused", &over(bad_expiry)),
            drawn("identify-refused", &over(Overlay::Identify(Identify { error: refusal }))),
            drawn("revoke-several", &revoke_several(4, None)),
            drawn("revoke-several-refused", &revoke_several(1, Some("One of the keys has ended meanwhile."))),
            drawn("revoke-several-none", &revoke_several(0, None)),
            drawn("revoke", &revoke(ERP, "Maria Lindqvist", Some(in_use()), Field::default())),
            drawn("revoke-used-seldom", &revoke(ERP, "Maria Lindqvist", Some(in_use_seldom()), Field::default())),
            drawn("revoke-used-by-many", &revoke(LONG_NAME, "", Some(in_use_by_many()), Field::default())),
            drawn(
                "revoke-refused",
                &revoke(LONG_NAME, "", None, Field::refused("Too long", "Comment must be 500 characters or fewer")),
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
        ];
        [lists, new_keys()].concat()
    }
}
