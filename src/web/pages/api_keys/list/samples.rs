//! The key list and its dialogs with sample data.

use crate::domain::key::api_key::KeyFormat;
use crate::domain::practice::finding::{Findings, Practice};
use crate::domain::practice::summary::{Summary, day_of};
use crate::store::ExpiryFilter;
use crate::web::components::dialog::Dialog;
use crate::web::components::field::Field;
use crate::web::components::key_use::samples::{as_of, in_use, in_use_by_many, in_use_seldom, several_in_use};
use crate::web::components::key_use::view::InUse;
use crate::web::components::paging::Pager;
use crate::web::components::people::ActorView;
use crate::web::components::samples::{LONG_NAME, Rendered, ago, layout, render, user, zone};
use crate::web::pages::api_keys::activity::samples::{days, key_activity, key_history};
use crate::web::pages::api_keys::activity::view::{Day, KeyActivity, Placement};
use crate::web::pages::api_keys::create::AddKey;
use crate::web::pages::api_keys::expiry::{Expiry, ExpiryField, ExpiryOption, OldKey};
use crate::web::pages::api_keys::identify::Identify;
use crate::web::pages::api_keys::list::filter_bar::{FilterBar, Owner};
use crate::web::pages::api_keys::list::practice_panel::PracticePanel;
use crate::web::pages::api_keys::list::view::{Counts, End, KeyListBanner, KeyListPage, Row, RowOwner};
use crate::web::pages::api_keys::list_address::{Column, KeyListAddress, Search, Sort, Tab};
use crate::web::pages::api_keys::list_filters::Filters;
use crate::web::pages::api_keys::new_key::NewKey;
use crate::web::pages::api_keys::revocation::RevocationFields;
use crate::web::pages::api_keys::revoke::Revoke;
use crate::web::pages::api_keys::revoke_several::{NamedKey, RevokeSeveral};

pub const ERP: &str = "ERP Sync Service";

fn row((id, name, preview, by, minutes): (&str, &str, &str, &str, u64)) -> Row {
    Row {
        id: id.to_owned(),
        status: "active",
        name: name.to_owned(),
        purpose: if id == "k2" {
            "Copies orders and invoices from the ERP system every night".to_owned()
        } else {
            String::new()
        },
        rotation: (id == "k2").then_some("Old key"),
        preview: preview.to_owned(),
        created_by: user(by),
        owner: (id == "k4").then(|| RowOwner { view: user("Priya Raman"), href: Some("#".to_owned()) }),
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
        "k2" => Expiry::Ending { at, label: "Ends in 23 hours".to_owned() },
        "k4" => Expiry::Soon { at, label: "in 9 days".to_owned() },
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
            end(ActorView::Label("Key holder"), 125_000, "Not given", None),
        ),
        (
            ("k11", LONG_NAME, "goa_Tt5e…Yq9M", "", 1_174_000),
            end(user(""), 488_000, "No longer used", Some("החוזה הסתיים")),
        ),
        (
            ("k12", "Mobile Scanner Pilot", "goa_Aa0e…Zq9M", "Maria Wolfeschlegelsteinhausenbergerdorff", 1_184_000),
            end(ActorView::Label("Command line"), 498_000, "Owner left", None),
        ),
    ]
    .map(|(key, end)| Row { status: "revoked", end: Some(end), ..row(key) })
    .into()
}

fn you() -> Owner {
    Owner { id: "u1".to_owned(), name: "Maria Lindqvist".to_owned() }
}

fn list(tab: Tab, rows: Vec<Row>) -> KeyListPage {
    let counts = Counts { active: 7, revoked: 5 };
    KeyListPage {
        layout: layout(),
        address: KeyListAddress::of(tab),
        total: counts,
        found: counts,
        filters: FilterBar::new(&KeyListAddress::of(tab), &Summary::default(), None, &you()),
        practice: None,
        rows,
        first: 1,
        pager: Pager::default(),
        can_change: true,
        zone: zone().label(ago(0)),
        as_of: Some(as_of()),
        banner: None,
        dialog: None,
    }
}

fn with_dialog(dialog: Dialog) -> KeyListPage {
    KeyListPage { dialog: Some(dialog), ..list(Tab::Active, active_rows()) }
}

fn add_key(name: Field, is_outdated: bool) -> KeyListPage {
    let expiry = expiry_field("90d");
    let submission = "c3VibWlzc2lvbg".to_owned();
    with_dialog(
        AddKey { name, expiry, submission, is_outdated, taken: None, unclear_name: None, purpose: Field::default() }
            .into_dialog(),
    )
}

