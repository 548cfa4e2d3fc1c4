//! The page of a service account with sample data.

use crate::domain::key::lifecycle::KeyState;
use crate::web::components::paging::Pager;
use crate::web::components::samples::{LONG_NAME, Rendered, ago, layout, render, user, zone};
use crate::web::pages::api_keys::expiry::Expiry;
use crate::web::pages::api_keys::service_account::view::{AccountKey, KeyEnding, ServiceAccountPage};

fn keys() -> Vec<AccountKey> {
    let key = |id: &str, state, minutes, ending| AccountKey {
        id: id.to_owned(),
        preview: "goa_9xQ2…b71c".to_owned(),
        state,
        is_being_replaced: id == "k2",
        created: zone().date(ago(minutes)),
        created_by: user(if id == "k3" { "" } else { "Maria Lindqvist" }),
        owner: user("Priya Wolfeschlegelsteinhausenbergerdorff"),
        ending,
    };
    let at = zone().date_time(ago(0));
    vec![
        key("k1", KeyState::Active, 600, KeyEnding::Coming(Expiry::Never)),
        key(
            "k2",
            KeyState::Active,
            90_000,
            KeyEnding::Coming(Expiry::Ending { at, label: "Ends in 5 hours".to_owned() }),
        ),
        key("k3", KeyState::Expired, 200_000, KeyEnding::Expired(zone().date(ago(90_000)))),
        key(
            "k4",
            KeyState::Revoked,
            400_000,
            KeyEnding::Revoked { on: zone().date(ago(200_000)), reason: "Replaced by another key" },
        ),
    ]
}

impl ServiceAccountPage {
    pub fn samples() -> Vec<Rendered> {
        let page = |name: &str, details| Self {
            layout: layout(),
            id: "01a2a747-5680-73c5-afd2-669c11aa517b".to_owned(),
            name: name.to_owned(),
            created: zone().date(ago(400_000)),
            details,
            keys: keys(),
            pager: Pager::default(),
            zone: zone().label(ago(0)),
        };
        let details = vec![("Purpose", "Copies orders and stock levels.".to_owned()), ("Contact", "x".repeat(120))];
        let pager = Pager { next: Some("/accounts?cursor=a".to_owned()), ..Pager::default() };
        vec![
            render("service-account", &page("ERP Sync Service", details)),
            render("service-account-long", &Self { pager, ..page(LONG_NAME, vec![]) }),
            render("service-account-past-the-end", &Self { keys: vec![], ..page("ERP Sync Service", vec![]) }),
        ]
    }
}
