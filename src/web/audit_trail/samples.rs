//! The Audit Trail page with sample data.

use crate::domain::action::Action;
use crate::web::audit_trail::address::TrailAddress;
use crate::web::audit_trail::detail::{Change, EventDetail, Shown};
use crate::web::audit_trail::page::{FilteredKey, Filters, TrailPage};
use crate::web::audit_trail::told::ToldEvent;
use crate::web::audit_trail::witnesses::ShownWitnesses;
use crate::web::keys::trail_samples::told;
use crate::web::page::Field;
use crate::web::paging::Pager;
use crate::web::samples::{Drawn, LONG_NAME, ago, drawn, shell, user, zone};

fn rows() -> Vec<ToldEvent> {
    let people = ["Maria Lindqvist", "", "Keydesk", "Priya Wolfeschlegelsteinhausenbergerdorff", "Command line"];
    let after = format!("{{\"name\":\"{LONG_NAME}\",\"owner\":\"OWNER\",\"ends_at\":UNTIL,\"role\":\"auditor\"}}");
    let told = |(place, action): (usize, &Action)| {
        told(*action, people[place % people.len()], place as u64 * 700, &after, |at| zone().exact(at))
    };
    Action::ALL.iter().enumerate().map(told).collect()
}

fn page() -> TrailPage {
    let people = [("u1", "Maria Lindqvist"), ("u2", LONG_NAME)];
    TrailPage {
        shell: shell(),
        filters: Filters {
            from: Field::default(),
            to: Field::default(),
            people: people.map(|(id, name)| (id.to_owned(), name.to_owned())).into(),
            deleted_user: None,
            key: None,
        },
        address: TrailAddress::default(),
        cursor: None,
        rows: rows(),
        pager: Pager::default(),
        zone: zone().label(ago(0)),
        witnesses: ShownWitnesses::sample(),
        since: Field::default(),
        overlay: None,
    }
}

fn filtered() -> TrailPage {
    let key = FilteredKey { id: "k8".to_owned(), name: LONG_NAME.to_owned(), preview: "goa_9xQ2…b71c".to_owned() };
    let address = TrailAddress {
        from: "2026-11-01".to_owned(),
        to: "2026-11-23".to_owned(),
        user: Some("u9".to_owned()),
        actions: vec![Action::ApiKeyCreated, Action::ApiKeyRevoked],
        key: Some("k8".to_owned()),
    };
    let filters = Filters {
        from: Field::kept("2026-11-01"),
        to: Field::kept("2026-11-23"),
        deleted_user: Some("u9".to_owned()),
        key: Some(key),
        ..page().filters
    };
    let pager = Pager { previous: Some("/trail?cursor=YTUx".to_owned()), next: Some("/trail?cursor=YjE".to_owned()) };
    TrailPage {
        filters,
        address,
        pager,
        cursor: Some("YjUx".to_owned()),
        witnesses: ShownWitnesses::default(),
        ..page()
    }
}

fn detail() -> EventDetail {
    let key = Shown::Key { id: "k9".to_owned(), preview: "goa_2nQj…PyB6".to_owned() };
    let change = |label: &str, before, after, is_change| Change { label: label.to_owned(), before, after, is_change };
    let text = |text: &str| Some(Shown::Text(text.to_owned()));
    let at = zone().exact(ago(16));
    EventDetail {
        event: told(Action::ApiKeyRevoked, "Maria Lindqvist", 16, "{\"name\":\"Legacy Importer\"}", |at| {
            zone().exact(at)
        }),
        sequence: 1_204,
        utc: "2026-11-23T08:14:00.000042Z".to_owned(),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned()),
        request_id: Some("0199c2f4-7f0a-7c3e-9d51-2f6b8c1e4a77".to_owned()),
        changes: vec![
            change("Name", text(LONG_NAME), text(LONG_NAME), false),
            change("State", text("Active"), text("Revoked"), true),
            change("Owner", Some(Shown::Person(user(""))), Some(Shown::Person(user("Priya Raman"))), true),
            change("Works until", None, Some(Shown::Time(at)), true),
            change("Replaced by", None, Some(key), true),
            change("Session", Some(Shown::Code("0199c2f4-7f0a-7c3e-9d51-2f6b8c1e4a77".to_owned())), None, true),
        ],
    }
}

impl TrailPage {
    pub(crate) fn samples() -> Vec<Drawn> {
        let refused = Filters {
            from: Field::refused("23.11.2026", "Enter a date such as 2026-11-23"),
            to: Field::refused("2026-11-01", "Choose a date that is not before the first one"),
            ..page().filters
        };
        let since = Field::refused("1,300", super::export::no_such_checkpoint(1_204));
        let bare = EventDetail { changes: vec![], user_agent: None, request_id: None, ..detail() };
        vec![
            drawn("audit-trail", &page()),
            drawn("audit-trail-filtered", &filtered()),
            drawn("audit-trail-none-match", &Self { rows: vec![], pager: Pager::default(), ..filtered() }),
            drawn("audit-trail-refused", &Self { rows: vec![], filters: refused, ..page() }),
            drawn("audit-trail-since-refused", &Self { since, ..filtered() }),
            drawn("audit-trail-event", &Self { overlay: Some(detail()), ..filtered() }),
            drawn("audit-trail-event-bare", &Self { overlay: Some(bare), ..page() }),
        ]
    }
}
