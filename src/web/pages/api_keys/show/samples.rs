//! The page of one key and its dialogs with sample data.

use crate::domain::practice::finding::Practice;
use crate::web::components::dialog::Dialog;
use crate::web::components::field::Field;
use crate::web::components::key_use::samples::in_use;
use crate::web::components::key_use::view::InUse;
use crate::web::components::people::ActorView;
use crate::web::components::samples::{LONG_NAME, Rendered, ago, edited, layout, render, user, zone};
use crate::web::pages::api_keys::activity::samples::{days, key_activity, key_history};
use crate::web::pages::api_keys::activity::view::{KeyActivity, Placement};
use crate::web::pages::api_keys::edit::fields::EditFields;
use crate::web::pages::api_keys::edit::view::Edit;
use crate::web::pages::api_keys::end::EndKey;
use crate::web::pages::api_keys::expiry::{Expiry, ExpiryField, ExpiryOption, KEEP, OldKey};
use crate::web::pages::api_keys::key_findings::{KeyFinding, RemedyLink};
use crate::web::pages::api_keys::list::samples::{ERP, expiry_field};
use crate::web::pages::api_keys::rotate::Rotate;
use crate::web::pages::api_keys::show::view::{EndView, EndsSoon, KeyBanner, KeyChange, KeyDetailPage, Replacement};
use crate::web::pages::api_keys::usage::samples::{
    accepted_since_end, never_used, none_since_end, old_key_uses, refused_since_end, used, used_until_its_end,
};
use crate::web::pages::api_keys::usage::view::{OldKeyUse, SinceEnd};

const PRIYA: &str = "Priya Wolfeschlegelsteinhausenbergerdorff";

fn finding(practice: Practice) -> KeyFinding {
    let remedy =
        RemedyLink { label: "Ask Tomasz Wójcik".to_owned(), href: "mailto:tomasz@brightwater.example".to_owned() };
    KeyFinding { label: practice.label(), advice: practice.advice(), remedy: Some(remedy) }
}

fn page(name: &str) -> KeyDetailPage {
    let of_key = key_activity(Placement::Key("k8".to_owned()), days().into_iter().skip(1).collect());
    KeyDetailPage {
        layout: layout(),
        id: "k8".to_owned(),
        name: name.to_owned(),
        preview: "goa_9xQ2…b71c".to_owned(),
        details: vec![
            ("Purpose", "Copies orders and stock levels between the ERP system and the platform.".to_owned()),
            ("Department", "Logistics".to_owned()),
            ("Contact", "#logistics-it".to_owned()),
        ],
        owner: user("Tomasz Wójcik"),
        service_account_id: "01a2a747-5680-73c5-afd2-669c11aa517b".to_owned(),
        expires: Some(Expiry::On(zone().date(ago(0)))),
        replaced_by: None,
        replaces: None,
        findings: [Practice::HumanClient, Practice::NoPurpose].map(finding).into(),
        usage: used(),
        end: None,
        since_end: none_since_end(),
        history: KeyActivity { key: Some(key_history(name)), older: Some("b2xkZXI".to_owned()), ..of_key },
        can_change: true,
        banner: None,
        dialog: None,
    }
}

fn replaced(can_extend: bool, old_key: OldKeyUse) -> KeyDetailPage {
    let (at, label) = (zone().date_time(ago(0)), "Ends in 23 hours".to_owned());
    let ends = EndsSoon { label: label.clone(), at: at.clone(), can_extend, old_key };
    KeyDetailPage {
        expires: Some(Expiry::Ending { at, label }),
        replaced_by: Some(Replacement {
            id: "k1".to_owned(),
            preview: "goa_2nQj…PyB6".to_owned(),
            has_ended: false,
            ends: Some(ends),
        }),
        ..page(ERP)
    }
}

