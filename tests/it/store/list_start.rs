//! The start of the list in one statement: on PostgreSQL, it holds what several statements on one snapshot hold.

use std::time::Duration;

use keydesk::store::{KeyListItem, KeyListQuery, KeyListStart, KeyTab, PageRequest, SortBy, SortOrder};

use super::captured_sql::{CapturedStore, statements_of};
use crate::support::{TestServer, database};

/// Adds active, revoked and rotated keys.
fn add_keys(server: &TestServer) {
    let admin = server.admin();
    for number in 0..12 {
        let (id, _) = admin.create_key(&format!("Service {number:02}"));
        server.advance(Duration::from_mins(1));
        match number % 4 {
            1 => admin.revoke(&id, "superseded", "replaced by hand").expect(303),
            2 => admin.rotate(&id, "24h").expect(201),
            _ => continue,
        };
    }
}

#[test]
fn one_statement_returns_the_start_of_the_list_names_and_counters() {
    let server = TestServer::start();
    add_keys(&server);
    let company_id = server.company("Brightwater");
    let captured = CapturedStore::connect(&server.database_url);
    let orders = [SortBy::Created, SortBy::Ended, SortBy::Name]
        .into_iter()
        .flat_map(|sort_by| [SortOrder::Ascending, SortOrder::Descending].map(|order| (sort_by, order)));
    for (tab, (sort_by, order)) in orders.flat_map(|order| [KeyTab::Active, KeyTab::Ended].map(|tab| (tab, order))) {
        let now = server.clock.now();
        let paging = PageRequest::First;
        let query = KeyListQuery { company_id, tab, search: None, sort_by, order, paging, page_size: 5, now };
        let (start, sent) = statements_of(|| captured.store.query(|db| db.keys().list_start(&query)).unwrap());
        if database::postgres().is_none() {
            assert!(start.is_none() && sent.is_empty(), "{sent:#?}");
            continue;
        }
        assert_eq!(sent.len(), 1, "{sent:#?}");
        let KeyListStart { keys, names, counts } = start.unwrap();
        let (expected_keys, expected_names, expected_counts) = captured
            .store
            .read(|db| {
                let keys = db.keys().list(&query)?.keys;
                let names = db.users().names(company_id, keys.iter().flat_map(KeyListItem::users))?;
                Ok::<_, keydesk::store::StoreError>((keys, names, db.keys().count(company_id, now)?))
            })
            .unwrap();
        assert_eq!(format!("{keys:?}"), format!("{expected_keys:?}"), "{tab:?} {sort_by:?} {order:?}");
        assert_eq!((names, counts), (expected_names, expected_counts));
        assert_eq!(keys.len(), if tab == KeyTab::Active { 5 } else { 3 });
    }
}

#[test]
fn other_lists_take_several_statements() {
    let server = TestServer::start();
    let company_id = server.company("Brightwater");
    let now = server.clock.now();
    let query = KeyListQuery {
        company_id,
        tab: KeyTab::Active,
        search: None,
        sort_by: SortBy::Created,
        order: SortOrder::Descending,
        paging: PageRequest::First,
        page_size: 5,
        now,
    };
    let store = &server.actions.store;
    let is_left = |query: &KeyListQuery| store.query(|db| db.keys().list_start(query)).unwrap().is_none();
    assert!(is_left(&query), "an empty tab has no row that could carry the counters");
    server.admin().create_key("ERP Sync");
    let now = server.clock.now();
    assert_eq!(is_left(&KeyListQuery { now, ..query.clone() }), database::postgres().is_none());
    assert!(is_left(&KeyListQuery { now, search: Some("erp".to_owned()), ..query.clone() }));
    assert!(is_left(&KeyListQuery { now, sort_by: SortBy::LastUsed, ..query.clone() }));
    let last = store.read(|db| db.keys().list(&KeyListQuery { now, ..query.clone() })).unwrap();
    let paging = PageRequest::After(last.keys[0].position(SortBy::Created));
    assert!(is_left(&KeyListQuery { now, paging, ..query }));
}
