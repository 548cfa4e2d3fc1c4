//! A key's page and its overlays with sample data.

use crate::web::keys::audit_trail::{AuditTrail, Place};
use crate::web::keys::edit::Edit;
use crate::web::keys::expiry::{Expiry, ExpiryField, OldKey};
use crate::web::keys::key_page::{EndsSoon, KeyBanner, KeyEnd, KeyOverlay, KeyPage, Replacement};
use crate::web::keys::rotate::Rotate;
use crate::web::keys::samples::{ERP, expiry_field};
use crate::web::keys::trail_samples::{days, narrowed, trail};
use crate::web::keys::usage::{OldKeyUse, SinceEnd};
use crate::web::keys::usage_samples::{
    accepted_since_end, never_used, none_since_end, old_key_uses, refused_since_end, used, used_until_its_end,
};
use crate::web::page::{Field, Who};
use crate::web::samples::{Drawn, LONG_NAME, ago, drawn, shell, user, zone};

const PRIYA: &str = "Priya Wolfeschlegelsteinhausenbergerdorff";

fn page(name: &str) -> KeyPage {
    let of_key = trail(Place::Key("k8".to_owned()), days().into_iter().skip(1).collect());
    KeyPage {
        shell: shell(),
        id: "k8".to_owned(),
        name: name.to_owned(),
        preview: "goa_9xQ2…b71c".to_owned(),
        owner: user("Tomasz Wójcik"),
        created: zone().date(ago(15_829)),
        created_by: user("Maria Lindqvist"),
        expires: Expiry::On(zone().date(ago(0))),
        replaced_by: None,
        replaces: None,
        usage: used(),
        end: None,
        since_end: none_since_end(),
        history: AuditTrail { narrowed: Some(narrowed(name)), older: Some("b2xkZXI".to_owned()), ..of_key },
        can_change: true,
        banner: None,
        overlay: KeyOverlay::None,
    }
}

fn replaced(can_extend: bool, old_key: OldKeyUse) -> KeyPage {
    let (at, in_words) = (zone().date_time(ago(0)), "Ends in 23 hours".to_owned());
    let ends = EndsSoon { in_words: in_words.clone(), at: at.clone(), can_extend, old_key };
    KeyPage {
        expires: Expiry::Ending { at, in_words },
        replaced_by: Some(Replacement {
            id: "k1".to_owned(),
            preview: "goa_2nQj…PyB6".to_owned(),
            has_ended: false,
            ends: Some(ends),
        }),
        ..page(ERP)
    }
}

fn replaces(until: bool) -> KeyPage {
    let until = until.then(|| zone().date_time(ago(0)));
    let old = OldKey { id: "k2".to_owned(), preview: "goa_7Hq2…9fKd".to_owned(), until };
    KeyPage { replaces: Some(old), expires: Expiry::Never, ..page(ERP) }
}

fn revoked(since_end: SinceEnd) -> KeyPage {
    let by = Replacement { id: "k1".to_owned(), preview: "goa_2nQj…PyB6".to_owned(), has_ended: false, ends: None };
    let end = KeyEnd::Revoked {
        at: zone().date_time(ago(16)),
        by: user(PRIYA),
        reason: "Replaced by another key",
        comment: Some("Found in a public repository.\nhttps://git.example/brightwater/import-scripts/x".to_owned()),
    };
    let usage = used_until_its_end();
    KeyPage { end: Some(end), since_end, usage, replaced_by: Some(by), ..replaces(false) }
}

fn over(overlay: KeyOverlay) -> KeyPage {
    KeyPage { overlay, ..page(ERP) }
}

fn edit(current_name: &str, name: Field, owner: Field) -> Edit {
    let people = [("u1", "Maria Lindqvist"), ("u2", "Tomasz Wójcik"), ("u3", "דנה לוי"), ("u4", PRIYA)];
    Edit {
        key_id: "k8".to_owned(),
        current_name: current_name.to_owned(),
        name,
        owner,
        people: people.map(|(id, name)| (id.to_owned(), name.to_owned())).into(),
        deleted_owner: None,
    }
}