/// All options, as without a maximum lifetime.
pub fn expiry_field(selected: &str) -> ExpiryField {
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

fn revoke(name: &str, created_by: &str, in_use: Option<InUse>, comment: Field) -> KeyListPage {
    let dialog = Revoke {
        key_id: "k2".to_owned(),
        name: name.to_owned(),
        preview: "goa_7Hq2…9fKd".to_owned(),
        created_by: user(created_by),
        created: zone().date(ago(15_829)),
        last_used: in_use.as_ref().map(|in_use| in_use.keys[0].last.at.clone()),
        in_use,
        fields: RevocationFields { comment, ..RevocationFields::default() },
    };
    with_dialog(dialog.into_dialog())
}

fn revoke_several(keys: usize, error: Option<&str>) -> KeyListPage {
    let key = |row: Row| NamedKey { id: row.id, name: row.name, preview: row.preview, last_used: row.last_used };
    let dialog = RevokeSeveral {
        ids: active_rows().into_iter().take(keys).map(|row| row.id).collect(),
        in_use: (keys > 1).then(|| several_in_use(keys as u64)),
        unused: active_rows().into_iter().skip(1).take(keys.saturating_sub(2)).map(key).collect(),
        fields: RevocationFields { reason: Field::new("compromised"), comment: Field::default() },
        error: error.map(str::to_owned),
    };
    with_dialog(dialog.into_dialog())
}

fn drawer(activity: KeyActivity) -> KeyListPage {
    with_dialog(activity.into_dialog())
}

fn in_drawer(days: Vec<Day>) -> KeyActivity {
    key_activity(Placement::Drawer(KeyListAddress::of(Tab::Active)), days)
}

fn new_keys() -> Vec<Rendered> {
    let new_key = |until| NewKey {
        key_id: "k1".to_owned(),
        name: "Staging Smoke Tests".to_owned(),
        new_key: KeyFormat::new("goa".parse().unwrap(), [])
            .parse("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g")
            .unwrap(),
        public_url: "http://127.0.0.1:8080".to_owned(),
        saved_href: "/keys?done=e1".to_owned(),
        old_key: Some(OldKey { id: "k2".to_owned(), preview: "goa_7Hq2…9fKd".to_owned(), until }),
    };
    let first_key = NewKey { old_key: None, ..new_key(None) };
    let until = Some(zone().date_time(ago(0)));
    vec![
        render("new-key", &with_dialog(first_key.into_dialog())),
        render("new-key-rotated", &with_dialog(new_key(until).into_dialog())),
        render("new-key-replaced", &with_dialog(new_key(None).into_dialog())),
    ]
}

fn dialogs() -> Vec<Rendered> {
    let duplicate = format!("An active key named “{ERP}” already exists. Rotate it, or choose another name.");
    let expiry = ExpiryField {
        on: Field::invalid("2026-11-01", "Choose a date in the future"),
        error: Some("Your company allows keys to live up to 180 days. Choose an earlier date.".to_owned()),
        ..expiry_field("date")
    };
    let bad_expiry = AddKey {
        taken: None,
        unclear_name: None,
        purpose: Field::default(),
        name: Field::new(ERP),
        expiry,
        submission: "c3VibWlzc2lvbg".to_owned(),
        is_outdated: false,
    };
    let refusal = Some("No key of this company matches.".to_owned());
    vec![
        render("add-key", &add_key(Field::default(), false)),
        render("add-key-refused", &add_key(Field::invalid(ERP, duplicate), false)),
        render(
            "add-key-unclear",
            &with_dialog(
                AddKey {
                    name: Field::new("key1"),
                    unclear_name: Some("key1".to_owned()),
                    expiry: expiry_field("90d"),
                    ..AddKey::default()
                }
                .into_dialog(),
            ),
        ),
        render("add-key-outdated", &add_key(Field::new("Staging Smoke Tests"), true)),
        render("add-key-expiry-refused", &with_dialog(bad_expiry.into_dialog())),
        render("identify-refused", &with_dialog(Identify { error: refusal }.into_dialog())),
        render("revoke-several", &revoke_several(4, None)),
        render("revoke-several-refused", &revoke_several(1, Some("One of the keys has ended meanwhile."))),
        render("revoke-several-none", &revoke_several(0, None)),
        render("revoke", &revoke(ERP, "Maria Lindqvist", Some(in_use()), Field::default())),
        render("revoke-used-seldom", &revoke(ERP, "Maria Lindqvist", Some(in_use_seldom()), Field::default())),
        render("revoke-used-by-many", &revoke(LONG_NAME, "", Some(in_use_by_many()), Field::default())),
        render(
            "revoke-refused",
            &revoke(LONG_NAME, "", None, Field::invalid("Too long", "Comment must be 500 characters or fewer")),
        ),
        render("drawer", &drawer(KeyActivity { older: Some("b2xkZXI".to_owned()), ..in_drawer(days()) })),
        render(
            "drawer-narrowed",
            &drawer(KeyActivity { key: Some(key_history("Legacy Importer")), continued: true, ..in_drawer(days()) }),
        ),
        render("drawer-empty", &drawer(in_drawer(vec![]))),
    ]
}

impl KeyListPage {
    pub fn samples() -> Vec<Rendered> {
        let searched = |tab, search: Search, rows, found| {
            let page = list(tab, rows);
            KeyListPage { address: KeyListAddress { search, ..page.address.clone() }, found, ..page }
        };
        let text = |text: &str| Search::Text(text.to_owned());
        let empty = |tab, total| KeyListPage { total, found: total, ..list(tab, vec![]) };
        let many = Counts { active: 10_000, revoked: 12_345 };
        let paged = KeyListPage {
            address: KeyListAddress {
                sort: Sort { column: Column::Name, descending: false },
                cursor: Some("b2Zmc2V0".to_owned()),
                ..KeyListAddress::of(Tab::Active)
            },
            total: many,
            found: many,
            first: 51,
            pager: Pager {
                first: Some("/keys".to_owned()),
                previous: Some("/keys?cursor=cA".to_owned()),
                next: Some("/keys?cursor=bg".to_owned()),
                last: Some("/keys?cursor=last".to_owned()),
            },
            rows: active_rows()
                .into_iter()
                .cycle()
                .take(50)
                .enumerate()
                .map(|(n, row)| Row { id: format!("p{n}"), ..row })
                .collect(),
            ..list(Tab::Active, vec![])
        };
        let banner = |banner| KeyListPage { banner: Some(banner), ..list(Tab::Active, active_rows()) };
        let renamed = KeyListBanner::Renamed { old: ERP.to_owned(), new: LONG_NAME.to_owned() };
        let done = KeyListBanner::Revoked { name: "Legacy Importer".to_owned() };
        let already = KeyListBanner::AlreadyRevoked {
            name: "ממשק הזמנות".to_owned(),
            by: user("Tomasz Wójcik"),
            on: zone().date(ago(16)),
        };
        let filters =
            Filters { practice: Some(Practice::NeverUsed), expiry: Some(ExpiryFilter::Never), ..Filters::NONE };
        let filtered = KeyListAddress::filtered(filters);
        let filtered = KeyListPage {
            filters: FilterBar::new(&filtered, &Summary::default(), None, &you()),
            address: filtered,
            ..list(Tab::Active, active_rows())
        };
        let mut summary = Summary::default();
        for practice in Practice::ALL.into_iter().take(7) {
            summary.update(Findings::default(), Findings::of(practice));
            summary.record_day(day_of(ago(0)) - 40 + practice as i64 * 4);
        }
        let panel = |summary: &Summary| {
            let practice = Some(PracticePanel::new(summary, 7, ago(0)));
            KeyListPage { practice, ..list(Tab::Active, active_rows()) }
        };
        let lists = vec![
            render("list-practice", &panel(&summary)),
            render("list-practice-followed", &panel(&Summary::default())),
            render("list-filtered", &filtered),
            render(
                "list-filtered-empty",
                &KeyListPage { rows: vec![], found: Counts { active: 0, revoked: 0 }, ..filtered },
            ),
            render("list-active", &list(Tab::Active, active_rows())),
            render("list-not-counted", &KeyListPage { as_of: None, ..list(Tab::Active, active_rows()) }),
            render("list-auditor", &KeyListPage { can_change: false, ..list(Tab::Active, active_rows()) }),
            render("list-revoked", &list(Tab::Revoked, revoked_rows())),
            render("list-paged", &paged),
            render("list-past-the-end", &KeyListPage { rows: vec![], ..paged }),
            render("list-banner", &KeyListPage { banner: Some(done), ..list(Tab::Active, active_rows()) }),
            render("list-revoked-several", &banner(KeyListBanner::RevokedSeveral { count: 4 })),
            render("list-renamed", &banner(renamed)),
            render(
                "list-handed-over",
                &banner(KeyListBanner::HandedOver { name: ERP.to_owned(), to: user("דנה לוי") }),
            ),
            render(
                "list-already-revoked",
                &KeyListPage { banner: Some(already), ..list(Tab::Revoked, revoked_rows()) },
            ),
            render("list-empty", &empty(Tab::Active, Counts { active: 0, revoked: 0 })),
            render("list-none-active", &empty(Tab::Active, Counts { active: 0, revoked: 3 })),
            render("list-revoked-empty", &empty(Tab::Revoked, Counts { active: 1, revoked: 0 })),
            render("list-search", &searched(Tab::Active, text("e"), active_rows(), Counts { active: 7, revoked: 1 })),
            render(
                "list-search-empty",
                &searched(Tab::Active, text("legacy <b>"), vec![], Counts { active: 0, revoked: 2 }),
            ),
            render(
                "list-search-whole-key",
                &searched(Tab::Active, Search::WholeKey, vec![], Counts { active: 0, revoked: 0 }),
            ),
        ];
        [lists, dialogs(), new_keys()].concat()
    }
}
