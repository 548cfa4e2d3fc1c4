//! The Audit Trail page with sample data.

use crate::domain::trail::action::Action;
use crate::domain::trail::shortfall::Shortfall;
use crate::web::components::event::view::EventView;
use crate::web::components::field::Field;
use crate::web::components::layout::{PageLayout, lost_events};
use crate::web::components::paging::Pager;
use crate::web::components::samples::{LONG_NAME, Rendered, ago, layout, render, user, zone};
use crate::web::pages::api_keys::activity::samples::{sample_event, sample_json};
use crate::web::pages::audit_trail::address::TrailAddress;
use crate::web::pages::audit_trail::event_drawer::{Change, ChangeValue, EventDrawer};
use crate::web::pages::audit_trail::presets::presets;
use crate::web::pages::audit_trail::view::{FilteredKey, Filters, Neighbours, TrailPage, TrailTotal};

fn rows() -> Vec<EventView> {
    let people = ["Maria Lindqvist", "", "Keydesk", "Priya Wolfeschlegelsteinhausenbergerdorff", "Command line"];
    let event = |(index, action): (usize, &Action)| {
        let person = people[index % people.len()];
        sample_event(*action, person, index as u64 * 700, LONG_NAME, sample_json(*action), |at| zone().exact(at))
    };
    Action::ALL.iter().enumerate().map(event).collect()
}

fn page() -> TrailPage {
    let people = [("u1", "Maria Lindqvist"), ("u2", LONG_NAME)];
    TrailPage {
        layout: layout(),
        filters: Filters {
            from: Field::default(),
            to: Field::default(),
            people: people.map(|(id, name)| (id.to_owned(), name.to_owned())).into(),
            deleted: vec![("u9".to_owned(), "Deleted user, 3 Nov 2026".to_owned())],
            key: None,
        },
        address: TrailAddress::default(),
        cursor: None,
        rows: rows(),
        pager: Pager::default(),
        total: TrailTotal::Exactly(4_711),
        presets: presets(&TrailAddress::default(), zone().day(ago(0))),
        zone: zone().label(ago(0)),
        dialog: None,
    }
}

fn went_back() -> TrailPage {
    let warning = Some(lost_events(Shortfall::EventsMissing { first: 1_145, last: 1_204 }));
    TrailPage { layout: PageLayout { warning, ..layout() }, ..page() }
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
    let filters =
        Filters { from: Field::new("2026-11-01"), to: Field::new("2026-11-23"), key: Some(key), ..page().filters };
    let (previous, next) = (Some("/trail?cursor=YTUx".to_owned()), Some("/trail?cursor=YjE".to_owned()));
    let pager = Pager { previous, next, ..Pager::default() };
    TrailPage { filters, address, pager, total: TrailTotal::More, cursor: Some("YjUx".to_owned()), ..page() }
}

fn detail() -> EventDrawer {
    let key = ChangeValue::Key { id: "k9".to_owned(), preview: "goa_2nQj…PyB6".to_owned() };
    let change = |label: &str, before, after, is_change| Change { label: label.to_owned(), before, after, is_change };
    let text = |text: &str| Some(ChangeValue::Text(text.to_owned()));
    let at = zone().exact(ago(16));
    EventDrawer {
        event: sample_event(
            Action::ApiKeyRevoked,
            "Maria Lindqvist",
            16,
            "Legacy Importer",
            sample_json(Action::ApiKeyRevoked),
            |at| zone().exact(at),
        ),
        sequence: 1_204,
        utc: "2026-11-23T08:14:00.000042Z".to_owned(),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned()),
        request_id: Some("0199c2f4-7f0a-7c3e-9d51-2f6b8c1e4a77".to_owned()),
        close_href: String::new(),
        neighbours: Neighbours::default(),
        changes: vec![
            change("Name", text(LONG_NAME), text(LONG_NAME), false),
            change("State", text("Active"), text("Revoked"), true),
            change("Owner", Some(ChangeValue::Person(user(""))), Some(ChangeValue::Person(user("Priya Raman"))), true),
            change("Works until", None, Some(ChangeValue::Time(at)), true),
            change("Replaced by", None, Some(key), true),
            change("Session", Some(ChangeValue::Code("0199c2f4-7f0a-7c3e-9d51-2f6b8c1e4a77".to_owned())), None, true),
        ],
    }
}

fn with_event(page: TrailPage, event: EventDrawer) -> TrailPage {
    let neighbours = Neighbours { newer: Some("/trail/e2".to_owned()), older: Some("/trail/e0".to_owned()) };
    TrailPage { dialog: Some(event.into_dialog(page.current_href(), neighbours)), ..page }
}

impl TrailPage {
    pub fn samples() -> Vec<Rendered> {
        let refused = Filters {
            from: Field::invalid("23.11.2026", "Enter a date as YYYY-MM-DD"),
            to: Field::invalid("2026-11-01", "Choose an end date on or after the start date"),
            ..page().filters
        };
        let bare = EventDrawer { changes: vec![], user_agent: None, request_id: None, ..detail() };
        vec![
            render("audit-trail", &page()),
            render("audit-trail-filtered", &filtered()),
            render("audit-trail-went-back", &went_back()),
            render("audit-trail-none-match", &Self { rows: vec![], pager: Pager::default(), ..filtered() }),
            render("audit-trail-refused", &Self { rows: vec![], filters: refused, ..page() }),
            render("audit-trail-event", &with_event(filtered(), detail())),
            render("audit-trail-event-bare", &with_event(page(), bare)),
        ]
    }
}