fn rotate(name: &str, overlap: &str) -> Rotate {
    Rotate {
        key_id: "k8".to_owned(),
        name: name.to_owned(),
        overlap: Field::kept(overlap),
        expiry: expiry_field("none"),
        submission: "c3VibWlzc2lvbg".to_owned(),
        outdated: false,
        is_expired: false,
        refusal: None,
    }
}

impl KeyPage {
    pub(crate) fn samples() -> Vec<Drawn> {
        let banner = |banner| Self { banner: Some(banner), ..page(ERP) };
        let long = || Self { owner: user(PRIYA), created_by: user(PRIYA), ..page(LONG_NAME) };
        let at = zone().date_time(ago(16));
        let expired =
            || Self { end: Some(KeyEnd::Expired { at: at.clone() }), since_end: refused_since_end(), ..page(ERP) };
        let [still, pausing, not_for, never] = old_key_uses();
        let ownerless = Edit {
            deleted_owner: Some("u9".to_owned()),
            ..edit(LONG_NAME, Field::refused("", "Enter a name for the service account"), Field::kept("u9"))
        };
        let on = Field::refused("2026-11-01", "Choose a date in the future");
        let bad_date = ExpiryField { on, ..expiry_field("date") };
        let refusal = Some("This key is being replaced already. End it first.".to_owned());
        let until = zone().date_time(ago(0));
        vec![
            drawn("key", &page(ERP)),
            drawn("key-auditor", &Self { can_change: false, ..replaced(true, pausing) }),
            drawn("key-long", &Self { history: trail(Place::Key("k8".to_owned()), vec![]), ..long() }),
            drawn("key-never-used", &Self { usage: never_used(), ..page(ERP) }),
            drawn("key-ownerless", &Self { owner: Who::DeletedUser, created_by: Who::DeletedUser, ..long() }),
            drawn("key-being-replaced", &replaced(true, still)),
            drawn("key-extended", &replaced(false, not_for.clone())),
            drawn("key-replaces", &replaces(true)),
            drawn("key-replaced", &replaces(false)),
            drawn("key-revoked", &revoked(none_since_end())),
            drawn("key-refused-since", &revoked(refused_since_end())),
            drawn("key-accepted-since", &revoked(accepted_since_end())),
            drawn("key-expired", &expired()),
            drawn("key-renamed", &banner(KeyBanner::Renamed { old: LONG_NAME.to_owned(), new: ERP.to_owned() })),
            drawn("key-handed-over", &banner(KeyBanner::HandedOver { name: ERP.to_owned(), to: user(PRIYA) })),
            drawn("key-old-ended", &banner(KeyBanner::OldKeyEnded)),
            drawn(
                "key-old-extended",
                &Self { banner: Some(KeyBanner::OldKeyExtended { until }), ..replaced(false, not_for) },
            ),
            drawn("key-unknown-end", &Self { banner: Some(KeyBanner::UnknownEnd), ..replaced(true, never) }),
            drawn("edit", &over(KeyOverlay::Edit(edit(ERP, Field::kept(ERP), Field::kept("u2"))))),
            drawn("edit-refused", &over(KeyOverlay::Edit(ownerless))),
            drawn("rotate", &over(KeyOverlay::Rotate(rotate(ERP, "24h")))),
            drawn(
                "rotate-expired",
                &Self { overlay: KeyOverlay::Rotate(Rotate { is_expired: true, ..rotate(ERP, "none") }), ..expired() },
            ),
            drawn("rotate-outdated", &over(KeyOverlay::Rotate(Rotate { outdated: true, ..rotate(ERP, "7d") }))),
            drawn(
                "rotate-date-refused",
                &over(KeyOverlay::Rotate(Rotate { expiry: bad_date, ..rotate(LONG_NAME, "1h") })),
            ),
            drawn("rotate-refused", &over(KeyOverlay::Rotate(Rotate { refusal, ..rotate(ERP, "24h") }))),
        ]
    }
}