fn replaces(until: bool) -> KeyDetailPage {
    let until = until.then(|| zone().date_time(ago(0)));
    let old = OldKey { id: "k2".to_owned(), preview: "goa_7Hq2…9fKd".to_owned(), until };
    KeyDetailPage { replaces: Some(old), expires: Some(Expiry::Never), ..page(ERP) }
}

fn revoked(since_end: SinceEnd) -> KeyDetailPage {
    let by = Replacement { id: "k1".to_owned(), preview: "goa_2nQj…PyB6".to_owned(), has_ended: false, ends: None };
    let end = EndView::Revoked {
        at: zone().date_time(ago(16)),
        by: user(PRIYA),
        reason: "Replaced by another key",
        comment: Some("Found in a public repository.\nhttps://git.example/brightwater/import-scripts/x".to_owned()),
    };
    let usage = used_until_its_end();
    KeyDetailPage { end: Some(end), expires: None, since_end, usage, replaced_by: Some(by), ..replaces(false) }
}

fn with_dialog(dialog: Dialog) -> KeyDetailPage {
    KeyDetailPage { dialog: Some(dialog), ..page(ERP) }
}

/// The choices of a key's expiry, with an error if the typed date has one.
fn edited_expiry(on: Option<Field>) -> ExpiryField {
    let offered = expiry_field(if on.is_some() { "date" } else { KEEP });
    let keep = ExpiryOption { value: KEEP, label: "No change (12 Dec 2026)".to_owned() };
    ExpiryField { options: [vec![keep], offered.options].concat(), on: on.unwrap_or_default(), ..offered }
}

fn edit(current_name: &str, name: Field, owner: Field) -> Edit {
    let people = [("u1", "Maria Lindqvist"), ("u2", "Tomasz Wójcik"), ("u3", "דנה לוי"), ("u4", PRIYA)];
    Edit {
        key_id: "k8".to_owned(),
        current_name: current_name.to_owned(),
        fields: EditFields {
            name,
            owner,
            purpose: Field::new("Copies orders and stock levels between the ERP system and the platform."),
            department: Field::new("Logistics"),
            contact: Field::new("#logistics-it"),
            expiry: Some(edited_expiry(None)),
        },
        people: people.map(|(id, name)| (id.to_owned(), name.to_owned())).into(),
        deleted_owner: None,
        edited: edited(None),
    }
}

fn rotate(name: &str, overlap: &str) -> Rotate {
    Rotate {
        key_id: "k8".to_owned(),
        name: name.to_owned(),
        in_use: (overlap == "none").then(in_use),
        overlap: Field::new(overlap),
        expiry: expiry_field("none"),
        submission: "c3VibWlzc2lvbg".to_owned(),
        is_outdated: false,
        is_expired: false,
        refusal: None,
        replaced_by: None,
    }
}

fn changes() -> Vec<KeyChange> {
    let (name, at) = (ERP.to_owned(), Some(zone().date_time(ago(0))));
    vec![
        KeyChange::Renamed { old: LONG_NAME.to_owned(), new: name.clone() },
        KeyChange::HandedOver { name: name.clone(), to: user(PRIYA) },
        KeyChange::Details { name: name.clone() },
        KeyChange::Expiry { name, at },
    ]
}

fn end(in_use: Option<InUse>, old_key: OldKeyUse) -> Rendered {
    let is_last_key = in_use.is_none();
    let name = if is_last_key { "end-last" } else { "end" };
    let dialog = EndKey {
        key_id: "k8".to_owned(),
        name: ERP.to_owned(),
        preview: "goa_9xQ2…b71c".to_owned(),
        ends: zone().date_time(ago(0)),
        in_use,
        old_key: old_key.clone(),
        is_last_key,
    };
    render(name, &KeyDetailPage { dialog: Some(dialog.into_dialog()), ..replaced(true, old_key) })
}

impl KeyDetailPage {
    pub fn samples() -> Vec<Rendered> {
        let banner = |banner| Self { banner: Some(banner), ..page(ERP) };
        let long = || Self { owner: user(PRIYA), ..page(LONG_NAME) };
        let at = zone().date_time(ago(16));
        let expired = || Self {
            end: Some(EndView::Expired { at: at.clone() }),
            expires: None,
            since_end: refused_since_end(),
            ..page(ERP)
        };
        let [still, pausing, not_for, never] = old_key_uses();
        let mut ownerless = Edit {
            deleted_owner: Some("u9".to_owned()),
            ..edit(LONG_NAME, Field::invalid("", "Enter a name for the service account"), Field::new("u9"))
        };
        ownerless.fields.contact = Field::invalid("x".repeat(121), "Contact must be 120 characters or fewer");
        ownerless.fields.expiry =
            Some(edited_expiry(Some(Field::invalid("2026-11-01", "Choose a date in the future"))));
        let on = Field::invalid("2026-11-01", "Choose a date in the future");
        let bad_date = ExpiryField { on, ..expiry_field("date") };
        let refusal = Some("This key is being replaced already. End it first.".to_owned());
        let until = zone().date_time(ago(0));
        vec![
            render("key", &page(ERP)),
            render("key-auditor", &Self { can_change: false, ..replaced(true, pausing) }),
            render("key-long", &Self { history: key_activity(Placement::Key("k8".to_owned()), vec![]), ..long() }),
            render("key-never-used", &Self { usage: never_used(), ..page(ERP) }),
            render("key-ownerless", &Self { owner: ActorView::DeletedUser, ..long() }),
            render("key-being-replaced", &replaced(true, still.clone())),
            render("key-extended", &replaced(false, not_for.clone())),
            render("key-replaces", &replaces(true)),
            render("key-replaced", &replaces(false)),
            render("key-revoked", &revoked(none_since_end())),
            render("key-refused-since", &revoked(refused_since_end())),
            render("key-accepted-since", &revoked(accepted_since_end())),
            render("key-expired", &expired()),
            render("key-edited", &banner(KeyBanner::Edited(changes()))),
            render("key-rotated", &Self { banner: Some(KeyBanner::Rotated), ..replaces(true) }),
            render("key-old-ended", &banner(KeyBanner::OldKeyEnded)),
            render(
                "key-old-extended",
                &Self { banner: Some(KeyBanner::OldKeyExtended { until }), ..replaced(false, not_for) },
            ),
            render("key-unknown-end", &Self { banner: Some(KeyBanner::UnknownEnd), ..replaced(true, never) }),
            render("edit", &with_dialog(edit(ERP, Field::new(ERP), Field::new("u2")).into_dialog())),
            render(
                "edit-conflict",
                &with_dialog(
                    Edit {
                        edited: edited(Some(&[
                            ("Service account name", ERP, LONG_NAME),
                            ("Owner", "Tomasz Wójcik", "דנה לוי"),
                        ])),
                        ..edit(ERP, Field::new(LONG_NAME), Field::new("u3"))
                    }
                    .into_dialog(),
                ),
            ),
            render("edit-refused", &with_dialog(ownerless.into_dialog())),
            end(Some(in_use()), still.clone()),
            end(None, OldKeyUse::not_for(6)),
            render("rotate", &with_dialog(rotate(ERP, "24h").into_dialog())),
            render("rotate-now", &with_dialog(rotate(ERP, "none").into_dialog())),
            render(
                "rotate-expired",
                &Self { dialog: Some(Rotate { is_expired: true, ..rotate(ERP, "none") }.into_dialog()), ..expired() },
            ),
            render("rotate-outdated", &with_dialog(Rotate { is_outdated: true, ..rotate(ERP, "7d") }.into_dialog())),
            render(
                "rotate-date-refused",
                &with_dialog(Rotate { expiry: bad_date, ..rotate(LONG_NAME, "1h") }.into_dialog()),
            ),
            render("rotate-refused", &with_dialog(Rotate { refusal, ..rotate(ERP, "24h") }.into_dialog())),
        ]
    }
}
